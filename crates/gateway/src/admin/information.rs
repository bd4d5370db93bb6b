//! `GET /`: what this node is.

use std::fmt;

use conf::{Listen, Settings};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The line of the reference whose API this one is compatible with. Clients enable features by
/// it, so it is not our own version.
///
/// Compat: Kong Gateway 3.9.3.
const COMPATIBLE_VERSION: &str = "3.9.3";

/// What `GET /` tells.
#[derive(Clone)]
pub struct Information {
    body: Value,
}

impl Information {
    /// Gathers it once; `plugins` are name, version and priority of everything that may be
    /// configured, `product` is our own name and version (`gatehouse/0.1.0`).
    #[must_use]
    pub fn new(
        settings: &Settings,
        node_id: Uuid,
        plugins: &[(&str, &str, i32)],
        product: &str,
    ) -> Self {
        let available: Map<String, Value> = plugins
            .iter()
            .map(|(name, version, priority)| {
                (
                    (*name).to_owned(),
                    json!({"version": version, "priority": priority}),
                )
            })
            .collect();
        let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let process = std::process::id();
        let body = json!({
            "tagline": "Welcome to kong",
            "version": COMPATIBLE_VERSION,
            "edition": "community",
            "product": product,
            "hostname": hostname.trim(),
            "node_id": node_id,
            "lua_version": "none",
            "pids": {"master": process, "workers": [process]},
            "timers": {"running": 0, "pending": 0},
            "plugins": {"available_on_server": available, "enabled_in_cluster": []},
            "configuration": configuration(settings),
        });
        Self { body }
    }

    pub(super) fn body(&self) -> Value {
        self.body.clone()
    }
}

impl fmt::Debug for Information {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Information").finish_non_exhaustive()
    }
}

fn configuration(settings: &Settings) -> Value {
    let mut shown = Map::new();
    for (name, text) in settings.shown() {
        shown.insert(name.clone(), typed(name, text));
    }
    let listeners = [
        ("proxy_listeners", &settings.proxy_listen),
        ("stream_listeners", &settings.stream_listen),
        ("admin_listeners", &settings.admin_listen),
        ("status_listeners", &settings.status_listen),
    ];
    for (name, listens) in listeners {
        shown.insert(name.to_owned(), listens.iter().map(listener).collect());
    }
    Value::Object(shown)
}

/// A property as its type: lists as lists, numbers as numbers, switches as booleans.
fn typed(name: &str, text: &str) -> Value {
    let kind = conf::property(name).map(|property| property.kind);
    match kind {
        Some(conf::Kind::Array) => {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            items.map(|item| Value::from(item.to_owned())).collect()
        }
        Some(conf::Kind::Number) => {
            let integer = text.parse::<i64>().ok().map(Value::from);
            integer
                .or_else(|| text.parse::<f64>().ok().map(Value::from))
                .unwrap_or(Value::Null)
        }
        Some(conf::Kind::Boolean) => matches!(text, "on" | "true").into(),
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
