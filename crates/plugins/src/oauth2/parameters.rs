//! What a request says, in its query and its body.
//!
//! Compat: the body outranks the query; a parameter that is no text counts as absent.

use std::collections::HashMap;

use bytes::Bytes;
use plugin_api::{Exchange, query_pairs};
use serde_json::{Map, Value};

/// The parameters of a request.
#[derive(Default)]
pub(super) struct Parameters(HashMap<String, String>);

/// The kinds of bodies that carry parameters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Form,
    Json,
}

fn kind(exchange: &Exchange<'_>) -> Option<Kind> {
    let value = exchange.header("content-type")?.to_ascii_lowercase();
    let value = value.split(|byte| *byte == b';').next()?.trim_ascii();
    match value {
        b"application/x-www-form-urlencoded" => Some(Kind::Form),
        b"application/json" => Some(Kind::Json),
        _ => None,
    }
}

impl Parameters {
    /// Reads query and body.
    pub(super) fn of(exchange: &Exchange<'_>) -> Self {
        let mut found = Self::default();
        found.read_pairs(exchange.query());
        let body = exchange.body.unwrap_or_default();
        match kind(exchange) {
            Some(Kind::Form) => found.read_pairs(body),
            Some(Kind::Json) => {
                let members: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
                for (name, value) in members {
                    if let Value::String(text) = value {
                        found.0.insert(name, text);
                    }
                }
            }
            None => {}
        }
        found
    }

    /// Of a name given twice neither counts.
    fn read_pairs(&mut self, text: &[u8]) {
        let mut seen: HashMap<String, Option<String>> = HashMap::new();
        for (name, value) in query_pairs(text) {
            let name = String::from_utf8_lossy(&name).into_owned();
            let value = value.map(|value| String::from_utf8_lossy(&value).into_owned());
            seen.entry(name)
                .and_modify(|earlier| *earlier = None)
                .or_insert(value);
        }
        for (name, value) in seen {
            match value {
                Some(value) => self.0.insert(name, value),
                None => self.0.remove(&name),
            };
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// Takes a parameter out of query and form.
pub(super) fn hide(exchange: &mut Exchange<'_>, name: &str) {
    if let Some(query) = without(exchange.query(), name) {
        exchange.request.query = Some(query);
    }
    let body = exchange.body.unwrap_or_default();
    match kind(exchange) {
        Some(Kind::Form) => {
            if let Some(body) = without(body, name) {
                exchange.request.body = Some(body);
            }
        }
        Some(Kind::Json) => {
            let members = serde_json::from_slice::<Map<String, Value>>(body);
            if let Ok(mut members) = members
                && members.shift_remove(name).is_some()
            {
                exchange.request.body = Some(Value::Object(members).to_string().into());
            }
        }
        None => {}
    }
}

/// The text without a parameter, if it had it.
fn without(text: &[u8], name: &str) -> Option<Bytes> {
    let is_named = |part: &&[u8]| {
        let mut pairs = query_pairs(part);
        pairs
            .next()
            .is_some_and(|(key, _)| key.as_ref() == name.as_bytes())
    };
    let parts: Vec<&[u8]> = text.split(|byte| *byte == b'&').collect();
    let kept: Vec<&[u8]> = parts
        .iter()
        .copied()
        .filter(|part| !is_named(part))
        .collect();
    (kept.len() < parts.len()).then(|| kept.join(&b"&"[..]).into())
}
