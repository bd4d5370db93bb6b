//! The configuration hash.
//!
//! Compat: agrees digit for digit with what Kong Gateway 3.x control planes send (checked
//! against recorded frames of 3.9.3 and the worked example in this module's tests). A node
//! never verifies the hash, so it is change detection, not security.
//!
//! It does not decide whether a configuration is empty: see the `declarative` room.

use std::borrow::Borrow;

use schema::Packed;
use serde_json::{Map, Value};

use crate::PackedTable;
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
    let parts = table.iter();
    hashes(parts.map(|(name, value)| (name.as_str(), Part::Value(value))))
}

/// The same of a table with packed rows.
#[must_use]
pub fn packed_hash(table: &PackedTable) -> Hashes {
    let members = table.members.iter();
    let members = members.map(|(name, value)| (name.as_str(), Part::Value(value)));
    let tables = table.tables.iter();
    hashes(members.chain(tables.map(|(name, rows)| (name.as_str(), Part::Rows(rows)))))
}

/// A member of a configuration.
#[derive(Clone, Copy)]
enum Part<'a> {
    Value(&'a Value),
    Rows(&'a [Packed]),
}

impl Part<'_> {
    fn serialise(self, out: &mut Vec<u8>) {
        match self {
            Self::Value(value) => serialise(out, value),
            Self::Rows(rows) => {
                collapse(out);
                let items = rows.iter().map(|row| Value::Object(row.open()));
                write_array(out, rows.len(), items);
            }
        }
    }
}

fn hashes<'a>(parts: impl Iterator<Item = (&'a str, Part<'a>)>) -> Hashes {
    let (sections, mut others): (Vec<_>, Vec<_>) =
        parts.partition(|(name, _)| SECTIONS.contains(name));
    let [routes, services, plugins, upstreams, targets] = SECTIONS.map(|name| {
        let section = sections.iter().find(|(section, _)| *section == name);
        section.map_or_else(empty, |(_, part)| {
            let mut text = Vec::new();
            part.serialise(&mut text);
            md5_hex(&text)
        })
    });
    let mut rest = Vec::new();
    if others.is_empty() {
        rest.extend_from_slice(b"{}");
    }
    others.sort_unstable_by_key(|(name, _)| *name);
    for (name, part) in others {
        rest.extend_from_slice(name.as_bytes());
        rest.push(b':');
        part.serialise(&mut rest);
        rest.push(b';');
    }
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
        Value::Array(items) => write_array(out, items.len(), items.iter()),
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

fn write_array<V: Borrow<Value>>(out: &mut Vec<u8>, count: usize, items: impl Iterator<Item = V>) {
    if count == 0 {
        out.extend_from_slice(b"{}");
        return;
    }
    for (index, item) in items.enumerate() {
        serialise(out, item.borrow());
        if count > SHORT_ARRAY || index + 1 < count {
            out.push(b';');
        }
    }
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
