//! Warnings about what was accepted and will not do what was meant: routes that can never match,
//! patterns that a node refuses or that may take another kind of node very long, plugins that no
//! node of this program runs.
//!
//! Compat: bodies of the copied APIs stay as they are; single writes tell warnings in the header
//! `X-Gatehouse-Warning`. Plans and imports list them.

mod layer;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};

use entities::{Catalogue, Packed, Route};
use router::{CompileError, Flavor, PatternRisk, RouteInput, Router, pattern_risk};
use schema::Map;
use serde_json::{Value, json};
use store::Tables;

pub(crate) use layer::{Ground, tell};

/// One warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Warning {
    /// What it is, for machines.
    pub(crate) code: &'static str,
    /// Plural name of the kind that it is about.
    pub(crate) kind: &'static str,
    /// The id of the entity.
    pub(crate) id: String,
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
            "kind": self.kind,
            "id": self.id,
            "name": self.name,
            "field": self.field,
            "message": self.message,
            "by": self.by,
        })
    }
}

/// Warnings about a whole configuration: a list of `{"code", "kind", "id", "name", "field",
/// "message", "by"}`.
#[must_use]
pub fn warnings_of(tables: &BTreeMap<String, Vec<Map>>, catalogue: &Catalogue) -> Value {
    let rows = |kind: &str| tables.get(kind).into_iter().flatten().cloned();
    let (services, routes) = (rows("services"), rows("routes"));
    Value::Array(of_rows(
        (services, routes, rows("plugins")),
        catalogue,
        None,
    ))
}

/// Warnings about a whole configuration, those of managed rows only if told so.
pub(crate) fn of_tables(
    tables: &Tables,
    catalogue: &Catalogue,
    managed: Option<&HashSet<(&'static str, String)>>,
) -> Vec<Value> {
    let rows = |kind: &str| tables.get(kind).into_iter().flatten().map(Packed::open);
    let (services, routes) = (rows("services"), rows("routes"));
    of_rows((services, routes, rows("plugins")), catalogue, managed)
}

/// Of services, routes and plugins.
fn of_rows<R: Iterator<Item = Map>>(
    (services, routes, plugins): (R, R, R),
    catalogue: &Catalogue,
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
        managed.is_none_or(|managed| managed.contains(&(warning.kind, warning.id.clone())))
    };
    let plugins = plugins.filter_map(|row| of_plugin(&row, catalogue));
    let found = of_routes(&routes, Flavor::TraditionalCompatible);
    let found = found.into_iter().chain(plugins).filter(is_managed);
    found.map(|warning| warning.body()).collect()
}

/// What there is to say about a plugin that is switched on.
pub(crate) fn of_plugin(row: &Map, catalogue: &Catalogue) -> Option<Warning> {
    let text = |member: &str| row.get(member).and_then(Value::as_str);
    let name = text("name")?;
    let is_off = row.get("enabled") == Some(&Value::Bool(false));
    if is_off || catalogue.plugins().is_runnable(name) {
        return None;
    }
    let message = format!(
        "no node of this program runs `{name}`: requests that it applies to are answered with 503, \
         and a control plane that uses it does not send its configuration to such nodes"
    );
    Some(Warning {
        code: "plugin_not_run",
        kind: "plugins",
        id: text("id")?.to_owned(),
        name: Some(name.to_owned()),
        field: None,
        message,
        by: None,
    })
}

/// Warnings about routes that run beside each other.
pub(crate) fn of_routes(routes: &[Route], flavor: Flavor) -> Vec<Warning> {
    let mut found: Vec<Warning> = routes.iter().flat_map(patterns).collect();
    let inputs = |without: &HashSet<usize>| -> Vec<(usize, &Route)> {
        let all = routes.iter().enumerate();
        all.filter(|(at, _)| !without.contains(at)).collect()
    };
    let mut used = inputs(&HashSet::new());
    let mut compiled = compile(&used, flavor);
    if let Err(faults) = &compiled {
        // What cannot be compiled was told already, or is the validation's to tell.
        used = inputs(&faults.iter().map(|fault| fault.route).collect());
        compiled = compile(&used, flavor);
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
            kind: "routes",
            id: route.id.to_string(),
            name: route.name.clone(),
            field: None,
            message,
            by: Some(by.id.to_string()),
        });
    }
    found
}

fn compile(routes: &[(usize, &Route)], flavor: Flavor) -> Result<Router, Vec<CompileError>> {
    let inputs: Vec<_> = routes
        .iter()
        .map(|(_, route)| RouteInput { route })
        .collect();
    Router::compile(&inputs, flavor)
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
            kind: "routes",
            id: route.id.to_string(),
            name: route.name.clone(),
            field: Some(field),
            message,
            by: None,
        })
    });
    told.collect()
}
