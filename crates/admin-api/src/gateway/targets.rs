//! Targets of an upstream, whose lists differ from all others.
//!
//! Compat: the newest comes first, and pages go by position.

use serde_json::{Value, json};
use store::{ListQuery, Order};

use super::answer::Reply;
use super::collection::path_inside;
use super::fault::Fault;
use super::place::Inside;
use super::query::{Argument, DEFAULT_SIZE, link, page, token_of};
use super::serve::Call;
use super::{arguments, rows};
use crate::entity::Listing;

/// Rows of a page at most.
const MAX_SIZE: usize = 1000;

/// The targets of an upstream, newest first.
///
/// Compat: neither `size` nor `tags` is checked, and `size=0` is a page without rows.
pub(super) async fn list(call: &Call<'_>, inside: &Inside<'_>) -> Result<Reply, Fault> {
    let parent = rows::parent(call, inside).await?;
    let size = call.query.text("size").and_then(arguments::number);
    let size = size.and_then(|size| usize::try_from(size.as_u64()?).ok());
    let size = size.unwrap_or(DEFAULT_SIZE).min(MAX_SIZE);
    let skip = match call.query.last("offset") {
        None => 0,
        Some(Argument::Text(text)) => text
            .parse::<usize>()
            .map_err(|_| Fault::offset(text, "expected a number"))?,
        Some(Argument::Bare | Argument::Binary) => {
            return Err(Fault::offset("", "expected a number"));
        }
    };
    let query = ListQuery {
        size: size.max(1),
        skip,
        parent: Some((parent.field.to_owned(), parent.id)),
        order: Order::Newest,
        ..ListQuery::default()
    };
    let entities = &call.api.entities;
    let found = entities
        .source()
        .list(call.scope.control_plane, "targets", query);
    let mut found = found.await.map_err(Fault::reading)?;
    let has_more = found.next.is_some() || (size == 0 && !found.rows.is_empty());
    found.rows.truncate(size);
    let next = skip.saturating_add(size).to_string();
    let link = has_more.then(|| link(&path_inside(inside), next, None));
    Ok(page(json!(found.rows), link))
}

/// The targets of an upstream in the order of their ids.
pub(super) async fn all(call: Call<'_>, upstream: &str) -> Result<Reply, Fault> {
    let catalogue = call.api.entities.catalogue();
    let kinds = (catalogue.kind("upstreams"), catalogue.kind("targets"));
    let (Some(upstreams), Some(targets)) = kinds else {
        return Err(Fault::not_found());
    };
    let inside = Inside {
        kind: upstreams,
        key: upstream.to_owned(),
        field: "upstream",
        segment: "targets/all",
    };
    let parent = rows::parent(&call, &inside).await?;
    let after = call.query.offset()?;
    let listing = Listing {
        size: call.query.size()?,
        after: after.and_then(|key| key.first()?.parse().ok()),
        parent: Some(parent),
        ..Listing::default()
    };
    let found = call.api.entities.list(call.scope, targets, &listing).await;
    let found = found.map_err(Fault::reading)?;
    let path = path_inside(&inside);
    let link = found.next.map(|id| link(&path, token_of(id), None));
    let data = found.rows.into_iter().map(Value::Object).collect();
    Ok(page(data, link))
}
