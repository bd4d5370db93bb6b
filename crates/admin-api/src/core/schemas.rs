//! Descriptions of plugins in the form in which the gateway itself gives them.

use entities::Catalogue;
use serde_json::{Map, Value, json};

/// The description of a plugin row whose `config` is that plugin's; `None` when there is no such
/// plugin.
///
/// Compat: a list of one-member objects in the order of the reference, `config` last.
pub(super) fn plugin_form(catalogue: &Catalogue, name: &str) -> Option<Value> {
    let plugins = catalogue.plugins();
    let mut config = Map::new();
    config.insert("type".to_owned(), json!("record"));
    config.insert("required".to_owned(), json!(true));
    if let Value::Object(form) = plugins.schema(name)?.admin_form() {
        config.extend(form);
    }
    let foreign = |reference: &str| json!({"type": "foreign", "reference": reference});
    let protocols = json!({
        "type": "set",
        "required": true,
        "default": plugins.default_protocols(name),
        "elements": {"type": "string", "one_of": plugins.protocols(name)},
    });
    Some(json!({
        "fields": [
            {"service": foreign("services")},
            {"route": foreign("routes")},
            {"consumer": foreign("consumers")},
            {"protocols": protocols},
            {"config": config},
        ],
    }))
}
