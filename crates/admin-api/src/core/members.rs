//! Consumers in groups, from either side.
//!
//! Compat: what is listed are the members themselves, not the rows between; adding answers with
//! the owner and what was added; removing somebody who is no member is no fault.

use axum::Json;
use axum::response::{IntoResponse, Response};
use entities::EntityKind;
use http::{Method, StatusCode};
use schema::Map;
use serde_json::{Value, json};
use store::{Batch, Operation, TagFilter};
use uuid::Uuid;

use super::call::Call;
use super::error::CoreError;
use super::query;
use super::table::Membership;
use super::target::inside_path;
use crate::entity::{EntityError, Listing, Parent, Unresolved};

/// Rows read at a time where all of them are needed.
const CHUNK: usize = 1000;

/// All members of an owner: list, add, remove all.
pub(super) async fn all(
    call: &Call<'_>,
    membership: &'static Membership,
    key: &str,
) -> Result<Response, CoreError> {
    let kind = call.kind(membership.owner)?;
    let owner = call
        .entities
        .parent(call.scope, kind, key, membership.owner_field)
        .await?;
    match *call.method {
        Method::GET => {
            list(
                call,
                membership,
                owner,
                &inside_path(kind, key, membership.path),
            )
            .await
        }
        Method::POST => add(call, membership, owner).await,
        Method::DELETE => {
            writable(call)?;
            let rows = rows(call, membership, owner).await?;
            remove(call, membership, rows.iter().filter_map(id).collect()).await
        }
        _ => Err(CoreError::MethodNotAllowed("GET, HEAD, POST, DELETE")),
    }
}

/// One member of an owner: remove.
pub(super) async fn one(
    call: &Call<'_>,
    membership: &'static Membership,
    key: &str,
    member: &str,
) -> Result<Response, CoreError> {
    let (owners, members) = (call.kind(membership.owner)?, call.kind(membership.member)?);
    let (entities, scope) = (call.entities, call.scope);
    let owner = entities
        .parent(scope, owners, key, membership.owner_field)
        .await?;
    if *call.method != Method::DELETE {
        return Err(CoreError::MethodNotAllowed("DELETE"));
    }
    writable(call)?;
    let member = entities
        .parent(scope, members, member, membership.member_field)
        .await;
    let member = match member {
        Ok(member) => member,
        Err(EntityError::NotFound) => return Ok(StatusCode::NO_CONTENT.into_response()),
        Err(other) => return Err(other.into()),
    };
    let rows = rows(call, membership, owner).await?;
    let is_meant = |row: &&Map| reference(row, membership.member_field) == Some(member.id);
    remove(
        call,
        membership,
        rows.iter().filter(is_meant).filter_map(id).collect(),
    )
    .await
}

/// A group as it is read alone: with its consumers and plugins around it.
///
/// Compat: `list_consumers=false` leaves the consumers out.
pub(super) async fn group(call: &Call<'_>, group: Map) -> Result<Response, CoreError> {
    let Some(id) = id(&group) else {
        return Err(CoreError::NotFound);
    };
    let parent = Parent {
        field: "consumer_group",
        id,
    };
    let plugins = everything(call, call.kind("plugins")?, parent).await?;
    let mut body = json!({"consumer_group": group, "plugins": plugins});
    if call.parameter("list_consumers").as_deref() != Some("false") {
        let membership = &super::table::MEMBERSHIPS[0];
        let rows = rows(call, membership, parent).await?;
        body["consumers"] = json!(members(call, membership, &rows).await?);
    }
    Ok(Json(body).into_response())
}

async fn list(
    call: &Call<'_>,
    membership: &'static Membership,
    owner: Parent,
    path: &str,
) -> Result<Response, CoreError> {
    let between = call.kind(membership.between)?;
    let wanted = query::read(call.kind(membership.member)?, call.query)?;
    let listing = Listing {
        size: wanted.size,
        after: wanted.after,
        parent: Some(owner),
        ..Listing::default()
    };
    let page = call.entities.list(call.scope, between, &listing).await?;
    let mut found = members(call, membership, &page.rows).await?;
    if let Some(tags) = &wanted.tags {
        found.retain(|member| has_tags(member, tags));
    }
    let mut answer = json!({"data": found});
    query::add_links(&mut answer, path, call.query, page.next);
    Ok(Json(answer).into_response())
}

