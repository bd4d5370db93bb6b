//! Rewrites that are more than leaving a field out.

use serde_json::{Map, Value, json};

use super::edit::{Editor, get, remove, set};
use super::table::AI_TRANSFORMERS;

type Row = Map<String, Value>;

/// Rewrites one plugin's settings for a node older than the steps' versions, newest step first.
pub(super) fn plugin(editor: &mut Editor, name: &str, config: &mut Row) {
    if editor.is_before(9) {
        huggingface(editor, name, config);
    }
    if editor.is_before(8) {
        language_models(editor, name, config);
        if name == "aws-lambda" {
            editor.drop_field(config, 8, "aws_sts_endpoint_url");
        }
    }
    if editor.is_before(7) && name == "ai-proxy" {
        replace(editor, config, 7, "route_type", "preserve", "llm/v1/chat");
    }
    if editor.is_before(6) {
        flat_redis(editor, name, config);
    }
    if editor.is_before(5) {
        trace_headers(editor, name, config, 5, "gcp");
    }
    if editor.is_before(4) {
        trace_headers(editor, name, config, 4, "aws");
    }
    if editor.is_before(3) {
        flat_queue(editor, name, config);
    }
}

/// Where the settings of a plugin's language model lie; `None` for other plugins.
fn model_prefix(name: &str) -> Option<&'static str> {
    if name == "ai-proxy" {
        Some("")
    } else {
        AI_TRANSFORMERS.contains(&name).then_some("llm.")
    }
}

fn huggingface(editor: &mut Editor, name: &str, config: &mut Row) {
    let Some(prefix) = model_prefix(name) else {
        return;
    };
    let provider = format!("{prefix}model.provider");
    if get(config, &provider) != Some(&json!("huggingface")) {
        return;
    }
    set(config, &provider, json!("openai"));
    if name == "ai-proxy" {
        set(config, "route_type", json!("preserve"));
    }
    editor.replaced(9, &provider);
    let options = format!("{prefix}model.options.huggingface");
    if remove(config, &options).is_some() {
        editor.removed(9, &options);
    }
}

fn language_models(editor: &mut Editor, name: &str, config: &mut Row) {
    let Some(prefix) = model_prefix(name) else {
        return;
    };
    let provider = format!("{prefix}model.provider");
    let current = get(config, &provider)
        .and_then(Value::as_str)
        .unwrap_or_default();
    let is_new = matches!(current, "gemini" | "bedrock" | "huggingface");
    let is_mistral = current == "mistral";
    if is_new {
        set(config, &provider, json!("openai"));
        if name == "ai-proxy" {
            set(config, "route_type", json!("preserve"));
        }
        editor.replaced(8, &provider);
    }
    let url = "model.options.upstream_url";
    let has_url = get(config, url).is_some_and(|value| !value.is_null());
    let has_options = get(config, "model.options").is_some_and(Value::is_object);
    if is_mistral && name == "ai-proxy" && has_options && !has_url {
        set(config, url, json!("https://api.mistral.ai:443"));
        editor.replaced(8, url);
    }
}

fn replace(editor: &mut Editor, config: &mut Row, minor: u16, path: &str, from: &str, to: &str) {
    if get(config, path).and_then(Value::as_str) == Some(from) {
        set(config, path, json!(to));
        editor.replaced(minor, path);
    }
}

fn trace_headers(editor: &mut Editor, name: &str, config: &mut Row, minor: u16, kind: &str) {
    if matches!(name, "opentelemetry" | "zipkin") {
        replace(editor, config, minor, "header_type", kind, "preserve");
    }
    if name == "zipkin" {
        replace(editor, config, minor, "default_header_type", kind, "b3");
    }
}

/// Redis settings of `acme` that older nodes know under other names or not at all.
const NESTED: [&str; 5] = [
    "password",
    "username",
    "server_name",
    "timeout",
    "extra_options",
];

/// Older nodes know redis settings flat beside the others.
fn flat_redis(editor: &mut Editor, name: &str, config: &mut Row) {
    match name {
        "rate-limiting" | "response-ratelimiting" => {
            let Some(Value::Object(redis)) = config.remove("redis") else {
                return;
            };
            for field in [
                "host",
                "port",
                "password",
                "username",
                "ssl",
                "ssl_verify",
                "server_name",
                "timeout",
                "database",
            ] {
                if let Some(value) = redis.get(field) {
                    config.insert(format!("redis_{field}"), value.clone());
                }
            }
            editor.replaced(6, "redis");
        }
        "acme" => {
            let Some(Value::Object(redis)) = config
                .get_mut("storage_config")
                .and_then(|storage| storage.get_mut("redis"))
            else {
                return;
            };
            for (new, old) in [
                ("password", "auth"),
                ("server_name", "ssl_server_name"),
                ("extra_options.namespace", "namespace"),
                ("extra_options.scan_count", "scan_count"),
            ] {
                if let Some(value) = get(redis, new).cloned() {
                    redis.insert(old.to_owned(), value);
                }
            }
            let mut is_changed = false;
            for new in NESTED {
                is_changed |= redis.shift_remove(new).is_some();
            }
            if is_changed {
                editor.replaced(6, "storage_config.redis");
            }
        }
        _ => {}
    }
}

/// Older nodes know a plugin's queue by three flat settings.
fn flat_queue(editor: &mut Editor, name: &str, config: &mut Row) {
    let queue = |field: &str, default: u64| {
        let value = config.get("queue").and_then(|queue| queue.get(field));
        let value = value.filter(|value| value.is_number()).cloned();
        value.unwrap_or_else(|| json!(default))
    };
    let settings = match name {
        // Before 3.1 there were no such settings at all.
        "statsd" | "datadog" if !editor.is_before(1) => vec![
            ("retry_count", json!(10)),
            ("queue_size", queue("max_batch_size", 1)),
            ("flush_timeout", queue("max_coalescing_delay", 2)),
        ],
        "opentelemetry" => vec![
            ("batch_span_count", queue("max_batch_size", 200)),
            ("batch_flush_delay", queue("max_coalescing_delay", 3)),
        ],
        _ => return,
    };
    for (field, value) in settings {
        if !config.get(field).is_some_and(Value::is_number) {
            config.insert(field.to_owned(), value);
            editor.replaced(3, field);
        }
    }
}

/// Rewrites one entity that is no plugin.
pub(super) fn entity(editor: &mut Editor, table: &str, row: &mut Row) {
    let text = |row: &Row, field: &str| row.get(field).and_then(Value::as_str).map(str::to_owned);
    match table {
        "vaults" if editor.is_before(3) && text(row, "name").as_deref() == Some("env") => {
            let prefix = get(row, "config.prefix").and_then(Value::as_str);
            if let Some(prefix) = prefix.filter(|prefix| prefix.contains('-')) {
                let prefix = prefix.replace('-', "_");
                set(row, "config.prefix", json!(prefix));
                editor.replaced(3, "config.prefix");
            }
        }
        "services" if editor.is_before(2) && text(row, "protocol").as_deref() == Some("tls") => {
            for field in [
                "client_certificate",
                "tls_verify",
                "tls_verify_depth",
                "ca_certificates",
            ] {
                editor.drop_field(row, 2, field);
            }
        }
        "upstreams" if editor.is_before(2) => {
            replace(editor, row, 2, "algorithm", "latency", "round-robin");
        }
        _ => {}
    }
}
