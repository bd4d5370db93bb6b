//! Changing the members of a JSON body.
//!
//! Compat: only members at the top; a body that is no JSON object stays as it is.

use bytes::{Bytes, BytesMut};
use serde_json::{Map, Value};

use crate::records::changes::{Changes, append};

/// Largest body that is changed, in bytes; a larger one passes as it is.
pub(super) const BODY_MAX: usize = 8 * 1024 * 1024;

/// The body of an answer while it comes in.
#[derive(Debug, Default)]
pub(super) struct Collected {
    bytes: BytesMut,
    /// Whether it grew beyond the limit; it then passes as it is.
    is_too_large: bool,
}

impl Collected {
    /// Takes a piece. Gives what can be sent now.
    pub(super) fn take(&mut self, data: Bytes, is_last: bool, changes: &Changes<Value>) -> Bytes {
        if self.is_too_large {
            return data;
        }
        self.bytes.extend_from_slice(&data);
        if self.bytes.len() > BODY_MAX {
            self.is_too_large = true;
            return std::mem::take(&mut self.bytes).freeze();
        }
        if !is_last {
            return Bytes::new();
        }
        let body = std::mem::take(&mut self.bytes).freeze();
        transform(&body, changes).unwrap_or(body)
    }
}

fn transform(body: &[u8], changes: &Changes<Value>) -> Option<Bytes> {
    if body.is_empty() {
        return None;
    }
    let mut members: Map<String, Value> = serde_json::from_slice(body).ok()?;
    for name in &changes.remove {
        members.shift_remove(name);
    }
    for (old, new) in &changes.rename {
        if let Some(value) = members.shift_remove(old) {
            members.insert(new.clone(), value);
        }
    }
    for (name, value) in &changes.replace {
        if members.contains_key(name) {
            set(&mut members, name, value);
        }
    }
    for (name, value) in &changes.add {
        if !members.contains_key(name) {
            set(&mut members, name, value);
        }
    }
    for (name, value) in &changes.append {
        let member = members.entry(name.clone()).or_insert(Value::Null);
        append(member, value.clone());
    }
    serde_json::to_vec(&members).ok().map(Bytes::from)
}

fn set(members: &mut Map<String, Value>, name: &str, value: &Value) {
    if value.is_null() {
        members.shift_remove(name);
    } else {
        members.insert(name.to_owned(), value.clone());
    }
}
