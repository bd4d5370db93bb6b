//! What nodes of the reference's open-source line cannot take, whatever their version.
//!
//! Compat: such a node refuses a whole configuration for one table or member that it does not
//! know. Plugins of a consumer group are left out rather than run for everybody.

use serde_json::{Map, Value};

use super::{Action, Change};
use crate::version::Version;

/// Tables that the open-source line lacks.
const TABLES: [&str; 2] = ["consumer_groups", "consumer_group_consumers"];

/// Tables of ours that mean nothing to any node of the reference: secrets of config stores. They
/// are left out without a word; the vault that reads them is told of.
const OURS: [&str; 2] = ["config_stores", "config_store_secrets"];

/// The one kind of vault it has.
const VAULT: &str = "env";

/// The reference's commercial line that has groups; what is said to came with it.
const SINCE: Version = Version::new(3, 4, 0);

/// Whether a row of a table can be sent to such a node.
#[must_use]
pub fn is_for_open_source(table: &str, row: &Map<String, Value>) -> bool {
    !OURS.contains(&table) && unknown(table, row).is_none()
}

/// What is said about a row that is not sent.
pub(super) fn left_out(table: &str, row: &Map<String, Value>) -> Option<Change> {
    unknown(table, row).map(|field| change(table, row, field))
}

/// The field for which a row cannot be sent.
fn unknown(table: &str, row: &Map<String, Value>) -> Option<&'static str> {
    let text = |field: &str| row.get(field).and_then(Value::as_str);
    let is_set = |field: &str| row.get(field).is_some_and(|value| !value.is_null());
    match table {
        "plugins" if is_set("consumer_group") => Some("consumer_group"),
        "vaults" if text("name") != Some(VAULT) => Some("name"),
        _ if TABLES.contains(&table) => Some("id"),
        _ => None,
    }
}

fn change(table: &str, row: &Map<String, Value>, field: &str) -> Change {
    let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
    Change {
        table: table.to_owned(),
        id: text("id").unwrap_or_default(),
        plugin: (table == "plugins").then(|| text("name")).flatten(),
        field: field.to_owned(),
        since: SINCE,
        action: Action::Removed,
    }
}
