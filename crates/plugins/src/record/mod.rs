//! The JSON record of a request, as the plugins that log write it.
//!
//! Compat: members and their forms are those of the reference's serializer. What it tells of TLS
//! sessions and of targets tried before the last one is left out.

mod fields;
mod named;
#[cfg(test)]
mod tests;

use plugin_api::{Exchange, Outcome, ResponseSource, query_pairs};
use serde_json::{Map, Value, json};

pub(crate) use fields::CustomFields;
pub(crate) use named::add as add_named;

/// A member that another plugin adds to the record.
#[derive(Debug, Default)]
pub(crate) struct Added(pub(crate) Vec<(&'static str, Value)>);

/// Adds a member to the record of a request.
pub(crate) fn add(exchange: &mut Exchange<'_>, name: &'static str, value: Value) {
    match exchange.locals.get_mut::<Added>() {
        Some(added) => added.0.push((name, value)),
        None => exchange.locals.insert(Added(vec![(name, value)])),
    }
}

/// The record as one line of JSON, without its end.
pub(crate) fn render(exchange: &Exchange<'_>, outcome: &Outcome, custom: &CustomFields) -> Vec<u8> {
    let mut record = record(exchange, outcome);
    if let Some(added) = exchange.locals.get::<Added>() {
        for (name, value) in &added.0 {
            record.insert((*name).to_owned(), value.clone());
        }
    }
    if let Some(named) = exchange.locals.get::<named::Named>() {
        named.apply(&mut record);
    }
    custom.apply(&mut record);
    // Text as member names and JSON values cannot fail to be written.
    serde_json::to_vec(&record).unwrap_or_default()
}

/// The record without what a plugin of its own adds.
#[cfg(feature = "lua")]
pub(crate) fn value(exchange: &Exchange<'_>, outcome: &Outcome) -> Value {
    let mut record = record(exchange, outcome);
    if let Some(named) = exchange.locals.get::<named::Named>() {
        named.apply(&mut record);
    }
    Value::Object(record)
}

fn record(exchange: &Exchange<'_>, outcome: &Outcome) -> Map<String, Value> {
    let mut record = Map::new();
    let mut put = |name: &str, value: Value| record.insert(name.to_owned(), value);
    let status = match outcome.backend_status {
        Some(status) => status.to_string(),
        // Compat: a try that reached nobody counts as an answer with the gateway's status.
        None => vec![outcome.status.to_string(); tries_of(outcome)].join(", "),
    };
    let source = match outcome.source {
        ResponseSource::Service => "upstream",
        ResponseSource::Exit | ResponseSource::Error => "kong",
    };
    put("request", request(exchange, outcome));
    put("response", response(outcome));
    put("latencies", latencies(outcome));
    put("upstream_uri", text(&outcome.backend_target));
    put("upstream_status", status.into());
    put("source", source.into());
    put("tries", tries(outcome));
    put("client_ip", text(&exchange.client.ip_text));
    put("started_at", exchange.now_ms.into());
    let workspace = entities::DEFAULT_WORKSPACE.to_string();
    put("workspace", workspace.clone().into());
    put("workspace_name", "default".into());
    if let Some(service) = exchange.service {
        put("service", entity(&service.document, Some(&workspace)));
    }
    if let Some(route) = exchange.route {
        put("route", entity(&route.document, Some(&workspace)));
    }
    if let Some(consumer) = &exchange.identity.consumer {
        put("consumer", entity(&consumer.document, None));
    }
    if let Some(credential) = &exchange.identity.credential {
        put(
            "authenticated_entity",
            json!({"id": text(&credential.id_text)}),
        );
    }
    record
}

fn request(exchange: &Exchange<'_>, outcome: &Outcome) -> Value {
    let head = &exchange.head;
    let mut headers = Map::new();
    let edits = &exchange.request.headers;
    edits.apply(head.headers(), |name, value| {
        push(&mut headers, &name.to_ascii_lowercase(), text(value));
    });
    let mut query = Map::new();
    for (name, value) in query_pairs(exchange.query()) {
        let value = value.map_or(Value::Bool(true), |value| text(&value));
        push(&mut query, &name, value);
    }
    let mut target = head.path().to_vec();
    if let Some(query) = head.query() {
        target.push(b'?');
        target.extend_from_slice(query);
    }
    let host = head.header("host").map(String::from_utf8_lossy);
    let host = host.unwrap_or_default();
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => &host,
    };
    let (scheme, port) = (
        exchange.client.scheme.as_str(),
        exchange.client.local.port(),
    );
    let target = String::from_utf8_lossy(&target);
    json!({
        "id": exchange.request_id,
        "method": String::from_utf8_lossy(exchange.method()),
        "uri": target,
        "url": format!("{scheme}://{host}:{port}{target}"),
        "size": outcome.request_bytes,
        "headers": headers,
        "querystring": query,
    })
}

fn response(outcome: &Outcome) -> Value {
    let mut headers = Map::new();
    let lines = outcome.response_head.split(|byte| *byte == b'\n').skip(1);
    for line in lines {
        let Some(at) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let name = line[..at].to_ascii_lowercase();
        match name.as_slice() {
            b"date" | b"transfer-encoding" => {}
            // Compat: at the time of the record the connection counts as ended.
            b"connection" => push(&mut headers, &name, "close".into()),
            _ => push(&mut headers, &name, text(line[at + 1..].trim_ascii())),
        }
    }
    json!({"status": outcome.status, "size": outcome.response_bytes, "headers": headers})
}

fn latencies(outcome: &Outcome) -> Value {
    let was_proxied = outcome.backend_status.is_some();
    let total = outcome.total_us / 1000;
    let kong = outcome.gateway_us / 1000;
    let proxy = outcome.backend_us / 1000;
    json!({
        "request": total,
        "kong": kong,
        "proxy": if was_proxied { Value::from(proxy) } else { Value::from(-1) },
        "receive": if was_proxied { total.saturating_sub(kong + proxy) } else { 0 },
    })
}

fn tries(outcome: &Outcome) -> Value {
    let Some(address) = outcome.backend_address else {
        return json!([]);
    };
    let mut one = json!({
        "ip": address.ip().to_string(),
        "port": address.port(),
        "balancer_start": outcome.handed_on_us / 1000,
        "balancer_start_ns": outcome.handed_on_us.saturating_mul(1000),
        "balancer_latency": 0,
        "balancer_latency_ns": 0,
    });
    if outcome.source != ResponseSource::Service {
        one["state"] = "failed".into();
        one["code"] = outcome.status.into();
    }
    Value::Array(vec![one; tries_of(outcome).max(1)])
}

fn tries_of(outcome: &Outcome) -> usize {
    usize::try_from(outcome.tries).unwrap_or(usize::MAX)
}

/// An entity without the members that are not set.
fn entity(document: &[u8], workspace: Option<&String>) -> Value {
    let mut entity: Map<String, Value> = serde_json::from_slice(document).unwrap_or_default();
    entity.retain(|_, value| !value.is_null());
    if let Some(Value::String(id)) = entity.get("service") {
        let key = json!({ "id": id });
        entity.insert("service".to_owned(), key);
    }
    if let Some(workspace) = workspace {
        entity.insert("ws_id".to_owned(), workspace.clone().into());
    }
    Value::Object(entity)
}

/// Adds a value under a name; several values make a list.
fn push(members: &mut Map<String, Value>, name: &[u8], value: Value) {
    let name = String::from_utf8_lossy(name).into_owned();
    match members.get_mut(&name) {
        None => {
            members.insert(name, value);
        }
        Some(Value::Array(list)) => list.push(value),
        Some(one) => *one = Value::Array(vec![one.take(), value]),
    }
}

fn text(bytes: &[u8]) -> Value {
    String::from_utf8_lossy(bytes).into_owned().into()
}
