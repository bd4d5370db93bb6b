//! Groups of a consumer by their names: `/consumers/{consumer}/acls/{group}`.
//!
//! Compat: a name is taken where other kinds without another key take only ids, and what is
//! missing is answered in another form than elsewhere.

use entities::EntityKind;
use http::{Method, StatusCode};
use schema::Map;
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::Reply;
use super::fault::Fault;
use super::place::{Inside, Place};
use super::rows;
use super::serve::{Call, Meaning};
use crate::entity::{Condition, Listing, Parent, Test, keys};

/// Answers for the group of that name.
pub(super) async fn by_group(
    mut call: Call<'_>,
    kind: &EntityKind,
    group: &str,
    inside: Option<Inside<'_>>,
) -> Result<Reply, Fault> {
    let Some(inside) = inside else {
        return Err(Fault::primary_key());
    };
    let parent = owner(&call, &inside).await?;
    let stored = find(&call, kind, group, parent).await?;
    let entities = &call.api.entities.clone();
    if *call.method == Method::PUT {
        let mut body = rows::body(&mut call, kind, None)?;
        body.entry("group").or_insert_with(|| json!(group));
        let deed = rows::deed(kind, "create or update", None);
        let id = stored.as_ref().and_then(keys::id);
        let written = match id {
            Some(id) => {
                let id = id.to_string();
                entities
                    .upsert(call.scope, kind, &id, body, Some(parent))
                    .await
            }
            None => entities.create(call.scope, kind, body, Some(parent)).await,
        };
        return Ok(Reply::ok(
            written.map_err(|error| Fault::of(error, deed))?.body,
        ));
    }
    let stored = stored.ok_or_else(missing)?;
    let id = keys::id(&stored).ok_or_else(missing)?.to_string();
    match *call.method {
        Method::GET => Ok(Reply::ok(stored)),
        Method::PATCH => {
            let body = rows::body(&mut call, kind, Some(&stored))?;
            let deed = rows::deed(kind, "update", None);
            let written = entities
                .update(call.scope, kind, &id, body, Some(parent))
                .await;
            Ok(Reply::ok(
                written.map_err(|error| Fault::of(error, deed))?.body,
            ))
        }
        _ => {
            let deed = rows::deed(kind, "remove", None);
            let removed = entities.delete(call.scope, kind, &id, Some(parent)).await;
            removed.map_err(|error| Fault::of(error, deed))?;
            Ok(Reply::no_content())
        }
    }
}

/// Compat: `OPTIONS` of a group looks for the consumer and the group first.
pub(super) async fn options(call: &Call<'_>, meaning: &Meaning<'_>) -> Result<(), Fault> {
    let Meaning::Entities(Place::Item(kind, key, Some(inside))) = meaning else {
        return Ok(());
    };
    if kind.name != "acls" {
        return Ok(());
    }
    let parent = owner(call, inside).await?;
    if Uuid::try_parse(key).is_ok() {
        return Ok(());
    }
    let found = find(call, kind, key, parent).await?;
    found.map(|_| ()).ok_or_else(missing)
}

/// The consumer that a path goes through.
pub(super) async fn owner(call: &Call<'_>, inside: &Inside<'_>) -> Result<Parent, Fault> {
    let parent = rows::parent(call, inside).await;
    parent.map_err(|fault| match fault.status() {
        StatusCode::NOT_FOUND => missing(),
        _ => fault,
    })
}

async fn find(
    call: &Call<'_>,
    kind: &EntityKind,
    group: &str,
    parent: Parent,
) -> Result<Option<Map>, Fault> {
    let listing = Listing {
        size: 1,
        parent: Some(parent),
        conditions: vec![Condition {
            field: "group".to_owned(),
            test: Test::Equals,
            value: group.to_owned(),
        }],
        ..Listing::default()
    };
    let found = call.api.entities.list(call.scope, kind, &listing).await;
    Ok(found.map_err(Fault::reading)?.rows.into_iter().next())
}

/// Compat: with an id of the request, as the reference's web server answers.
fn missing() -> Fault {
    let id = clock::new_uuid().simple().to_string();
    let body: Value = json!({"message": "Not found", "request_id": id});
    Reply::json(StatusCode::NOT_FOUND, body).into()
}
