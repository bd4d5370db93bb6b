//! What the path pattern of a route captured, for templates.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use plugin_api::{Exchange, RouteInfo};
use regex::bytes::Regex;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::template::Value;

/// Path patterns by route, compiled when a route first meets a template that asks for captures.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    by_route: RwLock<HashMap<Uuid, Arc<[Regex]>>>,
}

impl Patterns {
    /// The capture of that name or number.
    pub(super) fn capture(&self, exchange: &Exchange<'_>, name: &Value) -> Value {
        let Some(route) = exchange.route else {
            return Value::Nil;
        };
        let patterns = self.of(route);
        let found = patterns
            .iter()
            .find_map(|pattern| pattern.captures(exchange.path));
        let Some(found) = found else {
            return Value::Nil;
        };
        let capture = match name {
            Value::Text(name) => std::str::from_utf8(name)
                .ok()
                .and_then(|name| found.name(name)),
            Value::Number(number) => format!("{number:.0}")
                .parse()
                .ok()
                .and_then(|number| found.get(number)),
            Value::Nil | Value::Bool(_) => None,
        };
        capture.map_or(Value::Nil, |capture| Value::text(capture.as_bytes()))
    }

    fn of(&self, route: &RouteInfo) -> Arc<[Regex]> {
        if let Some(patterns) = self.by_route.read().get(&route.id) {
            return Arc::clone(patterns);
        }
        let patterns: Arc<[Regex]> = compile(route).into();
        self.by_route
            .write()
            .insert(route.id, Arc::clone(&patterns));
        patterns
    }
}

/// The patterns of a route, in its order, anchored as the router anchors them.
fn compile(route: &RouteInfo) -> Vec<Regex> {
    let document: Json = serde_json::from_slice(&route.document).unwrap_or_default();
    let paths = document.get("paths").and_then(Json::as_array);
    let patterns = paths.into_iter().flatten().filter_map(|path| {
        let pattern = path.as_str()?.strip_prefix('~')?;
        Regex::new(&format!("^{pattern}")).ok()
    });
    patterns.collect()
}
