//! What the function gets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plugin_api::{Exchange, HttpVersion, query_pairs};
use serde_json::{Map, Value, json};

use super::schema::Config;

/// Bodies beyond this are left out with `skip_large_bodies`, in bytes. Compat: as large as the
/// reference keeps in memory with its usual settings.
const LARGE: usize = 8 * 1024;

/// Kinds of bodies that are text whatever they hold.
const TEXTS: [&str; 5] = [
    "text/plain",
    "text/html",
    "application/xml",
    "text/xml",
    "application/soap+xml",
];

/// The payload of a call.
pub(super) fn payload(config: &Config, exchange: &Exchange<'_>) -> Value {
    if config.awsgateway_compatible {
        return of_api_gateway(config, exchange);
    }
    let forwards = config.forwards;
    if !(forwards.method || forwards.uri || forwards.headers || forwards.body) {
        let mut members = arguments(exchange.query());
        if let Some(body) = body_arguments(body(config, exchange), exchange) {
            members.extend(body);
        }
        return Value::Object(members);
    }
    let mut event = Map::new();
    let mut put = |name: &str, value: Value| event.insert(name.to_owned(), value);
    if forwards.method {
        put("request_method", text(exchange.method()));
    }
    if forwards.headers {
        put("request_headers", Value::Object(headers(exchange)));
    }
    if forwards.uri {
        put("request_uri", target(exchange).into());
        put(
            "request_uri_args",
            Value::Object(arguments(exchange.query())),
        );
    }
    if forwards.body {
        let body = body(config, exchange);
        let arguments = body_arguments(body, exchange);
        let is_encoded = arguments.is_none() && config.base64_encode_body && !is_text(exchange);
        put("request_body", written(body, is_encoded));
        put(
            "request_body_args",
            Value::Object(arguments.unwrap_or_default()),
        );
        put("request_body_base64", config.base64_encode_body.into());
    }
    Value::Object(event)
}

fn written(body: &[u8], is_encoded: bool) -> Value {
    match is_encoded {
        true => STANDARD.encode(body).into(),
        false => text(body),
    }
}

fn is_text(exchange: &Exchange<'_>) -> bool {
    let kind = kind(exchange);
    TEXTS.iter().any(|text| kind == *text)
}

fn kind(exchange: &Exchange<'_>) -> String {
    let kind = exchange.header("content-type").unwrap_or_default();
    let kind = String::from_utf8_lossy(kind).to_ascii_lowercase();
    kind.split(';').next().unwrap_or_default().trim().to_owned()
}

fn body<'e>(config: &Config, exchange: &'e Exchange<'_>) -> &'e [u8] {
    let body = match &exchange.request.body {
        Some(body) => body,
        None => exchange.body.unwrap_or_default(),
    };
    match config.skip_large_bodies && body.len() > LARGE {
        true => &[],
        false => body,
    }
}

/// The members of a body that is understood; nothing for another kind.
fn body_arguments(body: &[u8], exchange: &Exchange<'_>) -> Option<Map<String, Value>> {
    match kind(exchange).as_str() {
        "application/x-www-form-urlencoded" => Some(arguments(body)),
        "application/json" => serde_json::from_slice(body).ok(),
        _ => None,
    }
}

fn arguments(query: &[u8]) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, value) in query_pairs(query) {
        let value = value.map_or(Value::Bool(true), |value| text(&value));
        push(&mut members, &String::from_utf8_lossy(&name), value);
    }
    members
}

fn headers(exchange: &Exchange<'_>) -> Map<String, Value> {
    let mut members = Map::new();
    let edits = &exchange.request.headers;
    edits.apply(exchange.head.headers(), |name, value| {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        push(&mut members, &name, text(value));
    });
    members
}

/// Adds a value under a name; several values make a list.
fn push(members: &mut Map<String, Value>, name: &str, value: Value) {
    match members.get_mut(name) {
        None => {
            members.insert(name.to_owned(), value);
        }
        Some(Value::Array(list)) => list.push(value),
        Some(one) => *one = Value::Array(vec![one.take(), value]),
    }
}

fn text(bytes: &[u8]) -> Value {
    String::from_utf8_lossy(bytes).into_owned().into()
}

fn target(exchange: &Exchange<'_>) -> String {
    let path = String::from_utf8_lossy(exchange.path);
    let query = exchange.query();
    match query.is_empty() {
        true => path.into_owned(),
        false => format!("{path}?{}", String::from_utf8_lossy(query)),
    }
}

/// The last value of each member, and all of them as lists.
fn single_and_all(members: &Map<String, Value>) -> (Value, Value) {
    let (mut single, mut all) = (Map::new(), Map::new());
    for (name, value) in members {
        let list = match value {
            Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        };
        single.insert(name.clone(), list.last().cloned().unwrap_or_default());
        all.insert(name.clone(), Value::Array(list));
    }
    (Value::Object(single), Value::Object(all))
}

/// The path of the route that matched, as it is written there.
fn resource(exchange: &Exchange<'_>) -> String {
    let route = exchange.route.map(|route| &route.document);
    let route: Value = route
        .and_then(|document| serde_json::from_slice(document).ok())
        .unwrap_or_default();
    let path = String::from_utf8_lossy(exchange.path);
    let paths = route["paths"].as_array().cloned().unwrap_or_default();
    let mut prefixes: Vec<&str> = paths.iter().filter_map(Value::as_str).collect();
    prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
    let found = prefixes
        .iter()
        .find(|prefix| prefix.starts_with('~') || path.starts_with(**prefix));
    found.map_or_else(
        || path.to_string(),
        |found| found.trim_start_matches('~').to_owned(),
    )
}

/// The event of the Amazon API Gateway, version 1.0, as it is published.
fn of_api_gateway(config: &Config, exchange: &Exchange<'_>) -> Value {
    let body = body(config, exchange);
    let is_encoded = config.base64_encode_body && !body.is_empty();
    let (headers, all_headers) = single_and_all(&headers(exchange));
    let (query, all_query) = single_and_all(&arguments(exchange.query()));
    let path = text(exchange.path);
    let method = text(exchange.method());
    let host = headers["host"].as_str().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let resource = resource(exchange);
    json!({
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": all_headers,
        "pathParameters": {},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": all_query,
        "version": "1.0",
        "requestContext": {
            "path": path,
            "protocol": match exchange.head.index.version {
                HttpVersion::Http10 => "HTTP/1.0",
                HttpVersion::Http11 => "HTTP/1.1",
                HttpVersion::Http2 => "HTTP/2.0",
            },
            "httpMethod": method,
            "domainName": host,
            "domainPrefix": host.split('.').next().unwrap_or_default(),
            "identity": {
                "sourceIp": text(&exchange.client.ip_text),
                "userAgent": headers["user-agent"],
            },
            "requestId": exchange.request_id,
            "requestTime": clock::http_date(exchange.now_ms / 1000),
            "requestTimeEpoch": exchange.now_ms,
            "resourcePath": resource,
        },
        "body": written(body, is_encoded),
        "isBase64Encoded": is_encoded,
    })
}
