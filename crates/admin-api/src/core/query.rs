//! Query parameters of lists, and the links to the next page.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entities::EntityKind;
use serde_json::{Value, json};
use store::TagFilter;
use uuid::Uuid;

use super::call::Call;
use super::error::CoreError;
use crate::entity::{Condition, Listing, Test};

/// Compat: entities of a page when nothing is said, and at most.
const DEFAULT_SIZE: usize = 100;
const MAX_SIZE: usize = 1000;

/// What the query of a list asks for.
pub(super) fn read(kind: &EntityKind, query: Option<&str>) -> Result<Listing, CoreError> {
    let mut listing = Listing {
        size: DEFAULT_SIZE,
        ..Listing::default()
    };
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match name.as_ref() {
            "size" => listing.size = size(&value)?,
            "offset" => listing.after = Some(offset(&value)?),
            "tags" if value.is_empty() => {}
            "tags" => listing.tags = Some(tags(&value)?),
            "custom_id" if kind.schema.find("custom_id").is_some() => {
                listing
                    .conditions
                    .push(condition("custom_id", Test::Equals, &value));
            }
            other if other.starts_with("filter") => {
                let (field, test) = filter(kind, other)
                    .ok_or_else(|| fault(other, "this member or operator cannot be filtered by"))?;
                listing.conditions.push(condition(field, test, &value));
            }
            _ => {}
        }
    }
    Ok(listing)
}

/// Adds `offset` and `next` when there is another page.
///
/// Compat: `next` is a path below `core-entities`; the last page has no `offset`.
pub(super) fn add_links(answer: &mut Value, path: &str, query: Option<&str>, next: Option<Uuid>) {
    let Value::Object(members) = answer else {
        return;
    };
    let Some(next) = next else {
        members.insert("next".to_owned(), Value::Null);
        return;
    };
    let offset = URL_SAFE_NO_PAD.encode(next.as_bytes());
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if name != "offset" {
            pairs.append_pair(&name, &value);
        }
    }
    pairs.append_pair("offset", &offset);
    members.insert("offset".to_owned(), json!(offset));
    members.insert(
        "next".to_owned(),
        json!(format!("{path}?{}", pairs.finish())),
    );
}

fn size(text: &str) -> Result<usize, CoreError> {
    let size = text
        .parse()
        .ok()
        .filter(|size| (1..=MAX_SIZE).contains(size));
    size.ok_or_else(|| fault("size", "must be a whole number between 1 and 1000"))
}

/// How many items a page has, of the lists that ask with `page[size]`.
pub(super) fn page_size(call: &Call<'_>) -> Result<usize, CoreError> {
    let Some(text) = call.parameter("page[size]") else {
        return Ok(DEFAULT_SIZE);
    };
    let size = text
        .parse()
        .ok()
        .filter(|size| (1..=MAX_SIZE).contains(size));
    size.ok_or_else(|| fault("page[size]", "must be a whole number between 1 and 1000"))
}

fn offset(text: &str) -> Result<Uuid, CoreError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let id = bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok());
    id.ok_or_else(|| fault("offset", "must be the `offset` of the page before"))
}

/// Compat: `a,b` asks for rows with both, `a/b` for rows with either; mixing is refused.
fn tags(text: &str) -> Result<TagFilter, CoreError> {
    let split = |by| text.split(by).map(str::to_owned).collect::<Vec<_>>();
    let (all, any) = (split(','), split('/'));
    let filter = match (all.len(), any.len()) {
        (_, 1) => TagFilter::All(all),
        (1, _) => TagFilter::Any(any),
        _ => {
            return Err(fault(
                "tags",
                "`,` (all of them) and `/` (any of them) cannot be mixed",
            ));
        }
    };
    let (TagFilter::All(list) | TagFilter::Any(list)) = &filter;
    if list.iter().any(String::is_empty) {
        return Err(fault("tags", "a tag is empty"));
    }
    Ok(filter)
}

fn filter(kind: &EntityKind, name: &str) -> Option<(&'static str, Test)> {
    let inner = name.strip_prefix("filter[")?.strip_suffix(']')?;
    let (field, operator) = inner.split_once("][").unwrap_or((inner, "eq"));
    let field = ["name", "username", "custom_id"]
        .into_iter()
        .find(|known| *known == field)?;
    kind.schema.find(field)?;
    let test = match operator {
        "eq" => Test::Equals,
        "contains" => Test::Contains,
        _ => return None,
    };
    Some((field, test))
}

pub(super) fn condition(field: &str, test: Test, value: &str) -> Condition {
    Condition {
        field: field.to_owned(),
        test,
        value: value.to_owned(),
    }
}

fn fault(name: &str, message: &str) -> CoreError {
    CoreError::Query {
        name: name.to_owned(),
        message: message.to_owned(),
    }
}
