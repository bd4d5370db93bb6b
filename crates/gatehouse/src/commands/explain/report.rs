//! What is told, as text and as JSON.

use std::cmp::Reverse;
use std::fmt::Write as _;
use std::time::Duration;

use declarative::Config;
use entities::{Plugin, Protocol, Route};
use router::{Considered, Flavor, Match, Unmet, Verdict};
use serde_json::{Value, json};

/// How long the steps took.
pub(super) struct Timing {
    pub(super) compiled: Duration,
    pub(super) normalised: Duration,
    pub(super) routed: Duration,
}

/// Everything that was found out.
pub(super) struct Report<'a> {
    pub(super) config: &'a Config,
    pub(super) routes: &'a [Route],
    pub(super) plugins: &'a [Plugin],
    pub(super) flavor: Flavor,
    pub(super) found: Option<Match>,
    pub(super) considered: &'a [Considered],
    pub(super) total: usize,
    pub(super) timing: Timing,
}

impl Report<'_> {
    pub(super) fn json(&self) -> Value {
        let winner = self.found.and_then(|found| {
            let route = self.routes.get(found.route)?;
            Some(json!({
                "id": route.id,
                "name": route.name,
                "service": route.service,
                "matched_path_length": found.stripped_len(),
                "plugins": self.plugins(route),
            }))
        });
        let considered = self.considered.iter().filter_map(|own| {
            let route = self.routes.get(own.route)?;
            let (verdict, unmet) = verdict(own);
            let unmet = unmet.iter();
            let unmet = unmet.map(|own| json!({"field": own.field, "reason": own.reason}));
            Some(json!({
                "id": route.id,
                "name": route.name,
                "verdict": verdict,
                "order": own.order,
                "unmet": unmet.collect::<Vec<_>>(),
            }))
        });
        json!({
            "configuration_hash": self.revision(),
            "router_flavor": flavor_name(self.flavor),
            "route": winner,
            "considered": considered.collect::<Vec<_>>(),
            "routes_in_all": self.total,
            "nanoseconds": {
                "compile": nanos(self.timing.compiled),
                "normalise": nanos(self.timing.normalised),
                "route": nanos(self.timing.routed),
            },
        })
    }

    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut out);
        out.truncate(out.trim_end().len());
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let route = self.found.and_then(|found| self.routes.get(found.route));
        match route {
            None => writeln!(out, "no route takes the request: it is answered with 404")?,
            Some(route) => {
                writeln!(out, "route {} takes the request", name(route))?;
                for (place, plugin) in (1_usize..).zip(self.plugins(route)) {
                    let text = |member: &str| plugin.get(member).and_then(Value::as_str);
                    let (name, scope) = (text("name"), text("scope"));
                    let (name, scope) = (name.unwrap_or_default(), scope.unwrap_or_default());
                    writeln!(out, "  plugin {place}: {name} of the {scope}")?;
                }
            }
        }
        writeln!(
            out,
            "routes considered ({} of {}):",
            self.considered.len(),
            self.total
        )?;
        for own in self.considered {
            let Some(route) = self.routes.get(own.route) else {
                continue;
            };
            let (verdict, unmet) = verdict(own);
            writeln!(out, "  {}: {verdict} ({})", name(route), own.order)?;
            for unmet in unmet {
                writeln!(out, "    {}: {}", unmet.field, unmet.reason)?;
            }
        }
        writeln!(
            out,
            "configuration {}, flavor {}; compiled in {:?}, path in {:?}, route in {:?}",
            self.revision(),
            flavor_name(self.flavor),
            self.timing.compiled,
            self.timing.normalised,
            self.timing.routed,
        )
    }

    /// The hash that a control plane gives this configuration.
    fn revision(&self) -> String {
        let tables = self.config.tables.iter();
        let tables = tables.map(|(kind, rows)| (kind.clone(), json!(rows)));
        wire::hash::config_hash(&Value::Object(tables.collect())).config
    }

    /// The plugins that apply to requests of the route before a consumer is known, in their order: of each name
    /// the one whose scope is the narrowest.
    fn plugins(&self, route: &Route) -> Vec<Value> {
        let mut found: Vec<(usize, i32, &Plugin)> = Vec::new();
        for plugin in self.plugins {
            let Some(rank) = rank_of(plugin, route) else {
                continue;
            };
            match found.iter_mut().find(|(.., own)| own.name == plugin.name) {
                Some(own) if rank < own.0 => (own.0, own.2) = (rank, plugin),
                Some(_) => {}
                None => {
                    let definition = plugins::definition(&plugin.name);
                    found.push((rank, definition.map_or(0, |own| own.priority), plugin));
                }
            }
        }
        found.sort_by_key(|(_, priority, plugin)| (Reverse(*priority), &plugin.name));
        let told = found.into_iter().map(|(rank, priority, plugin)| {
            let scope = SCOPES.get(rank);
            json!({"name": plugin.name, "priority": priority, "scope": scope})
        });
        told.collect()
    }
}

/// Scopes without consumers, the narrowest first.
const SCOPES: [&str; 4] = ["route and service", "route", "service", "node"];

/// The place of a plugin's scope among [`SCOPES`]; `None` when it does not run for requests of the route, or only
/// for those of some consumers.
fn rank_of(plugin: &Plugin, route: &Route) -> Option<usize> {
    let is_for_all = plugin.consumer.is_none() && plugin.consumer_group.is_none();
    let is_ours = plugin.route.is_none_or(|own| own == route.id)
        && (plugin.service.is_none() || plugin.service == route.service);
    let is_http = plugin.protocols.iter().any(|own| HTTP.contains(own));
    let rank = match (plugin.route, plugin.service) {
        (Some(_), Some(_)) => 0,
        (Some(_), None) => 1,
        (None, Some(_)) => 2,
        (None, None) => 3,
    };
    (plugin.enabled && is_for_all && is_ours && is_http).then_some(rank)
}

/// The protocols of requests.
const HTTP: [Protocol; 4] = [
    Protocol::Http,
    Protocol::Https,
    Protocol::Grpc,
    Protocol::Grpcs,
];

const fn verdict(considered: &Considered) -> (&'static str, &[Unmet]) {
    match &considered.verdict {
        Verdict::Wins => ("wins", &[]),
        Verdict::Later => ("matches too, but comes later in the order", &[]),
        Verdict::Fails(unmet) => ("does not match", unmet.as_slice()),
    }
}

fn name(route: &Route) -> String {
    match &route.name {
        Some(name) => format!("`{name}`"),
        None => format!("`{}`", route.id),
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
