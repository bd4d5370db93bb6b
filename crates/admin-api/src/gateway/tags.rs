//! Tags and what has them.

use http::Method;
use schema::Violations;
use serde_json::json;
use store::TagRow;
use uuid::Uuid;

use super::answer::Reply;
use super::fault::Fault;
use super::path::escaped;
use super::query::{link, page, token};
use super::serve::Call;

/// Answers for all tags or one.
///
/// Compat: they are only read; the collection refuses others with a message of its own.
pub(super) async fn list(call: Call<'_>, tag: Option<String>) -> Result<Reply, Fault> {
    match (call.method, &tag) {
        (&Method::GET, _) => {}
        (&Method::POST, None) => {
            return Err(Fault::schema(&Violations::of(
                "tags",
                "does not support insert/upsert/update/delete operations",
            )));
        }
        _ => return Err(Fault::not_allowed()),
    }
    if let Some(tag) = &tag
        && !is_tag(tag)
    {
        return Err(Fault::unique(
            "tag",
            &format!(
                "invalid tag '{tag}': expected printable ascii (except `,` and `/`) or valid \
                 utf-8 sequences"
            ),
        ));
    }
    let size = call.query.size()?;
    let after = match call.query.offset()? {
        None => None,
        Some(key) => match row_of(&key) {
            None => return Ok(page(json!([]), None)),
            after => after,
        },
    };
    let path = tag.as_deref().map(escaped);
    let path = path.map_or_else(|| "/tags".to_owned(), |tag| format!("/tags/{tag}"));
    let entities = &call.api.entities;
    let found = entities.tags(call.scope, tag.clone(), after, size).await;
    let found = found.map_err(Fault::reading)?;
    let mut following = None;
    if let Some(last) = found.last().filter(|_| found.len() == size) {
        let more = entities.tags(call.scope, tag, Some(last.clone()), 1).await;
        if !more.map_err(Fault::reading)?.is_empty() {
            let key = token(&[&last.tag, &last.kind, &last.id.to_string()]);
            following = Some(link(&path, key, Some(&call.query)));
        }
    }
    let data: Vec<_> = found
        .iter()
        .map(|row| json!({"entity_name": row.kind, "entity_id": row.id, "tag": row.tag}))
        .collect();
    Ok(page(json!(data), following))
}

fn row_of(key: &[String]) -> Option<TagRow> {
    let [tag, kind, id] = key else {
        return None;
    };
    Some(TagRow {
        tag: tag.clone(),
        kind: kind.clone(),
        id: Uuid::try_parse(id).ok()?,
    })
}

fn is_tag(text: &str) -> bool {
    let is_bad = |char: char| char.is_control() || matches!(char, ',' | '/');
    !text.is_empty() && !text.chars().any(is_bad)
}
