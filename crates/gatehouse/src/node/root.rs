//! `GET /`: what this node is.

use std::collections::BTreeMap;

use conf::{Database, Settings};
use gateway::node::{Handle, PRODUCT};
use plugin_api::{COMPATIBLE_VERSION, Definition};
use serde_json::{Value, json};

use super::configuration;

/// The body of `GET /`.
///
/// Compat: `version` is the line of the reference whose API this one is compatible with. Clients
/// enable features by it, so it is not our own version, which stands in `product`.
pub(super) fn body(node: &Handle) -> Value {
    let available: BTreeMap<&str, Value> = plugins(&node.settings)
        .map(|plugin| {
            let about = json!({"version": plugin.version, "priority": plugin.priority});
            (plugin.name, about)
        })
        .collect();
    let process = std::process::id();
    json!({
        "tagline": "Welcome to Gatehouse",
        "product": PRODUCT,
        "version": COMPATIBLE_VERSION,
        "edition": "community",
        "hostname": node.hostname,
        "node_id": node.node_id,
        "lua_version": "none",
        "pids": {"master": process, "workers": [process]},
        "timers": {"running": 0, "pending": 0},
        "plugins": {
            "available_on_server": available,
            "enabled_in_cluster": node.snapshot.load().plugin_names,
        },
        "configuration": configuration::body(&node.settings),
    })
}

/// The plugins that may be configured.
pub(super) fn plugins(settings: &Settings) -> impl Iterator<Item = &'static Definition> {
    let selection = &settings.plugins;
    plugins::DEFINITIONS.iter().copied().filter(|plugin| {
        selection.is_bundled || selection.names.iter().any(|chosen| chosen == plugin.name)
    })
}

/// The database as clients know it.
///
/// Compat: clients tell apart `off` and `postgres` only, and some refuse any other word; which
/// one it really is stands in `database_kind`.
pub(super) fn database(settings: &Settings) -> (&'static str, &'static str) {
    match settings.database {
        Database::Off => ("off", "off"),
        database => ("postgres", database.as_str()),
    }
}
