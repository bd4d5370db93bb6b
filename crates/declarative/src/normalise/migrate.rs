//! Old formats brought up to date.
//!
//! Compat: before format 3.0 a route's path was a regular expression when it held anything but
//! plain path characters; since then such a path starts with `~`. Only routes at the top level
//! and directly in services are visited.

use std::borrow::Cow;

use schema::validators::normalise_path;
use serde_json::Value;

/// The document in the current format, if it is in an old one.
pub(super) fn up_to_date(mut document: Cow<'_, Value>) -> Cow<'_, Value> {
    let version = document.get("_format_version").and_then(Value::as_str);
    if matches!(version, Some("1.1" | "2.1")) {
        paths(document.to_mut());
    }
    document
}

fn paths(document: &mut Value) {
    if let Some(Value::Array(list)) = document.get_mut("routes") {
        routes(list);
    }
    if let Some(Value::Array(services)) = document.get_mut("services") {
        for service in services {
            if let Some(Value::Array(list)) = service.get_mut("routes") {
                routes(list);
            }
        }
    }
}

fn routes(list: &mut [Value]) {
    for route in list {
        let Some(Value::Array(paths)) = route.get_mut("paths") else {
            continue;
        };
        for path in paths {
            if let Value::String(text) = path {
                *text = migrated(text);
            }
        }
    }
}

fn migrated(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._~/%-".contains(&byte);
    if path.starts_with('~') {
        return path.to_owned();
    }
    if path.bytes().all(plain) {
        return normalise_path(path);
    }
    format!("~{}", decode(path))
}

/// Decodes escapes of characters that need none; what has a meaning in a regular expression is
/// escaped there.
fn decode(path: &str) -> String {
    const META: &str = "\\.+*?()[]{}|^$";
    const RESERVED: &[u8] = b"!#$%&'()*+,/:;=?@[]";
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = path.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) if RESERVED.contains(&byte) => {
                out.extend_from_slice(format!("%{byte:02X}").as_bytes());
                at += 3;
            }
            Some(byte) => {
                if META.as_bytes().contains(&byte) {
                    out.push(b'\\');
                }
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| path.to_owned())
}
