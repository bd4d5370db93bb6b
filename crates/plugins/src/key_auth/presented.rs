//! Finding the key that a request shows, and taking it out.
//!
//! Compat: for each name, header before query before body; the first place that has the name
//! decides, also with an empty value; several values under one name are refused.

use std::borrow::Cow;

use bytes::Bytes;
use plugin_api::{Exchange, query_pairs};
use serde_json::{Map, Value};

use super::schema::Config;

/// What a request shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Presented {
    /// Several values under one name.
    Duplicate,
    /// Nothing, or an empty value.
    Nothing,
    /// A key.
    Key(Bytes),
}

/// Finds the key; takes it out of the request if the configuration says so.
pub(super) fn present(config: &Config, exchange: &mut Exchange<'_>) -> Presented {
    let body = config.key_in_body.then(|| Body::parse(exchange)).flatten();
    for name in &config.key_names {
        let Some(found) = find(config, name, exchange, body.as_ref()) else {
            continue;
        };
        let Found::One(key) = found else {
            return Presented::Duplicate;
        };
        if config.hide_credentials {
            hide(name, exchange, body);
        }
        if key.is_empty() {
            return Presented::Nothing;
        }
        return Presented::Key(key);
    }
    Presented::Nothing
}

enum Found {
    One(Bytes),
    Several,
}

fn find(
    config: &Config,
    name: &str,
    exchange: &Exchange<'_>,
    body: Option<&Body>,
) -> Option<Found> {
    if config.key_in_header {
        let values = exchange.header_values(name).map(Cow::Borrowed);
        if let Some(found) = single(values) {
            return Some(found);
        }
    }
    if config.key_in_query && !exchange.query().is_empty() {
        // A parameter without a value is no text, hence no key.
        if let Some(found) = single(exchange.query_values(name).flatten()) {
            return Some(found);
        }
    }
    body.and_then(|body| body.find(name))
}

fn single<'v>(mut values: impl Iterator<Item = Cow<'v, [u8]>>) -> Option<Found> {
    let first = values.next()?;
    Some(match values.next() {
        Some(_) => Found::Several,
        None => Found::One(Bytes::from(first.into_owned())),
    })
}

/// Takes the name out of header, query and body alike.
fn hide(name: &str, exchange: &mut Exchange<'_>, body: Option<Body>) {
    let owned = Bytes::copy_from_slice(name.as_bytes());
    if exchange.header(name).is_some() {
        exchange.request.headers.remove(owned);
    }
    if exchange.query_values(name).next().is_some() {
        let kept: Vec<&[u8]> = exchange
            .query()
            .split(|byte| *byte == b'&')
            .filter(|pair| query_pairs(pair).all(|(key, _)| key.as_ref() != name.as_bytes()))
            .collect();
        exchange.request.query = Some(Bytes::from(kept.join(&b'&')));
    }
    if let Some(changed) = body.and_then(|body| body.without(name, exchange.body)) {
        exchange.request.body = Some(changed);
    }
}

/// A body in one of the forms that are understood.
enum Body {
    Form(Vec<(Vec<u8>, Option<Vec<u8>>)>),
    Json(Map<String, Value>),
}

impl Body {
    /// `None` for an unreadable body: it then shows no key.
    fn parse(exchange: &Exchange<'_>) -> Option<Self> {
        let bytes = exchange.body?;
        let content_type = exchange.header("content-type")?;
        if content_type.starts_with(b"application/x-www-form-urlencoded") {
            let pairs = query_pairs(bytes)
                .map(|(name, value)| (name.into_owned(), value.map(Cow::into_owned)))
                .collect();
            return Some(Self::Form(pairs));
        }
        if content_type.starts_with(b"application/json") {
            return serde_json::from_slice(bytes).ok().map(Self::Json);
        }
        None
    }

    fn find(&self, name: &str) -> Option<Found> {
        match self {
            Self::Form(pairs) => single(
                pairs
                    .iter()
                    .filter(|(key, _)| key == name.as_bytes())
                    .filter_map(|(_, value)| value.as_deref().map(Cow::Borrowed)),
            ),
            Self::Json(members) => match members.get(name)? {
                Value::String(key) => Some(Found::One(Bytes::copy_from_slice(key.as_bytes()))),
                Value::Array(_) | Value::Object(_) => Some(Found::Several),
                _ => None,
            },
        }
    }

    /// The body without a name, unless it does not have it.
    fn without(self, name: &str, raw: Option<&[u8]>) -> Option<Bytes> {
        match self {
            Self::Form(pairs) => {
                let has_name = pairs.iter().any(|(key, _)| key == name.as_bytes());
                let raw = raw.filter(|_| has_name)?;
                let kept: Vec<&[u8]> = raw
                    .split(|byte| *byte == b'&')
                    .filter(|pair| {
                        query_pairs(pair).all(|(key, _)| key.as_ref() != name.as_bytes())
                    })
                    .collect();
                Some(Bytes::from(kept.join(&b'&')))
            }
            Self::Json(mut members) => {
                members.shift_remove(name)?;
                Some(Bytes::from(Value::Object(members).to_string()))
            }
        }
    }
}
