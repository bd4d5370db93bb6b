//! Partials and the plugins that use them.

use std::collections::HashMap;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::Method;
use schema::Map;
use serde_json::{Value, json};

use super::call::Call;
use super::error::CoreError;
use super::query;
use crate::entity::EntityError;

/// The plugins that take members of their configuration from a partial.
///
/// Compat: `{data: [{id, name, instance_name}], count, next}`.
pub(super) async fn list(call: &Call<'_>, key: &str) -> Result<Response, CoreError> {
    if *call.method != Method::GET {
        return Err(CoreError::MethodNotAllowed("GET, HEAD"));
    }
    let (entities, scope) = (call.entities, call.scope);
    let partial = entities
        .get(scope, call.kind("partials")?, key, None)
        .await?;
    let listing = query::read(call.kind("plugins")?, call.query)?;
    let place = (listing.size, listing.after);
    let users = entities.users_page(scope, &partial, place).await?;
    let mut answer = json!({"data": users.page, "count": users.count});
    query::add_links(
        &mut answer,
        &format!("/partials/{key}/links"),
        call.query,
        users.next,
    );
    Ok(Json(answer).into_response())
}

/// Works the partials that a plugin names into its configuration; it still names them.
pub(super) async fn expand(call: &Call<'_>, plugin: &mut Map) -> Result<(), CoreError> {
    let Some(named) = plugin.get("partials").cloned() else {
        return Ok(());
    };
    let kind = call.kind("partials")?;
    let mut found = HashMap::new();
    for item in named.as_array().into_iter().flatten() {
        let Some(id) = item.get("id").and_then(Value::as_str) else {
            continue;
        };
        match call.entities.get(call.scope, kind, id, None).await {
            Ok(partial) => drop(found.insert(id.to_owned(), partial)),
            Err(EntityError::NotFound) => {}
            Err(other) => return Err(other.into()),
        }
    }
    let catalogue = call.entities.catalogue();
    catalogue.with_partials(plugin, |id| found.get(id));
    plugin.insert("partials".to_owned(), named);
    Ok(())
}
