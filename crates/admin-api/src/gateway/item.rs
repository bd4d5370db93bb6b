//! One entity: reading, replacing, changing, removing.

use entities::EntityKind;
use http::Method;
use schema::Map;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::Reply;
use super::fault::{self, Fault};
use super::place::Inside;
use super::serve::Call;
use super::{acls, certificates, groups, rows};
use crate::entity::{EntityError, Parent, keys};

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
    let parent = match &inside {
        Some(inside) if kind.name == "acls" => Some(acls::owner(&call, inside).await?),
        inside => rows::optional_parent(&call, inside.as_ref()).await?,
    };
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
    if kind.name == "consumer_groups" && parent.is_none() {
        return groups::read(call, kind, row).await;
    }
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
        let body = rows::body(&mut call, kind, None)?;
        return Ok(Reply::ok(
            certificates::replace(&call, kind, key, body).await?,
        ));
    }
    let stored = rows::find(&call, kind, key, parent).await?;
    if kind.name == "targets" && stored.is_none() {
        return Err(Fault::not_found());
    }
    let body = rows::body(&mut call, kind, None)?;
    let deed = rows::deed(kind, "create or update", Some(key));
    let entities = &call.api.entities;
    let written = entities.upsert(call.scope, kind, key, body, parent).await;
    let written = written.map_err(|error| Fault::of(error, deed))?;
    Ok(Reply::ok(rows::written(kind, written)))
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
    let mut body = rows::body(&mut call, kind, Some(&stored))?;
    odd_patches(kind, parent, &stored, &mut body)?;
    if kind.name == "certificates" {
        return Ok(Reply::ok(
            certificates::change(&call, kind, stored, body).await?,
        ));
    }
    let deed = rows::deed(kind, "update", Some(key));
    let entities = &call.api.entities;
    let written = entities.update(call.scope, kind, key, body, parent).await;
    let written = written.map_err(|error| match error {
        EntityError::NotFound => missing(),
        other => Fault::of(other, deed),
    });
    Ok(Reply::ok(rows::written(kind, written?)))
}

/// Compat: what two kinds do differently in a change.
fn odd_patches(
    kind: &EntityKind,
    parent: Option<Parent>,
    stored: &Map,
    body: &mut Map,
) -> Result<(), Fault> {
    match (kind.name, parent) {
        ("targets", _) if body.get("weight") == Some(&Value::Null) => {
            let id = keys::id(stored).ok_or_else(Fault::not_found)?;
            Err(fault::primary_key_taken(id))
        }
        // A new password needs to be told its owner, which a nested path says.
        ("basicauth_credentials", Some(parent)) if body.contains_key("password") => {
            let owner = json!({"id": parent.id});
            body.entry(parent.field).or_insert(owner);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Compat: at the top, removing what is not there is no fault.
async fn remove(
    call: &Call<'_>,
    kind: &EntityKind,
    key: &str,
    parent: Option<Parent>,
) -> Result<Reply, Fault> {
    let row = rows::find(call, kind, key, parent).await?;
    let id = row.as_ref().and_then(keys::id);
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