async fn add(
    call: &Call<'_>,
    membership: &'static Membership,
    owner: Parent,
) -> Result<Response, CoreError> {
    let body = call.object()?;
    let key = match body.get(membership.body) {
        Some(Value::String(key)) => key.clone(),
        None | Some(Value::Null) => return Err(fault(membership, "required field missing")),
        Some(_) => return Err(fault(membership, "expected a string")),
    };
    let kind = call.kind(membership.member)?;
    let (entities, scope) = (call.entities, call.scope);
    let member = match entities.get(scope, kind, &key, None).await {
        Ok(member) => member,
        Err(EntityError::NotFound) => {
            let unresolved = Unresolved {
                field: membership.body,
                kind: kind.name,
                key: kind.endpoint_key.unwrap_or("id"),
                name: key,
            };
            return Err(EntityError::Unresolved(vec![unresolved]).into());
        }
        Err(other) => return Err(other.into()),
    };
    let mut row = Map::new();
    row.insert(membership.owner_field.to_owned(), json!({"id": owner.id}));
    row.insert(
        membership.member_field.to_owned(),
        json!({"id": id(&member)}),
    );
    let between = call.kind(membership.between)?;
    entities.create(scope, between, row, None).await?;
    let owners = call.kind(membership.owner)?;
    let shown = entities
        .get(scope, owners, &owner.id.to_string(), None)
        .await?;
    let mut answer = Map::new();
    answer.insert(membership.owner_field.to_owned(), json!(shown));
    answer.insert(membership.path.to_owned(), json!([member]));
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

async fn remove(
    call: &Call<'_>,
    membership: &'static Membership,
    rows: Vec<Uuid>,
) -> Result<Response, CoreError> {
    let kind = call.kind(membership.between)?.name;
    let operations: Vec<_> = rows
        .into_iter()
        .map(|id| Operation::Delete { kind, id })
        .collect();
    if !operations.is_empty() {
        let batch = Batch {
            control_plane: call.scope.control_plane,
            actor: call.scope.actor.clone(),
            operations,
        };
        let applied = call.entities.store()?.apply(batch).await;
        match applied.map_err(EntityError::from) {
            // Somebody else was faster.
            Ok(_) | Err(EntityError::NotFound) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The rows between an owner and all its members.
async fn rows(
    call: &Call<'_>,
    membership: &'static Membership,
    owner: Parent,
) -> Result<Vec<Map>, CoreError> {
    everything(call, call.kind(membership.between)?, owner).await
}

/// Every entity of a kind inside a parent.
pub(super) async fn everything(
    call: &Call<'_>,
    kind: &EntityKind,
    parent: Parent,
) -> Result<Vec<Map>, CoreError> {
    let mut found = Vec::new();
    let mut listing = Listing {
        size: CHUNK,
        parent: Some(parent),
        ..Listing::default()
    };
    loop {
        let page = call.entities.list(call.scope, kind, &listing).await?;
        found.extend(page.rows);
        listing.after = page.next;
        if listing.after.is_none() {
            return Ok(found);
        }
    }
}

/// The members that rows refer to; one that went meanwhile is left out.
async fn members(
    call: &Call<'_>,
    membership: &'static Membership,
    rows: &[Map],
) -> Result<Vec<Map>, CoreError> {
    let kind = call.kind(membership.member)?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(id) = reference(row, membership.member_field) else {
            continue;
        };
        let member = call
            .entities
            .get(call.scope, kind, &id.to_string(), None)
            .await;
        match member {
            Ok(member) => found.push(member),
            Err(EntityError::NotFound) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Ok(found)
}

fn writable(call: &Call<'_>) -> Result<(), CoreError> {
    match call.scope.read_only {
        None => Ok(()),
        Some(reason) => Err(CoreError::Entity(EntityError::ReadOnly(reason))),
    }
}

fn has_tags(row: &Map, wanted: &TagFilter) -> bool {
    let tags: Vec<&str> = row
        .get("tags")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    match wanted {
        TagFilter::All(list) => list.iter().all(|tag| tags.contains(&tag.as_str())),
        TagFilter::Any(list) => list.iter().any(|tag| tags.contains(&tag.as_str())),
    }
}

fn fault(membership: &Membership, message: &str) -> CoreError {
    CoreError::Query {
        name: membership.body.to_owned(),
        message: message.to_owned(),
    }
}

fn reference(row: &Map, field: &str) -> Option<Uuid> {
    Uuid::try_parse(row.get(field)?.get("id")?.as_str()?).ok()
}

fn id(row: &Map) -> Option<Uuid> {
    Uuid::try_parse(row.get("id")?.as_str()?).ok()
}
