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
use crate::entity::{EntityError, Listing};

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
    let kind = call.kind("plugins")?;
    let mut listing = query::read(kind, call.query)?;
    let (size, after) = (listing.size, listing.after);
    let mut found = Vec::new();
    listing = Listing {
        size: 1000,
        ..Listing::default()
    };
    loop {
        let page = entities.list(scope, kind, &listing).await?;
        found.extend(page.rows.into_iter().filter(|row| uses(row, &partial)));
        listing.after = page.next;
        if listing.after.is_none() {
            break;
        }
    }
    let count = found.len();
    let after = after.map(|id| id.to_string());
    let mut rest = found.iter().skip_while(|row| {
        after
            .as_deref()
            .is_some_and(|after| text(row, "id") <= Some(after))
    });
    let shown: Vec<_> = rest.by_ref().take(size).collect();
    let next = rest
        .next()
        .and_then(|_| shown.last())
        .and_then(|row| text(row, "id")?.parse().ok());
    let data: Vec<_> = shown.iter().map(|row| link(row)).collect();
    let mut answer = json!({"data": data, "count": count});
    query::add_links(
        &mut answer,
        &format!("/partials/{key}/links"),
        call.query,
        next,
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

fn uses(plugin: &Map, partial: &Map) -> bool {
    let used = plugin.get("partials").and_then(Value::as_array);
    used.into_iter()
        .flatten()
        .any(|one| one.get("id").is_some() && one.get("id") == partial.get("id"))
}

fn link(plugin: &Map) -> Value {
    json!({
        "id": plugin.get("id"),
        "name": plugin.get("name"),
        "instance_name": plugin.get("instance_name"),
    })
}

fn text<'r>(row: &'r Map, member: &str) -> Option<&'r str> {
    row.get(member)?.as_str()
}
