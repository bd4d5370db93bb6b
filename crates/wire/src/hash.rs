//! The configuration hash.
//!
//! Compat: agrees digit for digit with what Kong Gateway 3.x control planes send (checked
//! against recorded frames of 3.9.3 and the worked example in this module's tests). A node
//! never verifies the hash, so it is change detection, not security.
//!
//! It does not decide whether a configuration is empty: see the `declarative` room.

use serde_json::{Map, Value};

use crate::md5::{md5, md5_hex};
use crate::number::write_g14;

/// The hash of "no configuration": thirty-two zeros.
pub const EMPTY_HASH: &str = "00000000000000000000000000000000";

/// Length of every hash on the wire, in characters.
pub const HASH_LENGTH: usize = 32;

/// Above this many bytes the text gathered so far is replaced by its raw digest.
const COLLAPSE_ABOVE: usize = 1_000_000;

/// Arrays up to this long are written without a separator at the end.
const SHORT_ARRAY: usize = 5;

/// The sections that have a digest of their own, in the order in which they are combined.
const SECTIONS: [&str; 5] = ["routes", "services", "plugins", "upstreams", "targets"];

/// Digests of a configuration as a whole and of the sections that a node rebuilds separately.
/// Each is 32 characters; a section that is absent has [`EMPTY_HASH`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Hashes {
    /// Of everything.
    #[serde(default = "empty")]
    pub config: String,
    /// Of `routes`.
    #[serde(default = "empty")]
    pub routes: String,
    /// Of `services`.
    #[serde(default = "empty")]
    pub services: String,
    /// Of `plugins`.
    #[serde(default = "empty")]
    pub plugins: String,
    /// Of `upstreams`.
    #[serde(default = "empty")]
    pub upstreams: String,
    /// Of `targets`.
    #[serde(default = "empty")]
    pub targets: String,
}

fn empty() -> String {
    EMPTY_HASH.to_owned()
}

/// Computes all digests of a configuration table (an object of entity arrays). Anything but an
/// object counts as an empty one.
#[must_use]
pub fn config_hash(table: &Value) -> Hashes {
    let none = Map::new();
    let table = table.as_object().unwrap_or(&none);
    let [routes, services, plugins, upstreams, targets] =
        SECTIONS.map(|name| table.get(name).map_or_else(empty, section_hash));
    let mut rest = Vec::new();
    let others = table
        .iter()
        .filter(|(key, _)| !SECTIONS.contains(&key.as_str()));
    write_object(&mut rest, others.collect());
    let rest = md5_hex(&rest);
    let joined = [&routes, &services, &plugins, &upstreams, &targets, &rest];
    let joined: String = joined.into_iter().map(String::as_str).collect();
    Hashes {
        config: md5_hex(joined.as_bytes()),
        routes,
        services,
        plugins,
        upstreams,
        targets,
    }
}

/// Digest of one value.
#[must_use]
pub fn section_hash(value: &Value) -> String {
    let mut text = Vec::new();
    serialise(&mut text, value);
    md5_hex(&text)
}

/// Appends `value` in the form that is digested. `out` never grows far beyond a million bytes.
pub fn serialise(out: &mut Vec<u8>, value: &Value) {
    collapse(out);
    match value {
        Value::Null => out.extend_from_slice(b"/null/"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_g14(out, number),
        Value::String(text) => out.extend_from_slice(text.as_bytes()),
        Value::Array(items) => write_array(out, items),
        Value::Object(map) => write_members(out, map.iter().collect()),
    }
}

fn collapse(out: &mut Vec<u8>) {
    if out.len() > COLLAPSE_ABOVE {
        let digest = md5(out);
        out.clear();
        out.extend_from_slice(&digest);
    }
}

fn write_array(out: &mut Vec<u8>, items: &[Value]) {
    if items.is_empty() {
        out.extend_from_slice(b"{}");
        return;
    }
    for (index, item) in items.iter().enumerate() {
        serialise(out, item);
        if items.len() > SHORT_ARRAY || index + 1 < items.len() {
            out.push(b';');
        }
    }
}

fn write_object(out: &mut Vec<u8>, members: Vec<(&String, &Value)>) {
    collapse(out);
    write_members(out, members);
}

fn write_members(out: &mut Vec<u8>, mut members: Vec<(&String, &Value)>) {
    if members.is_empty() {
        out.extend_from_slice(b"{}");
        return;
    }
    members.sort_unstable_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
    for (key, value) in members {
        out.extend_from_slice(key.as_bytes());
        out.push(b':');
        serialise(out, value);
        out.push(b';');
    }
}
