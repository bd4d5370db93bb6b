//! Small helpers for reading typed members.

use schema::{DecodeError, Reader};
use serde_json::Value;
use uuid::Uuid;

use crate::protocol::Protocol;

/// The primary key.
pub(crate) fn id(read: &Reader<'_>) -> Result<Uuid, DecodeError> {
    uuid(read, "id")?.ok_or_else(|| read.error("id", "a UUID"))
}

/// A UUID, if there.
pub(crate) fn uuid(read: &Reader<'_>, field: &'static str) -> Result<Option<Uuid>, DecodeError> {
    let Some(text) = read.text(field)? else {
        return Ok(None);
    };
    Uuid::parse_str(&text)
        .map(Some)
        .map_err(|_| read.error(field, "a UUID"))
}

/// The id of a foreign key, if there.
pub(crate) fn foreign(read: &Reader<'_>, field: &'static str) -> Result<Option<Uuid>, DecodeError> {
    let Some(text) = read.foreign(field)? else {
        return Ok(None);
    };
    Uuid::parse_str(text)
        .map(Some)
        .map_err(|_| read.error(field, "a reference with a UUID"))
}

/// The id of a foreign key that must be there.
pub(crate) fn required_foreign(
    read: &Reader<'_>,
    field: &'static str,
) -> Result<Uuid, DecodeError> {
    foreign(read, field)?.ok_or_else(|| read.error(field, "a reference"))
}

/// A list of UUIDs.
pub(crate) fn ids(read: &Reader<'_>, field: &'static str) -> Result<Vec<Uuid>, DecodeError> {
    read.list(field)?
        .iter()
        .map(|item| item.as_str().and_then(|text| Uuid::parse_str(text).ok()))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| read.error(field, "an array of UUIDs"))
}

/// A protocol, if there.
pub(crate) fn protocol(
    read: &Reader<'_>,
    field: &'static str,
) -> Result<Option<Protocol>, DecodeError> {
    let Some(text) = read.text(field)? else {
        return Ok(None);
    };
    text.parse()
        .map(Some)
        .map_err(|_| read.error(field, "a protocol"))
}

/// A list of protocols, if there.
pub(crate) fn protocols(
    read: &Reader<'_>,
    field: &'static str,
) -> Result<Option<Vec<Protocol>>, DecodeError> {
    if read.value(field).is_none() {
        return Ok(None);
    }
    read.texts(field)?
        .iter()
        .map(|text| text.parse().ok())
        .collect::<Option<Vec<_>>>()
        .map(Some)
        .ok_or_else(|| read.error(field, "an array of protocols"))
}

/// A map from names to lists of texts, in the order of the document.
pub(crate) fn text_lists(
    read: &Reader<'_>,
    field: &'static str,
) -> Result<Vec<(String, Vec<String>)>, DecodeError> {
    let Some(members) = read.members(field)? else {
        return Ok(Vec::new());
    };
    members
        .iter()
        .map(|(name, values)| {
            let values = match values {
                Value::Array(items) => items
                    .iter()
                    .map(|item| item.as_str().map(str::to_owned))
                    .collect::<Option<Vec<_>>>(),
                Value::Object(members) if members.is_empty() => Some(Vec::new()),
                _ => None,
            };
            let values = values.ok_or_else(|| read.error(field, "a map of string arrays"))?;
            Ok((name.clone(), values))
        })
        .collect()
}
