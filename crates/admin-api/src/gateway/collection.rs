//! Collections: lists and creation.

use entities::EntityKind;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::Reply;
use super::fault::Fault;
use super::path::escaped;
use super::place::Inside;
use super::query::{Argument, link, page, token_of};
use super::serve::Call;
use super::{certificates, rows, targets};
use crate::entity::{Condition, Listing, Test};

/// Answers for a collection.
pub(super) async fn serve(
    mut call: Call<'_>,
    kind: &EntityKind,
    inside: Option<Inside<'_>>,
) -> Result<Reply, Fault> {
    if *call.method == Method::GET {
        return match &inside {
            Some(inside) if kind.name == "targets" => targets::list(&call, inside).await,
            None if kind.name == "consumers" && call.query.last("custom_id").is_some() => {
                by_custom_id(&call, kind).await
            }
            _ => list(&call, kind, inside.as_ref()).await,
        };
    }
    let parent = rows::optional_parent(&call, inside.as_ref()).await?;
    let body = rows::body(&mut call, kind, None)?;
    if body.get("id") == Some(&Value::Null) {
        return Err(Fault::null_id());
    }
    let deed = rows::deed(kind, "create", None);
    let created = if kind.name == "certificates" {
        certificates::create(&call, kind, body).await?
    } else {
        let entities = &call.api.entities;
        let written = entities.create(call.scope, kind, body, parent).await;
        rows::written(kind, written.map_err(|error| Fault::of(error, deed))?)
    };
    Ok(Reply::json(StatusCode::CREATED, created))
}

/// Compat: below a parent tags are checked, but the list is not filtered by them.
async fn list(
    call: &Call<'_>,
    kind: &EntityKind,
    inside: Option<&Inside<'_>>,
) -> Result<Reply, Fault> {
    let parent = rows::optional_parent(call, inside).await?;
    let size = call.query.size()?;
    let tags = call.query.tags()?;
    let after = match call.query.offset()? {
        None => None,
        Some(key) => match key.first().and_then(|id| Uuid::try_parse(id).ok()) {
            // Compat: a token of something else is the end.
            None => return Ok(page(json!([]), None)),
            after => after,
        },
    };
    let listing = Listing {
        size,
        after,
        tags: tags.filter(|_| parent.is_none()),
        parent,
        conditions: Vec::new(),
    };
    let found = call.api.entities.list(call.scope, kind, &listing).await;
    let found = found.map_err(Fault::reading)?;
    let data = rows::all_shown(call, kind, found.rows).await?;
    let (path, repeat) = match inside {
        None => (format!("/{}", kind.path), Some(&call.query)),
        Some(inside) => (path_inside(inside), None),
    };
    let link = found.next.map(|id| link(&path, token_of(id), repeat));
    Ok(page(Value::Array(data), link))
}

/// The path of a collection inside an entity.
pub(super) fn path_inside(inside: &Inside<'_>) -> String {
    let Inside {
        kind, key, segment, ..
    } = inside;
    format!("/{}/{}/{segment}", kind.path, escaped(key))
}

/// Compat: `/consumers?custom_id=…` is a list of one or none.
async fn by_custom_id(call: &Call<'_>, kind: &EntityKind) -> Result<Reply, Fault> {
    let id = match call.query.all("custom_id").as_slice() {
        [Argument::Text(id)] if !id.is_empty() => id.clone(),
        _ => return Err(Fault::bad_request("custom_id must be an unempty string")),
    };
    let listing = Listing {
        size: 1,
        conditions: vec![Condition {
            field: "custom_id".to_owned(),
            test: Test::Equals,
            value: id,
        }],
        ..Listing::default()
    };
    let found = call.api.entities.list(call.scope, kind, &listing).await;
    let rows = found.map_err(Fault::reading)?.rows;
    Ok(page(json!(rows), None))
}
