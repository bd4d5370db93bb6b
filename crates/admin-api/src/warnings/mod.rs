//! Warnings about what was accepted and will not do what was meant: routes that can never match,
//! patterns that a node refuses or that may take another kind of node very long.
//!
//! Compat: bodies of the copied APIs stay as they are; single writes tell warnings in the header
//! `X-Gatehouse-Warning`. Plans and imports list them.

mod layer;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};

use entities::{Packed, Route};
use router::{CompileError, Flavor, PatternRisk, RouteInput, Router, pattern_risk};
use schema::Map;
use serde_json::{Value, json};
use store::Tables;

pub(crate) use layer::tell;

/// One warning about a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Warning {
    /// What it is, for machines.
    pub(crate) code: &'static str,
    /// The route.
    pub(crate) route: String,
    pub(crate) name: Option<String>,
    /// The field, where it is about one.
    pub(crate) field: Option<String>,
    pub(crate) message: String,
    /// The route that takes the requests of this one.
    pub(crate) by: Option<String>,
}

impl Warning {
    pub(crate) fn body(&self) -> Value {
        json!({
            "code": self.code,
            "kind": "routes",
            "id": self.route,
            "name": self.name,
            "field": self.field,
            "message": self.message,
            "by": self.by,
        })
    }
}

/// Warnings about the routes of a whole configuration: a list of `{"code", "kind", "id", "name",
/// "field", "message", "by"}`.
#[must_use]
pub fn warnings_of(tables: &BTreeMap<String, Vec<Map>>) -> Value {
    let rows = |kind: &str| tables.get(kind).into_iter().flatten().cloned();
    Value::Array(of_rows(rows("services"), rows("routes"), None))
}

/// Warnings about a whole configuration, those of managed rows only if told so.
pub(crate) fn of_tables(
    tables: &Tables,
    managed: Option<&HashSet<(&'static str, String)>>,
) -> Vec<Value> {
    let rows = |kind: &str| tables.get(kind).into_iter().flatten().map(Packed::open);
    of_rows(rows("services"), rows("routes"), managed)
}

fn of_rows(
    services: impl Iterator<Item = Map>,
    routes: impl Iterator<Item = Map>,
    managed: Option<&HashSet<(&'static str, String)>>,
) -> Vec<Value> {
    let is_off = |row: &Map| row.get("enabled") == Some(&Value::Bool(false));
    let off = services.filter(is_off);
    let off: HashSet<String> = off
        .filter_map(|row| Some(row.get("id")?.as_str()?.to_owned()))
        .collect();
    let runs = |row: &Map| {
        let service = row.get("service").and_then(|key| key.get("id")?.as_str());
        service.is_none_or(|id| !off.contains(id))
    };
    let routes: Vec<Route> = routes
        .filter(runs)
        .filter_map(|row| Route::try_from(&row).ok())
        .collect();
    let is_managed = |warning: &Warning| {
        managed.is_none_or(|managed| managed.contains(&("routes", warning.route.clone())))
    };
    let found = of_routes(&routes).into_iter().filter(is_managed);
    found.map(|warning| warning.body()).collect()
}

/// Warnings about routes that run beside each other.
pub(crate) fn of_routes(routes: &[Route]) -> Vec<Warning> {
    let mut found: Vec<Warning> = routes.iter().flat_map(patterns).collect();
    let inputs = |without: &HashSet<usize>| -> Vec<(usize, &Route)> {
        let all = routes.iter().enumerate();
        all.filter(|(at, _)| !without.contains(at)).collect()
    };
    let mut used = inputs(&HashSet::new());
    let mut compiled = compile(&used);
    if let Err(faults) = &compiled {
        // What cannot be compiled was told already, or is the validation's to tell.
        used = inputs(&faults.iter().map(|fault| fault.route).collect());
        compiled = compile(&used);
    }
    let Ok(router) = compiled else {
        return found;
    };
    for shadow in router.shadows() {
        let (Some((_, route)), Some((_, by))) = (used.get(shadow.route), used.get(shadow.by))
        else {
            continue;
        };
        let message = format!(
            "no request reaches this route: `{}` goes before it and takes all of them",
            called(by)
        );
        found.push(Warning {
            code: "route_never_matches",
            route: route.id.to_string(),
            name: route.name.clone(),
            field: None,
            message,
            by: Some(by.id.to_string()),
        });
    }
    found
}

fn compile(routes: &[(usize, &Route)]) -> Result<Router, Vec<CompileError>> {
    let inputs: Vec<_> = routes
        .iter()
        .map(|(_, route)| RouteInput { route })
        .collect();
    Router::compile(&inputs, Flavor::TraditionalCompatible)
}

fn called(route: &Route) -> String {
    route.name.clone().unwrap_or_else(|| route.id.to_string())
}

/// Warnings about the patterns of one route.
fn patterns(route: &Route) -> Vec<Warning> {
    let paths = route
        .paths
        .iter()
        .enumerate()
        .filter_map(|(position, path)| {
            let pattern = path.strip_prefix('~')?;
            Some((format!("paths[{position}]"), pattern))
        });
    let headers = route.headers.iter().filter_map(|(name, values)| {
        let pattern = match values.as_slice() {
            [only] => only.strip_prefix("~*")?,
            _ => return None,
        };
        Some((format!("headers.{name}"), pattern))
    });
    let told = paths.chain(headers).filter_map(|(field, pattern)| {
        let (code, message) = match pattern_risk(pattern)? {
            PatternRisk::NotAccepted(reason) => (
                "regex_not_accepted",
                format!("nodes refuse a configuration with this regular expression: {reason}"),
            ),
            PatternRisk::Backtracks(part) => (
                "regex_backtracks",
                format!(
                    "`{part}` repeats what repeats itself; a node whose engine backtracks may take \
                     very long for a request that does not match"
                ),
            ),
        };
        Some(Warning {
            code,
            route: route.id.to_string(),
            name: route.name.clone(),
            field: Some(field),
            message,
            by: None,
        })
    });
    told.collect()
}
