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

/// Whether a row of a table can be sent to such a node as it is.
#[must_use]
pub fn is_for_open_source(table: &str, row: &Map<String, Value>) -> bool {
    is_known(table, row) && !(table == "upstreams" && is_sticky(row))
}

/// Whether such a node has anything like a row.
pub(super) fn is_known(table: &str, row: &Map<String, Value>) -> bool {
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

/// Upstreams with sticky sessions take turns there.
pub(super) fn unstick(row: &mut Map<String, Value>) -> Option<Change> {
    for field in STICKY_FIELDS {
        row.shift_remove(field);
    }
    if !is_sticky(row) {
        return None;
    }
    row.insert(ALGORITHM.to_owned(), Value::from("round-robin"));
    Some(Change {
        since: Version::new(3, 11, 0),
        ..change("upstreams", row, ALGORITHM)
    })
}

/// The member that says how an upstream picks.
const ALGORITHM: &str = "algorithm";

/// Members of upstreams that belong to sticky sessions.
const STICKY_FIELDS: [&str; 2] = ["sticky_sessions_cookie", "sticky_sessions_cookie_path"];

fn is_sticky(row: &Map<String, Value>) -> bool {
    STICKY_FIELDS.iter().any(|field| row.contains_key(*field))
        || row.get(ALGORITHM).and_then(Value::as_str) == Some("sticky-sessions")
}
