//! Consumers of a group and groups of a consumer: one membership seen from its two ends.
//!
//! Compat: the reference's community edition has no groups; the forms are those that its
//! clients read from the commercial one.

use entities::EntityKind;
use http::{Method, StatusCode};
use schema::Map;
use serde_json::{Value, json};
use store::Operation;
use uuid::Uuid;

use super::answer::Reply;
use super::fault::Fault;
use super::path::escaped;
use super::query::{Query, link, page, token_of};
use super::rows;
use super::serve::Call;
use crate::entity::{Entities, Listing, Parent, keys};

/// Plural name of memberships.
pub(super) const KIND: &str = "consumer_group_consumers";
/// Rows read at a time.
const PAGE: usize = 1000;

/// Which end of a membership a path names last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// `/consumer_groups/{group}/consumers`
    Consumers,
    /// `/consumers/{consumer}/consumer_groups`
    Groups,
}

impl Side {
    /// Plural names of the entity the path goes through, and of the members.
    const fn kinds(self) -> (&'static str, &'static str) {
        match self {
            Self::Consumers => ("consumer_groups", "consumers"),
            Self::Groups => ("consumers", "consumer_groups"),
        }
    }

    /// The fields of a membership that refer to them.
    const fn fields(self) -> (&'static str, &'static str) {
        match self {
            Self::Consumers => ("consumer_group", "consumer"),
            Self::Groups => ("consumer", "consumer_group"),
        }
    }

    /// The member of a body that names who joins.
    const fn member(self) -> &'static str {
        match self {
            Self::Consumers => "consumer",
            Self::Groups => "group",
        }
    }
}

/// The kinds around a membership and the entity that the path goes through.
struct Around<'c> {
    side: Side,
    membership: &'c EntityKind,
    owner_kind: &'c EntityKind,
    other_kind: &'c EntityKind,
    owner: Map,
    parent: Parent,
}

/// Answers for all members or one.
pub(super) async fn serve(
    call: Call<'_>,
    side: Side,
    key: &str,
    other: Option<String>,
) -> Result<Reply, Fault> {
    let entities = call.api.entities.clone();
    let around = around(&call, &entities, side, key).await?;
    match (call.method, other) {
        (&Method::GET, None) => list(&call, &around, key).await,
        (&Method::POST, None) => join(&call, &around).await,
        (_, None) => leave(&call, memberships(&call, &around).await?).await,
        (method, Some(other)) => {
            let row = rows::find(&call, around.other_kind, &other, None).await?;
            let id = row.as_ref().and_then(keys::id);
            let all = memberships(&call, &around).await?;
            let ends = |row: &Map| id.is_some() && end(row, around.side.fields().1) == id;
            let one: Vec<Map> = all.into_iter().filter(ends).collect();
            let Some(row) = row.filter(|_| !one.is_empty()) else {
                return Err(Fault::not_found());
            };
            if *method == Method::GET {
                let shown = rows::shown(&call, around.other_kind, row).await?;
                return Ok(Reply::ok(json!({ side.fields().1: shown })));
            }
            leave(&call, one).await
        }
    }
}

/// A group with its consumers and plugins.
pub(super) async fn read(call: &Call<'_>, kind: &EntityKind, row: Map) -> Result<Reply, Fault> {
    let entities = &call.api.entities;
    let id = keys::id(&row).ok_or_else(Fault::not_found)?;
    let mut answer = json!({"consumer_group": row});
    let Value::Object(members) = &mut answer else {
        return Err(Fault::not_found());
    };
    if call.query.text("list_consumers") != Some("false") {
        let key = id.to_string();
        let around = around(call, entities, Side::Consumers, &key).await?;
        let mut consumers = Vec::new();
        for row in memberships(call, &around).await? {
            consumers.extend(other_end(call, &around, &row).await?);
        }
        members.insert("consumers".to_owned(), Value::Array(consumers));
    }
    let plugins = entities.catalogue().kind("plugins");
    if let Some((plugins, field)) = plugins.and_then(|p| Some((p, p.field_to(kind.name)?))) {
        let listing = Listing {
            size: PAGE,
            parent: Some(Parent { field, id }),
            ..Listing::default()
        };
        let found = entities.list(call.scope, plugins, &listing).await;
        let rows = found.map_err(Fault::reading)?.rows;
        members.insert("plugins".to_owned(), json!(rows));
    }
    Ok(Reply::ok(answer))
}

async fn around<'c>(
    call: &Call<'_>,
    entities: &'c Entities,
    side: Side,
    key: &str,
) -> Result<Around<'c>, Fault> {
    let catalogue = entities.catalogue();
    let (owner, other) = side.kinds();
    let kinds = (
        catalogue.kind(KIND),
        catalogue.kind(owner),
        catalogue.kind(other),
    );
    let (Some(membership), Some(owner_kind), Some(other_kind)) = kinds else {
        return Err(Fault::not_found());
    };
    let owner = rows::find(call, owner_kind, key, None).await?;
    let owner = owner.ok_or_else(Fault::not_found)?;
    let id = keys::id(&owner).ok_or_else(Fault::not_found)?;
    let field = side.fields().0;
    Ok(Around {
        side,
        membership,
        owner_kind,
        other_kind,
        owner,
        parent: Parent { field, id },
    })
}

