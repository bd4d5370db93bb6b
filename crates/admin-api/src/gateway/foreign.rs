//! The entity that another one refers to: `/routes/{route}/service`.

use entities::EntityKind;
use http::Method;
use schema::Map;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::Reply;
use super::fault::Fault;
use super::serve::Call;
use super::{certificates, rows};
use crate::entity::keys;

/// Answers for the entity that `field` of an entity refers to.
pub(super) async fn serve(
    mut call: Call<'_>,
    (kind, key): (&EntityKind, &str),
    field: &'static str,
    target: &EntityKind,
) -> Result<Reply, Fault> {
    let row = rows::find(&call, kind, key, None).await?;
    let row = row.ok_or_else(Fault::not_found)?;
    let id = row.get(field).and_then(|reference| reference.get("id"));
    let id = id
        .and_then(Value::as_str)
        .and_then(|id| Uuid::try_parse(id).ok());
    if id.is_none() && *call.method == Method::PUT {
        let body = rows::body(&mut call, target, None)?;
        return adopt(&call, (kind, row), field, (target, body)).await;
    }
    let id = id.ok_or_else(Fault::not_found)?.to_string();
    let entities = call.api.entities.clone();
    let stored = rows::find(&call, target, &id, None).await?;
    match *call.method {
        Method::GET => {
            let mut row = stored.ok_or_else(Fault::not_found)?;
            entities.catalogue().expose(target.name, &mut row);
            // Compat: server names are not looked up on this path.
            if target.name == "certificates" {
                row.insert("snis".to_owned(), Value::Null);
            }
            Ok(Reply::ok(row))
        }
        Method::PUT => {
            let body = rows::body(&mut call, target, stored.as_ref())?;
            if target.name == "certificates" {
                return Ok(Reply::ok(
                    certificates::replace(&call, target, &id, body).await?,
                ));
            }
            let deed = rows::deed(target, "create or update", None);
            let written = entities.upsert(call.scope, target, &id, body, None).await;
            let written = written.map_err(|error| Fault::of(error, deed))?;
            Ok(Reply::ok(rows::written(target, written)))
        }
        Method::PATCH => {
            let stored = stored.ok_or_else(Fault::not_found)?;
            let body = rows::body(&mut call, target, Some(&stored))?;
            if target.name == "certificates" {
                let changed = certificates::change(&call, target, stored, body).await?;
                return Ok(Reply::ok(changed));
            }
            let deed = rows::deed(target, "update", None);
            let written = entities.update(call.scope, target, &id, body, None).await;
            let written = written.map_err(|error| Fault::of(error, deed))?;
            Ok(Reply::ok(rows::written(target, written)))
        }
        _ => Err(Fault::not_allowed()),
    }
}

/// Creates what an entity did not refer to so far, and refers to it, in one step.
async fn adopt(
    call: &Call<'_>,
    (kind, row): (&EntityKind, Map),
    field: &'static str,
    (target, mut body): (&EntityKind, Map),
) -> Result<Reply, Fault> {
    let entities = &call.api.entities;
    let deed = rows::deed(target, "create or update", None);
    let fault = |error| Fault::of(error, deed);
    crate::entity::writable(call.scope).map_err(fault)?;
    body.remove("snis");
    let born = entities.draft_create(call.scope, target, body, None).await;
    let mut born = born.map_err(fault)?;
    let reference = keys::id(&born.body).map(|id| json!({"id": id}));
    let mut change = Map::new();
    change.insert(field.to_owned(), json!(reference));
    let changed = entities.draft_update(call.scope, kind, row, change).await;
    let operations = vec![born.operation, changed.map_err(fault)?.operation];
    entities
        .commit(call.scope, operations)
        .await
        .map_err(fault)?;
    entities.catalogue().expose(target.name, &mut born.body);
    Ok(Reply::ok(born.body))
}
