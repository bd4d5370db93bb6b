//! Which memory answers may be kept in.

use schema::{Check, CustomCheck, Failure, Map};
use serde_json::Value;

use crate::records::memory::is_known;

/// The memory must be one that the reference's nodes have, so that a configuration means the same
/// on all nodes.
pub(super) fn known_memory() -> Check {
    Check::Custom(CustomCheck {
        name: "known shared memory",
        fields: &["config"],
        published: &["config"],
        run_with_missing_fields: false,
        run_with_invalid_fields: false,
        run,
    })
}

fn run(plugin: &Map) -> Result<(), Failure> {
    let config = plugin.get("config");
    let memory = config.and_then(|config| config.get("memory"));
    let name = memory.and_then(|memory| memory.get("dictionary_name"));
    match name.and_then(Value::as_str) {
        Some(name) if !is_known(name) => {
            Err(Failure::entity(format!("missing shared dict '{name}'")))
        }
        _ => Ok(()),
    }
}
