//! The body of an answer that describes the request it answers.

use bytes::Bytes;
use plugin_api::Exchange;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// What the echo says about the node.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Id of the node.
    pub(super) id: Uuid,
    /// Name of the machine.
    pub(super) hostname: String,
}

/// Describes a request as a JSON object, for debugging.
pub(super) fn describe(node: &Node, message: Option<&str>, exchange: &Exchange<'_>) -> Bytes {
    let client = exchange.client;
    let host = text(exchange.header("host").unwrap_or_default());
    let request = json!({
        "scheme": client.scheme.as_str(),
        "host": host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name),
        "port": client.local.port(),
        "method": text(exchange.method()),
        "path": text(exchange.path),
        "headers": headers(exchange),
        "query": query(exchange),
        "raw_body": exchange.body.map(text),
        "body": parsed_body(exchange),
    });
    let mut echo = json!({
        "kong": {
            "node_id": node.id,
            "worker_pid": std::process::id(),
            "hostname": node.hostname,
        },
        "request": request,
        "matched_route": exchange.route.map(|route| entity(&route.document)),
        "matched_service": exchange.service.map(|service| entity(&service.document)),
    });
    if let (Some(message), Some(members)) = (message, echo.as_object_mut()) {
        members.insert("message".to_owned(), message.into());
    }
    Bytes::from(echo.to_string())
}

fn entity(document: &[u8]) -> Value {
    serde_json::from_slice(document).unwrap_or_default()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Header names in lower case; a repeated header is a list.
fn headers(exchange: &Exchange<'_>) -> Map<String, Value> {
    let mut headers = Map::new();
    for (name, value) in exchange.head.headers() {
        collect(
            &mut headers,
            text(name).to_ascii_lowercase(),
            text(value).into(),
        );
    }
    headers
}

fn query(exchange: &Exchange<'_>) -> Map<String, Value> {
    let mut query = Map::new();
    for (name, value) in plugin_api::query_pairs(exchange.query()) {
        let value = value.map_or(Value::Bool(true), |value| text(&value).into());
        collect(&mut query, text(&name), value);
    }
    query
}

fn collect(into: &mut Map<String, Value>, name: String, value: Value) {
    match into.get_mut(&name) {
        None => {
            into.insert(name, value);
        }
        Some(Value::Array(values)) => values.push(value),
        Some(single) => {
            let first = single.take();
            *single = Value::Array(vec![first, value]);
        }
    }
}

/// The members of a JSON or form body; null for anything else.
fn parsed_body(exchange: &Exchange<'_>) -> Value {
    let Some(body) = exchange.body else {
        return Value::Null;
    };
    let content_type = text(exchange.header("content-type").unwrap_or_default());
    if content_type.starts_with("application/json") {
        return serde_json::from_slice(body).unwrap_or(Value::Null);
    }
    if content_type.starts_with("application/x-www-form-urlencoded") {
        let mut members = Map::new();
        for (name, value) in plugin_api::query_pairs(body) {
            let value = value.map_or(Value::Bool(true), |value| text(&value).into());
            collect(&mut members, text(&name), value);
        }
        return Value::Object(members);
    }
    Value::Null
}
