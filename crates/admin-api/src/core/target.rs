//! What a path below `core-entities` means. Pure: segments in, targets out.

use entities::{Catalogue, EntityKind};

/// A collection at the top.
struct Flat {
    kind: &'static str,
    is_writable: bool,
}

/// A collection inside an entity.
struct Nested {
    parent: &'static str,
    segment: &'static str,
    kind: &'static str,
    field: &'static str,
}

const fn flat(kind: &'static str, is_writable: bool) -> Flat {
    Flat { kind, is_writable }
}

const fn nested(
    parent: &'static str,
    segment: &'static str,
    kind: &'static str,
    field: &'static str,
) -> Nested {
    Nested {
        parent,
        segment,
        kind,
        field,
    }
}

/// Compat: credentials and targets are written below their parents and only read here.
const FLAT: [Flat; 10] = [
    flat("services", true),
    flat("routes", true),
    flat("consumers", true),
    flat("plugins", true),
    flat("upstreams", true),
    flat("targets", false),
    flat("certificates", true),
    flat("ca_certificates", true),
    flat("snis", true),
    flat("keyauth_credentials", false),
];

const NESTED: [Nested; 7] = [
    nested("services", "routes", "routes", "service"),
    nested("services", "plugins", "plugins", "service"),
    nested("routes", "plugins", "plugins", "route"),
    nested("consumers", "plugins", "plugins", "consumer"),
    nested("consumers", "key-auth", "keyauth_credentials", "consumer"),
    nested("upstreams", "targets", "targets", "upstream"),
    nested("certificates", "snis", "snis", "certificate"),
];

/// Where a collection stands.
#[derive(Clone, Debug)]
pub(super) enum Nest<'c> {
    /// At the top.
    Top {
        /// Whether it can be written there.
        is_writable: bool,
    },
    /// Inside an entity.
    Inside {
        /// The entity's kind.
        kind: &'c EntityKind,
        /// Its id or other key.
        key: String,
        /// The member of the child that refers to it.
        field: &'static str,
        /// The child's segment.
        segment: &'static str,
    },
}

impl Nest<'_> {
    pub(super) const fn is_writable(&self) -> bool {
        match self {
            Self::Top { is_writable } => *is_writable,
            Self::Inside { .. } => true,
        }
    }

    /// The collection's path below `core-entities`.
    pub(super) fn path(&self, kind: &EntityKind) -> String {
        match self {
            Self::Top { .. } => format!("/{}", kind.path),
            Self::Inside {
                kind, key, segment, ..
            } => {
                let key: String = form_urlencoded::byte_serialize(key.as_bytes()).collect();
                format!("/{}/{key}/{segment}", kind.path)
            }
        }
    }
}

/// What a path means.
#[derive(Debug)]
pub(super) enum Target<'c> {
    /// All entities of a kind, or those inside another one.
    Collection(&'c EntityKind, Nest<'c>),
    /// One entity.
    Item(&'c EntityKind, String, Nest<'c>),
    /// The JSON schema of a kind.
    JsonSchema(&'c EntityKind),
    /// The description of a kind as the gateway has it.
    Form(&'c EntityKind),
    /// The description of a plugin as the gateway has it.
    PluginForm(String),
    /// A check without writing.
    Validate(&'c EntityKind),
}

/// The decoded segments of a path; `None` when one is no UTF-8 or empty.
pub(super) fn segments(path: &str) -> Option<Vec<String>> {
    path.trim_end_matches('/').split('/').map(decode).collect()
}

fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, after @ ..] = rest else {
            return None;
        };
        let digit = |byte: &u8| {
            char::from(*byte)
                .to_digit(16)
                .and_then(|d| u8::try_from(d).ok())
        };
        bytes.push(digit(high)? * 16 + digit(low)?);
        rest = after;
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.is_empty())
}

/// What a path means; `None` when nothing is there.
pub(super) fn resolve<'c>(segments: &[String], catalogue: &'c Catalogue) -> Option<Target<'c>> {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["v1", "schemas", "json", entity] => Some(Target::JsonSchema(named(entity, catalogue)?)),
        ["schemas", "plugins", "validate"] => Some(Target::Validate(catalogue.kind("plugins")?)),
        ["schemas", "plugins", name] => Some(Target::PluginForm((*name).to_owned())),
        ["schemas", entity] => Some(Target::Form(named(entity, catalogue)?)),
        ["schemas", entity, "validate"] => Some(Target::Validate(named(entity, catalogue)?)),
        [collection] => {
            let (kind, nest) = top(collection, catalogue)?;
            Some(Target::Collection(kind, nest))
        }
        [collection, key] => {
            let (kind, nest) = top(collection, catalogue)?;
            Some(Target::Item(kind, (*key).to_owned(), nest))
        }
        [parent, parent_key, child] => {
            let (kind, nest) = inside(parent, parent_key, child, catalogue)?;
            Some(Target::Collection(kind, nest))
        }
        [parent, parent_key, child, key] => {
            let (kind, nest) = inside(parent, parent_key, child, catalogue)?;
            Some(Target::Item(kind, (*key).to_owned(), nest))
        }
        _ => None,
    }
}

fn top<'c>(segment: &str, catalogue: &'c Catalogue) -> Option<(&'c EntityKind, Nest<'c>)> {
    let kind = catalogue
        .kind(segment)
        .filter(|kind| kind.path == segment)?;
    let flat = FLAT.iter().find(|flat| flat.kind == kind.name)?;
    let is_writable = flat.is_writable;
    Some((kind, Nest::Top { is_writable }))
}

fn inside<'c>(
    parent: &str,
    key: &str,
    child: &str,
    catalogue: &'c Catalogue,
) -> Option<(&'c EntityKind, Nest<'c>)> {
    let parent = catalogue.kind(parent).filter(|kind| kind.path == parent)?;
    let row = NESTED
        .iter()
        .find(|row| row.parent == parent.name && row.segment == child)?;
    let nest = Nest::Inside {
        kind: parent,
        key: key.to_owned(),
        field: row.field,
        segment: row.segment,
    };
    Some((catalogue.kind(row.kind)?, nest))
}

/// A kind by any of its names: plural, singular, path or the segment below its parent. Kinds that
/// are not served are described too: decK asks for them and stops when it gets no answer.
fn named<'c>(name: &str, catalogue: &'c Catalogue) -> Option<&'c EntityKind> {
    let is_known = |kind: &&EntityKind| kind.in_admin_api && kind.primary_key == "id";
    catalogue.kinds().iter().filter(is_known).find(|kind| {
        let segment = kind.nested.map(|(_, segment)| segment);
        let dashed = kind.singular.replace('_', "-");
        kind.name == name
            || kind.singular == name
            || dashed == name
            || kind.path == name
            || segment == Some(name)
    })
}

/// Every collection: its path with `{parent}` where it is nested, its kind, and whether it can be
/// written there.
pub(super) fn collections(
    catalogue: &Catalogue,
) -> impl Iterator<Item = (String, &EntityKind, bool)> {
    let top = FLAT.iter().filter_map(|flat| {
        let kind = catalogue.kind(flat.kind)?;
        Some((kind.path.to_owned(), kind, flat.is_writable))
    });
    let inside = NESTED.iter().filter_map(|row| {
        let parent = catalogue.kind(row.parent)?;
        let path = format!("{}/{{parent}}/{}", parent.path, row.segment);
        Some((path, catalogue.kind(row.kind)?, true))
    });
    top.chain(inside)
}
