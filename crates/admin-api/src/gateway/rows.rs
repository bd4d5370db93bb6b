//! Finding rows by what a path says, and what a row looks like in an answer.

use entities::EntityKind;
use schema::{Map, Mode, Schema, Violation};
use serde_json::Value;
use uuid::Uuid;

use super::certificates;
use super::fault::{Deed, Fault};
use super::place::Inside;
use super::serve::Call;
use crate::entity::{Parent, Source, Written, keys};

/// Compat: the longest time to live, in seconds.
const LONGEST_TTL: f64 = 100_000_000.0;

/// The row that a path names; `None` when there is none (inside the parent).
///
/// Compat: a text that is no id is the other key; a kind without one refuses it. Certificates go
/// by their server names.
pub(super) async fn find(
    call: &Call<'_>,
    kind: &EntityKind,
    key: &str,
    parent: Option<Parent>,
) -> Result<Option<Map>, Fault> {
    let key = match (Uuid::try_parse(key), kind.endpoint_key) {
        (Err(_), None) if kind.name == "certificates" => {
            let id = certificates::of_sni(call, key).await?;
            id.ok_or_else(certificates::no_sni)?.to_string()
        }
        (Err(_), None) => return Err(Fault::primary_key()),
        (Err(_), Some(name)) if keys::is_unique_alone(kind, name) => {
            check_key(kind, name, key)?;
            key.to_owned()
        }
        _ => key.to_owned(),
    };
    let row = call.api.entities.find(call.scope, kind, &key, parent).await;
    row.map_err(Fault::reading)
}

/// Compat: code 10 for another key that no entity could have.
pub(super) fn check_key(kind: &EntityKind, name: &'static str, key: &str) -> Result<(), Fault> {
    let Some(field) = kind.schema.find(name) else {
        return Ok(());
    };
    let schema = Schema::record([field.clone()]);
    let mut body = Map::new();
    body.insert(name.to_owned(), Value::from(key));
    let nothing = Map::new();
    let mode = Mode::Update { stored: &nothing };
    let Err(violations) = schema.process(&mut body, mode) else {
        return Ok(());
    };
    match violations.get(name) {
        Some(Violation::Text(message)) => Err(Fault::unique(name, message)),
        _ => Ok(()),
    }
}

/// The entity a path goes through.
pub(super) async fn parent(call: &Call<'_>, inside: &Inside<'_>) -> Result<Parent, Fault> {
    let row = find(call, inside.kind, &inside.key, None).await?;
    let id = row.as_ref().and_then(keys::id);
    let id = id.ok_or_else(Fault::not_found)?;
    let field = inside.field;
    Ok(Parent { field, id })
}

/// [`parent`] of a path that may go through none.
pub(super) async fn optional_parent(
    call: &Call<'_>,
    inside: Option<&Inside<'_>>,
) -> Result<Option<Parent>, Fault> {
    match inside {
        None => Ok(None),
        Some(inside) => Ok(Some(parent(call, inside).await?)),
    }
}

/// A row as an answer shows it.
pub(super) async fn shown(call: &Call<'_>, kind: &EntityKind, row: Map) -> Result<Value, Fault> {
    let shown = all_shown(call, kind, vec![row]).await?.pop();
    shown.ok_or_else(Fault::not_found)
}

/// Rows as a list shows them.
pub(super) async fn all_shown(
    call: &Call<'_>,
    kind: &EntityKind,
    mut rows: Vec<Map>,
) -> Result<Vec<Value>, Fault> {
    let is_stored = matches!(call.api.entities.source(), Source::Store(_));
    for row in &mut rows {
        call.api.entities.catalogue().expose(kind.name, row);
        // Compat: a node without a database does not say it.
        if is_stored {
            say_ttl(kind, row);
        }
    }
    if kind.name == "certificates" {
        certificates::add_snis_to_all(call, &mut rows).await?;
    }
    Ok(rows.into_iter().map(Value::Object).collect())
}

/// What a write left behind as an answer shows it.
pub(super) fn written(kind: &EntityKind, written: Written) -> Value {
    let mut row = written.body;
    say_ttl(kind, &mut row);
    Value::Object(row)
}

/// Compat: a row that never ends says so.
fn say_ttl(kind: &EntityKind, row: &mut Map) {
    if kind.has_ttl && !row.contains_key("ttl") {
        row.insert("ttl".to_owned(), Value::Null);
    }
}

/// The members of a request's body, forms read by the description of the kind (of the plugin).
///
/// Compat: a time to live is looked at before the rest of the body, as an option.
pub(super) fn body(
    call: &mut Call<'_>,
    kind: &EntityKind,
    stored: Option<&Map>,
) -> Result<Map, Fault> {
    let arguments = std::mem::take(&mut call.arguments);
    let catalogue = call.api.entities.catalogue();
    let schema: &Schema = if kind.name == "plugins" {
        let name = arguments
            .get("name")
            .or_else(|| stored.and_then(|row| row.get("name")));
        let name = name.and_then(Value::as_str);
        let own = name.and_then(|name| catalogue.plugin_schema(name));
        own.unwrap_or(&kind.schema)
    } else {
        &kind.schema
    };
    let body = arguments.read_as(schema, kind.has_ttl);
    let ttl = body.get("ttl").filter(|_| kind.has_ttl);
    let is_good = |ttl: f64| ttl.fract() == 0.0 && (0.0..=LONGEST_TTL).contains(&ttl);
    if ttl.and_then(Value::as_f64).is_some_and(|ttl| !is_good(ttl)) {
        let message = "must be an integer between 0 and 100000000";
        return Err(Fault::option("ttl", message));
    }
    Ok(body)
}

/// What is being done, for errors that say so.
pub(super) fn deed<'a>(kind: &'a EntityKind, verb: &'static str, key: Option<&str>) -> Deed<'a> {
    let by = key
        .filter(|key| Uuid::try_parse(key).is_err() && kind.name != "targets")
        .and(kind.endpoint_key);
    Deed {
        kind: kind.name,
        verb,
        by,
    }
}
