//! Whether a plugin and the routes it runs for have a protocol in common.
//!
//! Needs other entities than the plugin, so whoever has them asks here.

use schema::Map;
use serde_json::Value;

/// What is wrong with the protocols of a plugin, as a message about its `protocols`.
///
/// `route` is the route it is limited to, `of_service` the routes of the service it is limited
/// to, if it is limited to a service only. A plugin without protocols, and a service without
/// routes, match everything.
#[must_use]
pub fn protocols_fault(
    plugin: &Map,
    route: Option<&Map>,
    of_service: &[&Map],
) -> Option<&'static str> {
    let protocols = plugin.get("protocols").and_then(Value::as_array)?;
    let meets = |route: &Map| match route.get("protocols").and_then(Value::as_array) {
        Some(list) => list.iter().any(|protocol| protocols.contains(protocol)),
        None => true,
    };
    match route {
        Some(route) if !meets(route) => Some("must match the associated route's protocols"),
        Some(_) => None,
        None if !of_service.is_empty() && !of_service.iter().any(|route| meets(route)) => {
            Some("must match the protocols of at least one route pointing to this Plugin's service")
        }
        None => None,
    }
}
