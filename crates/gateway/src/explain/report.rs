//! What is told: the winner with its plugins in their order, what the nearest other routes lack, the
//! revision of the configuration, and how long the steps took.

use std::time::Duration;

use plugin_api::{Chain, Scopes};
use router::{Considered, Flavor, Verdict};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::asked::Asked;
use crate::snapshot::{RouteEntry, Snapshot};

/// Limit: routes that are told of.
pub const CONSIDERED_MAX: usize = 20;

/// Tells where a request goes under a configuration, with `limit` routes at most.
///
/// # Errors
///
/// Says why the request finds no route at all: its path cannot be read and it is answered with 400.
pub fn explain(snapshot: &Snapshot, asked: &Asked, limit: usize) -> Result<Value, String> {
    let (path, _) = asked.path_and_query();
    if !path.starts_with('/') {
        return Err(format!("`{path}` is no path; it begins with `/`"));
    }
    let start = Instant::now();
    let mut scratch = Vec::new();
    let path = router::normalise_path(path.as_bytes(), &mut scratch)
        .map_err(|error| format!("the request is answered with 400: {error}"))?;
    let normalised = start.elapsed();
    let query = asked.query(&path);
    let start = Instant::now();
    let found = snapshot.router.find(&query);
    let routed = start.elapsed();
    let winner = found.and_then(|found| {
        let entry = snapshot.routes.get(found.route)?;
        Some(json!({
            "id": entry.route.id,
            "name": entry.route.name,
            "service": entry.route.service,
            "matched_path_length": found.stripped_len(),
            "plugins": plugins(&entry.chain),
        }))
    });
    let (considered, total) = snapshot.router.explain(&query, limit);
    let considered = considered.iter().filter_map(|own| {
        let entry = snapshot.routes.get(own.route)?;
        Some(told(own, entry))
    });
    Ok(json!({
        "configuration_hash": snapshot.hash,
        "router_flavor": flavor_name(snapshot.router.flavor()),
        "route": winner,
        "considered": considered.collect::<Vec<_>>(),
        "routes_in_all": total,
        "nanoseconds": {"normalise": nanos(normalised), "route": nanos(routed)},
    }))
}

/// A route and what became of it.
fn told(considered: &Considered, entry: &RouteEntry) -> Value {
    let (verdict, unmet) = match &considered.verdict {
        Verdict::Wins => ("wins", &[][..]),
        Verdict::Later => ("matches too, but comes later in the order", &[][..]),
        Verdict::Fails(unmet) => ("does not match", unmet.as_slice()),
    };
    let unmet = unmet
        .iter()
        .map(|own| json!({"field": own.field, "reason": own.reason}));
    json!({
        "id": entry.route.id,
        "name": entry.route.name,
        "verdict": verdict,
        "order": considered.order,
        "unmet": unmet.collect::<Vec<_>>(),
    })
}

/// The plugins of a chain in their order. Those of consumers are told as such: nobody is known yet.
fn plugins(chain: &Chain) -> Vec<Value> {
    let told = chain.entries().iter().map(|entry| {
        let definition = entry.definition();
        let bound = entry.default_bound();
        json!({
            "name": definition.name,
            "priority": definition.priority,
            "id": bound.map(|bound| bound.id),
            "scope": bound.map_or("some consumers", |bound| scope_name(bound.scopes)),
            "has_instances_of_consumers": !entry.consumers().is_empty(),
        })
    });
    told.collect()
}

/// What an instance for all consumers is attached to.
fn scope_name(scopes: Scopes) -> &'static str {
    match (
        scopes.contains(Scopes::ROUTE),
        scopes.contains(Scopes::SERVICE),
    ) {
        (true, true) => "route and service",
        (true, false) => "route",
        (false, true) => "service",
        (false, false) => "node",
    }
}

const fn flavor_name(flavor: Flavor) -> &'static str {
    match flavor {
        Flavor::Traditional => "traditional",
        Flavor::TraditionalCompatible => "traditional_compatible",
        Flavor::Expressions => "expressions",
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
