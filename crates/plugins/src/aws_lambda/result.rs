//! What becomes of the function's result.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use plugin_api::{Reply, ReplyBody};
use serde_json::{Map, Value};

use super::schema::Config;
use crate::outcall::{Answer, is_passed_on, reply};

/// The answer to the client.
pub(super) fn answer(config: &Config, result: Answer) -> Reply {
    let is_unhandled = result.header("x-amz-function-error") == Some("Unhandled");
    let is_result = (200..300).contains(&result.status);
    if config.is_proxy_integration && is_result && !is_unhandled {
        return match integrated(config, &result.body) {
            Ok(reply) => reply,
            Err(reason) => {
                tracing::debug!(reason, "a Lambda function's result is not usable");
                Reply::with_body(502, ReplyBody::Raw(r#"{"message":"Bad Gateway"}"#.into()))
                    .header("Content-Type", "application/json; charset=utf-8")
            }
        };
    }
    let status = match config.unhandled_status {
        Some(status) if is_unhandled => status,
        _ => result.status,
    };
    let body = match serde_json::from_slice::<Value>(&result.body) {
        Ok(value) if config.is_legacy_about_lists => Bytes::from(legacy(value).to_string()),
        _ => result.body,
    };
    reply(status, &result.headers, body)
}

/// Compat: in this mode the reference turns lists without members into objects without members.
fn legacy(value: Value) -> Value {
    match value {
        Value::Array(list) if list.is_empty() => Value::Object(Map::new()),
        Value::Array(list) => list.into_iter().map(legacy).collect(),
        Value::Object(members) => {
            let members = members
                .into_iter()
                .map(|(name, value)| (name, legacy(value)));
            Value::Object(members.collect())
        }
        other => other,
    }
}

/// Reads a result that names status, headers and body.
fn integrated(config: &Config, body: &[u8]) -> Result<Reply, &'static str> {
    let result: Value = serde_json::from_slice(body).map_err(|_| "it is not JSON")?;
    let Value::Object(result) = result else {
        return Err("it is no object");
    };
    let status = match result.get("statusCode") {
        Some(Value::Number(status)) => status.as_u64().and_then(|one| u16::try_from(one).ok()),
        Some(Value::String(status)) => status.parse().ok(),
        _ => None,
    };
    let status = status
        .filter(|status| (100..=999).contains(status))
        .ok_or("`statusCode` is no status")?;
    let is_encoded = match result.get("isBase64Encoded") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(is_encoded)) => *is_encoded,
        Some(_) => return Err("`isBase64Encoded` is no boolean"),
    };
    let body = match result.get("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) if is_encoded => {
            let decoded = STANDARD.decode(text);
            decoded.map_err(|_| "`body` is no base64")?.into()
        }
        Some(Value::String(text)) => Bytes::from(text.clone()),
        Some(Value::Object(members)) => {
            let value = Value::Object(members.clone());
            let value = match config.is_legacy_about_lists {
                true => legacy(value),
                false => value,
            };
            Bytes::from(value.to_string())
        }
        Some(_) => return Err("`body` is no text"),
    };
    let mut reply = Reply::with_body(status, ReplyBody::Raw(body));
    let several = members(&result, "multiValueHeaders")?;
    for (name, value) in members(&result, "headers")?.into_iter().flatten() {
        if !several.is_some_and(|several| several.contains_key(name)) {
            add(&mut reply, name, value)?;
        }
    }
    for (name, values) in several.into_iter().flatten() {
        let Value::Array(values) = values else {
            return Err("`multiValueHeaders` holds what is no list");
        };
        for value in values {
            add(&mut reply, name, value)?;
        }
    }
    Ok(reply)
}

fn members<'r>(
    result: &'r Map<String, Value>,
    name: &str,
) -> Result<Option<&'r Map<String, Value>>, &'static str> {
    match result.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(members)) => Ok(Some(members)),
        Some(_) => Err("headers are no object"),
    }
}

fn add(reply: &mut Reply, name: &str, value: &Value) -> Result<(), &'static str> {
    let value = match value {
        Value::String(value) => value.clone(),
        Value::Number(value) => value.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            return Err("a header has no text as its value");
        }
    };
    let is_good = http::HeaderName::from_bytes(name.as_bytes()).is_ok()
        && http::HeaderValue::from_str(&value).is_ok();
    if !is_good {
        return Err("a header is malformed");
    }
    if is_passed_on(name) {
        let line = (Bytes::copy_from_slice(name.as_bytes()), Bytes::from(value));
        reply.headers.push(line);
    }
    Ok(())
}
