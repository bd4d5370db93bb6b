//! Partials and the plugins that use them.
//!
//! Compat: the reference's community edition has no partials; the form is that which its clients
//! read from the commercial one.

use serde_json::json;

use super::answer::{Content, Reply};
use super::fault::Fault;
use super::path::escaped;
use super::query::{Query, link, page, token_of};
use super::rows;
use super::serve::Call;

/// The plugins that take members of their configuration from a partial.
pub(super) async fn list(call: Call<'_>, key: &str) -> Result<Reply, Fault> {
    let entities = &call.api.entities;
    let kind = entities.catalogue().kind("partials");
    let kind = kind.ok_or_else(Fault::not_found)?;
    let partial = rows::find(&call, kind, key, None).await?;
    let partial = partial.ok_or_else(Fault::not_found)?;
    let after = call.query.offset()?;
    let after = after.and_then(|key| key.first()?.parse().ok());
    let place = (call.query.size()?, after);
    let users = entities.users_page(call.scope, &partial, place).await;
    let users = users.map_err(Fault::reading)?;
    let path = format!("/partials/{}/links", escaped(key));
    let next = users
        .next
        .map(|id| link(&path, token_of(id), None::<&Query>));
    let mut reply = page(json!(users.page), next);
    if let Content::Json(body) = &mut reply.body {
        body["count"] = json!(users.count);
    }
    Ok(reply)
}
