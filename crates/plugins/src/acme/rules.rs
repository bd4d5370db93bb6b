//! What storage may be named.

use schema::{Check, CustomCheck};
use serde_json::Value;

use crate::records::memory::is_known;

/// Beginnings of keys that the plugin keeps for itself.
const RESERVED: [&str; 3] = [
    "kong_acme:renew_config:",
    "kong_acme:renew_last_run",
    "kong_acme:cert_key:",
];

/// Refuses a namespace that would collide with the plugin's own keys.
pub(super) fn free_namespace(value: &Value) -> Result<(), String> {
    let namespace = value.as_str().unwrap_or_default();
    match RESERVED
        .into_iter()
        .find(|word| namespace.starts_with(word))
    {
        Some(word) => Err(format!(
            "namespace can't be prefixed with reserved word: {word}"
        )),
        None => Ok(()),
    }
}

/// Published for clients that read schema documents. Whether a kind of storage fits depends on
/// the node, which decides it when it takes the configuration.
pub(super) fn storage_fits_deployment() -> Check {
    Check::Custom(CustomCheck {
        name: "storage fits the deployment",
        fields: &["config.storage"],
        published: &["config.storage"],
        run_with_missing_fields: false,
        run_with_invalid_fields: false,
        run: |_| Ok(()),
    })
}

/// Refuses a memory that nodes do not have.
pub(super) fn shared_memory(value: &Value) -> Result<(), String> {
    let name = value.as_str().unwrap_or_default();
    if is_known(name) {
        return Ok(());
    }
    Err(format!("missing shared dict '{name}'"))
}
