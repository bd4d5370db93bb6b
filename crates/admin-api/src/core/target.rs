//! What a path below `core-entities` means. Pure: segments in, targets out.

use entities::{Catalogue, EntityKind};

use super::table::{Access, FLAT, MEMBERSHIPS, Membership, NESTED};

/// Where a collection stands.
#[derive(Clone, Debug)]
pub(super) enum Nest<'c> {
    /// At the top.
    Top {
        /// Its segments.
        path: &'c str,
        /// What can be done with its entities there.
        access: Access,
    },
    /// Inside an entity.
    Inside {
        /// The entity's kind.
        kind: &'c EntityKind,
        /// Its id or other key.
        key: String,
        /// The member of the child that refers to it.
        field: &'static str,
        /// The child's segments.
        path: &'static str,
    },
}

impl Nest<'_> {
    pub(super) const fn access(&self) -> Access {
        match self {
            Self::Top { access, .. } => *access,
            Self::Inside { .. } => Access::Full,
        }
    }

    /// The collection's path below `core-entities`.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Top { path, .. } => format!("/{path}"),
            Self::Inside {
                kind, key, path, ..
            } => inside_path(kind, key, path),
        }
    }
}

/// The path of a collection inside an entity.
pub(super) fn inside_path(parent: &EntityKind, key: &str, path: &str) -> String {
    let key: String = form_urlencoded::byte_serialize(key.as_bytes()).collect();
    format!("/{}/{key}/{path}", parent.path)
}

/// What a path means.
#[derive(Debug)]
pub(super) enum Target<'c> {
    /// All entities of a kind, or those inside another one.
    Collection(&'c EntityKind, Nest<'c>),
    /// One entity.
    Item(&'c EntityKind, String, Nest<'c>),
    /// All members of an owner, by the owner's key.
    Members(&'static Membership, String),
    /// One member of an owner: the owner's key, the member's key.
    Member(&'static Membership, String, String),
    /// The plugins that use a partial.
    Links(String),
    /// Descriptions of plugins that callers brought along.
    PluginSchemas,
    /// One of them, by the plugin's name.
    PluginSchema(String),
    /// The JSON schema of a kind.
    JsonSchema(&'c EntityKind),
    /// The description of a kind as the gateway has it.
    Form(&'c EntityKind),
    /// The description of a plugin as the gateway has it.
    PluginForm(String),
    /// The description of a type of partials as the gateway has it.
    PartialForm(String),
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
        ["schemas", "partials", "validate"] => Some(Target::Validate(catalogue.kind("partials")?)),
        ["schemas", "partials", name] => Some(Target::PartialForm((*name).to_owned())),
        ["schemas", entity] => Some(Target::Form(named(entity, catalogue)?)),
        ["schemas", entity, "validate"] => Some(Target::Validate(named(entity, catalogue)?)),
        ["plugin-schemas"] => Some(Target::PluginSchemas),
        ["plugin-schemas", name] => Some(Target::PluginSchema((*name).to_owned())),
        ["partials", key, "links"] if catalogue.kind("partials").is_some() => {
            Some(Target::Links((*key).to_owned()))
        }
        segments => members(segments, catalogue)
            .or_else(|| top(segments, catalogue))
            .or_else(|| inside(segments, catalogue)),
    }
}

fn members<'c>(segments: &[&str], catalogue: &'c Catalogue) -> Option<Target<'c>> {
    let (owner, key, segment, member) = match segments {
        [owner, key, segment] => (owner, key, segment, None),
        [owner, key, segment, member] => (owner, key, segment, Some(*member)),
        _ => return None,
    };
    let membership = MEMBERSHIPS.iter().find(|one| {
        let kind = catalogue.kind(one.owner);
        one.path == *segment && kind.is_some_and(|kind| kind.path == *owner)
    })?;
    catalogue.kind(membership.between)?;
    let key = (*key).to_owned();
    Some(match member {
        None => Target::Members(membership, key),
        Some(member) => Target::Member(membership, key, member.to_owned()),
    })
}

fn top<'c>(segments: &[&str], catalogue: &'c Catalogue) -> Option<Target<'c>> {
    FLAT.iter().find_map(|flat| {
        let kind = catalogue.kind(flat.kind)?;
        let (path, access) = (kind.path, flat.access);
        let nest = Nest::Top { path, access };
        match after(segments, path)? {
            [] => Some(Target::Collection(kind, nest)),
            [key] if access != Access::List => Some(Target::Item(kind, (*key).to_owned(), nest)),
            _ => None,
        }
    })
}

fn inside<'c>(segments: &[&str], catalogue: &'c Catalogue) -> Option<Target<'c>> {
    let [parent, key, rest @ ..] = segments else {
        return None;
    };
    let parent = catalogue.kind(parent).filter(|kind| kind.path == *parent)?;
    let rows = NESTED.iter().filter(|row| row.parent == parent.name);
    rows.into_iter().find_map(|row| {
        let kind = catalogue.kind(row.kind)?;
        let nest = Nest::Inside {
            kind: parent,
            key: (*key).to_owned(),
            field: row.field,
            path: row.path,
        };
        match after(rest, row.path)? {
            [] => Some(Target::Collection(kind, nest)),
            [key] => Some(Target::Item(kind, (*key).to_owned(), nest)),
            _ => None,
        }
    })
}

/// What follows the segments of `path`.
fn after<'s>(segments: &'s [&'s str], path: &str) -> Option<&'s [&'s str]> {
    let mut rest = segments;
    for segment in path.split('/') {
        let (first, others) = rest.split_first()?;
        if *first != segment {
            return None;
        }
        rest = others;
    }
    Some(rest)
}

/// A kind by any of its names: plural, singular, path or the segment below its parent. Kinds that
/// are not served are described too: decK asks for them and stops when it gets no answer.
pub(super) fn named<'c>(name: &str, catalogue: &'c Catalogue) -> Option<&'c EntityKind> {
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
