//! The settings as `GET /` shows them: as their types, secrets masked.

use std::collections::BTreeMap;

use conf::{Kind, Listen, Settings};
use serde_json::{Map, Value, json};

use super::root;

/// The member `configuration`.
pub(super) fn body(settings: &Settings) -> Value {
    let mut shown = Map::new();
    for (name, text) in settings.shown() {
        shown.insert(name.clone(), typed(name, text));
    }
    let (known, kind) = root::database(settings);
    shown.insert("database".to_owned(), known.into());
    shown.insert("database_kind".to_owned(), kind.into());
    let listeners = [
        ("proxy_listeners", &settings.proxy_listen),
        ("stream_listeners", &settings.stream_listen),
        ("admin_listeners", &settings.admin_listen),
        ("status_listeners", &settings.status_listen),
    ];
    for (name, listens) in listeners {
        shown.insert(name.to_owned(), listens.iter().map(listener).collect());
    }
    for (name, listens) in [
        ("proxy_ssl_enabled", &settings.proxy_listen),
        ("admin_ssl_enabled", &settings.admin_listen),
        ("status_ssl_enabled", &settings.status_listen),
    ] {
        let is_on = listens.iter().any(|listen| listen.ssl);
        shown.insert(name.to_owned(), is_on.into());
    }
    let loaded: BTreeMap<_, _> = root::plugins(settings).map(|p| (p.name, true)).collect();
    shown.insert("loaded_plugins".to_owned(), json!(loaded));
    Value::Object(shown)
}

/// A property as its type: lists as lists, numbers as numbers, switches as booleans.
fn typed(name: &str, text: &str) -> Value {
    match conf::property(name).map(|property| property.kind) {
        Some(Kind::Array) => {
            let items = text.split(',').map(str::trim);
            let items = items.filter(|item| !item.is_empty());
            items.map(|item| Value::from(item.to_owned())).collect()
        }
        Some(Kind::Number) => {
            let integer = text.parse::<i64>().ok().map(Value::from);
            integer
                .or_else(|| text.parse::<f64>().ok().map(Value::from))
                .unwrap_or(Value::Null)
        }
        Some(Kind::Boolean) => matches!(text, "on" | "true").into(),
        _ => text.into(),
    }
}

fn listener(listen: &Listen) -> Value {
    json!({
        "ip": listen.address.ip(),
        "port": listen.address.port(),
        "ssl": listen.ssl,
        "http2": listen.http2,
        "proxy_protocol": listen.proxy_protocol,
        "reuseport": listen.reuseport,
        "deferred": listen.deferred,
        "bind": listen.bind,
        "listener": listen.address.to_string(),
    })
}
