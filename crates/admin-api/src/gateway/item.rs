//! One entity: reading, replacing, changing, removing.

use entities::EntityKind;
use http::Method;
use serde_json::Value;
use uuid::Uuid;

use super::answer::Reply;
use super::fault::Fault;
use super::place::Inside;
use super::serve::Call;
use super::{acls, certificates, rows};
use crate::entity::{EntityError, Parent};

/// Answers for an entity.
pub(super) async fn serve(
    call: Call<'_>,
    kind: &EntityKind,
    key: &str,
    inside: Option<Inside<'_>>,
) -> Result<Reply, Fault> {
    if kind.name == "acls" && inside.is_some() && Uuid::try_parse(key).is_err() {
        return acls::by_group(call, kind, key, inside).await;
    }
    let parent = rows::optional_parent(&call, inside.as_ref()).await?;
    match *call.method {
        Method::GET => read(&call, kind, key, parent).await,
        Method::PUT => replace(call, kind, key, parent).await,
        Method::PATCH => change(call, kind, key, parent).await,
        _ => remove(&call, kind, key, parent).await,
    }
}

async fn read(
    call: &Call<'_>,
    kind: &EntityKind,
    key: &str,
    parent: Option<Parent>,
) -> Result<Reply, Fault> {
    let row = rows::find(call, kind, key, parent).await?;
    let row = row.ok_or_else(Fault::not_found)?;
    Ok(Reply::ok(rows::shown(call, kind, row).await?))
}

/// Compat: a target can only be replaced where the other kinds are created too.
async fn replace(
    mut call: Call<'_>,
    kind: &EntityKind,
    key: &str,
    parent: Option<Parent>,
) -> Result<Reply, Fault> {
    if kind.name == "certificates" {
        let body = rows::body(&mut call, kind, None);
        return Ok(Reply::ok(
            certificates::replace(&call, kind, key, body).await?,
        ));
    }
    if kind.endpoint_key.is_none() && Uuid::try_parse(key).is_err() {
        return Err(Fault::primary_key());
    }
    if kind.name == "targets" && rows::find(&call, kind, key, parent).await?.is_none() {
        return Err(Fault::not_found());
    }
    let body = rows::body(&mut call, kind, None);
    let deed = rows::deed(kind, "create or update", Some(key));
    let entities = &call.api.entities;
    let written = entities.upsert(call.scope, kind, key, body, parent).await;
    let body = written.map_err(|error| Fault::of(error, deed))?.body;
    Ok(Reply::ok(Value::Object(body)))
}

/// Compat: only a change at the top says in full what it could not find.
async fn change(
    mut call: Call<'_>,
    kind: &EntityKind,
    key: &str,
    parent: Option<Parent>,
) -> Result<Reply, Fault> {
    let missing = || match (parent, Uuid::try_parse(key), kind.endpoint_key) {
        (Some(_), _, _) => Fault::not_found(),
        (None, Err(_), Some(name)) => Fault::not_found_by(name, key),
        (None, _, _) => Fault::not_found_by("id", key),
    };
    let stored = rows::find(&call, kind, key, parent).await?;
    let stored = stored.ok_or_else(missing)?;
    let body = rows::body(&mut call, kind, Some(&stored));
    if kind.name == "certificates" {
        return Ok(Reply::ok(
            certificates::change(&call, kind, stored, body).await?,
        ));
    }
    let deed = rows::deed(kind, "update", Some(key));
    let entities = &call.api.entities;
    let written = entities.update(call.scope, kind, key, body, parent).await;
    let body = written.map_err(|error| match error {
        EntityError::NotFound => missing(),
        other => Fault::of(other, deed),
    });
    Ok(Reply::ok(Value::Object(body?.body)))
}

/// Compat: at the top, removing what is not there is no fault.
async fn remove(
    call: &Call<'_>,
    kind: &EntityKind,
    key: &str,
    parent: Option<Parent>,
) -> Result<Reply, Fault> {
    let row = rows::find(call, kind, key, parent).await?;
    let id = row.as_ref().and_then(crate::entity::keys::id);
    let Some(id) = id else {
        return match parent {
            Some(_) => Err(Fault::not_found()),
            None => Ok(Reply::no_content()),
        };
    };
    let deed = rows::deed(kind, "remove", Some(key));
    let entities = &call.api.entities;
    let id = id.to_string();
    let removed = entities.delete(call.scope, kind, &id, parent).await;
    removed.map_err(|error| Fault::of(error, deed))?;
    Ok(Reply::no_content())
}
