//! Changing the body of a request: JSON, forms and bodies of several parts.
//!
//! Compat: a body that is no JSON object, or of another kind, stays as it is; of an empty JSON
//! body only additions are made.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::fields::Fields;
use super::multipart;
use super::settings::Resolved;
use crate::records::changes::append;

/// The kinds of bodies that are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Form,
    Json,
    Multipart,
}

impl Kind {
    /// The kind that a `Content-Type` names.
    pub(super) fn of(content_type: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(content_type).to_ascii_lowercase();
        [
            ("application/json", Self::Json),
            ("application/x-www-form-urlencoded", Self::Form),
            ("multipart/form-data", Self::Multipart),
        ]
        .into_iter()
        .find_map(|(name, kind)| text.contains(name).then_some(kind))
    }
}

/// The body with the changes made, if there are any.
pub(super) fn transform(body: &[u8], content_type: &[u8], plan: &Resolved<'_>) -> Option<Bytes> {
    match Kind::of(content_type)? {
        Kind::Form => {
            let mut fields = Fields::parse(body);
            fields.apply(plan);
            Some(fields.write())
        }
        Kind::Json => json(body, plan),
        Kind::Multipart => multipart::transform(body, content_type, plan),
    }
}

fn json(body: &[u8], plan: &Resolved<'_>) -> Option<Bytes> {
    let mut members = match body {
        [] => Map::new(),
        body => serde_json::from_slice(body).ok()?,
    };
    let mut is_changed = false;
    for name in &plan.plan.remove {
        is_changed |= members.shift_remove(text(name).as_ref()).is_some();
    }
    for (old, new) in &plan.plan.rename {
        if let Some(value) = members.shift_remove(text(old).as_ref()) {
            members.insert(text(new).into_owned(), value);
            is_changed |= old != new;
        }
    }
    for (name, value) in &plan.replace {
        if let Some(member) = members.get_mut(text(name).as_ref()) {
            let new = Value::from(text(value));
            is_changed |= *member != new;
            *member = new;
        }
    }
    for (name, value) in &plan.add {
        let name = text(name);
        if !members.contains_key(name.as_ref()) {
            members.insert(name.into_owned(), Value::from(text(value)));
            is_changed = true;
        }
    }
    for (name, value) in &plan.append {
        let member = members.entry(text(name)).or_insert(Value::Null);
        append(member, Value::from(text(value)));
        is_changed = true;
    }
    is_changed.then(|| Bytes::from(Value::Object(members).to_string()))
}

fn text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