async fn list(call: &Call<'_>, around: &Around<'_>, key: &str) -> Result<Reply, Fault> {
    let after = call.query.offset()?;
    let listing = Listing {
        size: call.query.size()?,
        after: after.and_then(|key| key.first()?.parse().ok()),
        parent: Some(around.parent),
        ..Listing::default()
    };
    let entities = &call.api.entities;
    let found = entities.list(call.scope, around.membership, &listing).await;
    let found = found.map_err(Fault::reading)?;
    let mut data = Vec::with_capacity(found.rows.len());
    for row in &found.rows {
        data.extend(other_end(call, around, row).await?);
    }
    let (owner, other) = (around.owner_kind.path, around.other_kind.path);
    let path = format!("/{owner}/{}/{other}", escaped(key));
    let link = found
        .next
        .map(|id| link(&path, token_of(id), None::<&Query>));
    Ok(page(Value::Array(data), link))
}

async fn join(call: &Call<'_>, around: &Around<'_>) -> Result<Reply, Fault> {
    let side = around.side;
    let member = side.member();
    let named = match call.arguments.get(member) {
        Some(Value::String(name)) => vec![name.clone()],
        Some(Value::Array(names)) => {
            let text = |name: &Value| name.as_str().map(str::to_owned);
            names.iter().filter_map(text).collect()
        }
        _ => Vec::new(),
    };
    if named.is_empty() {
        let message = format!("must provide {member}");
        return Err(Fault::bad_request(&message));
    }
    let entities = &call.api.entities;
    let deed = rows::deed(around.membership, "create", None);
    crate::entity::writable(call.scope).map_err(|error| Fault::of(error, deed))?;
    let present = memberships(call, around).await?;
    let (mut operations, mut joined) = (Vec::new(), Vec::new());
    for name in named {
        let row = rows::find(call, around.other_kind, &name, None).await?;
        let id = row.as_ref().and_then(keys::id);
        let (Some(row), Some(id)) = (row, id) else {
            let message = format!("{member} '{name}' not found");
            return Err(Fault::message(StatusCode::NOT_FOUND, &message));
        };
        let is_in = |row: &Map| end(row, side.fields().1) == Some(id);
        if present.iter().any(is_in) {
            let message = format!("{member} '{name}' is a member already");
            return Err(Fault::message(StatusCode::CONFLICT, &message));
        }
        let mut body = Map::new();
        body.insert(side.fields().1.to_owned(), json!({"id": id}));
        let draft = entities
            .draft_create(call.scope, around.membership, body, Some(around.parent))
            .await;
        operations.push(draft.map_err(|error| Fault::of(error, deed))?.operation);
        joined.push(rows::shown(call, around.other_kind, row).await?);
    }
    let written = entities.commit(call.scope, operations).await;
    written.map_err(|error| Fault::of(error, deed))?;
    let owner = rows::shown(call, around.owner_kind, around.owner.clone()).await?;
    let body = json!({side.fields().0: owner, around.other_kind.name: joined});
    Ok(Reply::json(StatusCode::CREATED, body))
}

async fn leave(call: &Call<'_>, memberships: Vec<Map>) -> Result<Reply, Fault> {
    let entities = &call.api.entities;
    let kind = entities.catalogue().kind(KIND);
    let deed = rows::deed(kind.ok_or_else(Fault::not_found)?, "remove", None);
    crate::entity::writable(call.scope).map_err(|error| Fault::of(error, deed))?;
    let ids = memberships.iter().filter_map(keys::id);
    let operations: Vec<_> = ids.map(|id| Operation::Delete { kind: KIND, id }).collect();
    if !operations.is_empty() {
        let written = entities.commit(call.scope, operations).await;
        written.map_err(|error| Fault::of(error, deed))?;
    }
    Ok(Reply::no_content())
}

/// All memberships of an entity.
async fn memberships(call: &Call<'_>, around: &Around<'_>) -> Result<Vec<Map>, Fault> {
    let mut listing = Listing {
        size: PAGE,
        parent: Some(around.parent),
        ..Listing::default()
    };
    let mut all = Vec::new();
    loop {
        let entities = &call.api.entities;
        let found = entities.list(call.scope, around.membership, &listing).await;
        let found = found.map_err(Fault::reading)?;
        all.extend(found.rows);
        listing.after = found.next;
        if listing.after.is_none() {
            return Ok(all);
        }
    }
}

async fn other_end(
    call: &Call<'_>,
    around: &Around<'_>,
    row: &Map,
) -> Result<Option<Value>, Fault> {
    let Some(id) = end(row, around.side.fields().1) else {
        return Ok(None);
    };
    let key = id.to_string();
    match rows::find(call, around.other_kind, &key, None).await? {
        Some(row) => Ok(Some(rows::shown(call, around.other_kind, row).await?)),
        None => Ok(None),
    }
}

fn end(row: &Map, field: &str) -> Option<Uuid> {
    Uuid::try_parse(row.get(field)?.get("id")?.as_str()?).ok()
}
