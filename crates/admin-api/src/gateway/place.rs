//! What a path means. Pure: segments in, places out.
//!
//! Nothing is listed per kind: which collections stand inside which entities follows from the
//! references in the descriptions. Only what the reference does differently is named here.

use entities::{Catalogue, EntityKind};
use http::Method;

/// Compat: collections that exist only below their parents.
const ONLY_NESTED: [&str; 1] = ["targets"];
/// Compat: references that have no path of their own.
const NO_FOREIGN: [(&str, &str); 2] = [("snis", "certificate"), ("targets", "upstream")];

const LIST: &[Method] = &[Method::GET, Method::POST];
const ITEM: &[Method] = &[Method::GET, Method::PUT, Method::PATCH, Method::DELETE];
const READ: &[Method] = &[Method::GET];
const WRITE: &[Method] = &[Method::POST];

/// The entity a collection stands in.
#[derive(Clone, Debug)]
pub(super) struct Inside<'c> {
    /// Its kind.
    pub(super) kind: &'c EntityKind,
    /// Its id or other key.
    pub(super) key: String,
    /// The member of the child that refers to it.
    pub(super) field: &'static str,
    /// The child's segment.
    pub(super) segment: &'static str,
}

/// What a path means.
#[derive(Clone, Debug)]
pub(super) enum Place<'c> {
    /// All entities of a kind, or those inside another one.
    Collection(&'c EntityKind, Option<Inside<'c>>),
    /// One entity.
    Item(&'c EntityKind, String, Option<Inside<'c>>),
    /// The entity that another one refers to.
    Foreign {
        /// The referring kind.
        kind: &'c EntityKind,
        /// The referring entity.
        key: String,
        /// The member.
        field: &'static str,
        /// The kind referred to.
        target: &'c EntityKind,
    },
    /// All targets of an upstream, in the order of their ids.
    AllTargets(String),
    /// All tags.
    Tags,
    /// The entities that have a tag.
    Tag(String),
    /// The description of a kind.
    Schema(String),
    /// The description of a plugin.
    PluginSchema(String),
    /// The description of a plugin's configuration.
    OldPluginSchema(String),
    /// The description of a vault.
    VaultSchema(String),
    /// A check without writing.
    Validate(String),
    /// Something that exists only with a feature that is off.
    Off(&'static str),
}

impl Place<'_> {
    /// The methods of a path, without `HEAD` and `OPTIONS`.
    pub(super) const fn methods(&self) -> &'static [Method] {
        match self {
            Self::Collection(..) | Self::Tags => LIST,
            Self::Item(..) | Self::Foreign { .. } | Self::Tag(_) | Self::Off(_) => ITEM,
            Self::AllTargets(_)
            | Self::Schema(_)
            | Self::PluginSchema(_)
            | Self::OldPluginSchema(_)
            | Self::VaultSchema(_) => READ,
            Self::Validate(_) => WRITE,
        }
    }
}

/// Compat: what the reference says while its WebAssembly filters are switched off.
const NO_WASM: &str = "this endpoint is only available when wasm is enabled";

/// What a path means; `None` when nothing is there.
pub(super) fn resolve<'c>(segments: &[String], catalogue: &'c Catalogue) -> Option<Place<'c>> {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    if let Some(place) = special(&segments) {
        return Some(place);
    }
    match *segments.as_slice() {
        [collection] => Some(Place::Collection(top(collection, catalogue)?, None)),
        [collection, key] => {
            let kind = top(collection, catalogue)?;
            Some(Place::Item(kind, key.to_owned(), None))
        }
        [collection, key, member] => {
            let kind = served(collection, catalogue)?;
            if let Some((child, inside)) = inside(kind, key, member, catalogue) {
                return Some(Place::Collection(child, Some(inside)));
            }
            let kind = top(collection, catalogue)?;
            foreign(kind, key, member, catalogue)
        }
        [collection, key, member, child_key] => {
            let kind = served(collection, catalogue)?;
            let (child, inside) = inside(kind, key, member, catalogue)?;
            Some(Place::Item(child, child_key.to_owned(), Some(inside)))
        }
        _ => None,
    }
}

fn special(segments: &[&str]) -> Option<Place<'static>> {
    let own = |text: &str| text.to_owned();
    let place = match *segments {
        ["tags"] => Place::Tags,
        ["tags", tag] => Place::Tag(own(tag)),
        ["upstreams", key, "targets", "all"] => Place::AllTargets(own(key)),
        ["schemas", "plugins", "validate"] => Place::Validate(own("plugins")),
        ["schemas", "vaults", "validate"] => Place::Validate(own("vaults")),
        ["schemas", "plugins", name] => Place::PluginSchema(own(name)),
        ["schemas", "vaults", name] => Place::VaultSchema(own(name)),
        ["plugins", "schema", name] => Place::OldPluginSchema(own(name)),
        ["schemas", kind] => Place::Schema(own(kind)),
        ["schemas", kind, "validate"] => Place::Validate(own(kind)),
        ["filter-chains", ..] | [_, _, "filter-chains", ..] if segments.len() <= 4 => {
            Place::Off(NO_WASM)
        }
        _ => return None,
    };
    Some(place)
}

/// The kind whose paths start with a segment.
fn served<'c>(segment: &str, catalogue: &'c Catalogue) -> Option<&'c EntityKind> {
    catalogue
        .kinds()
        .iter()
        .find(|kind| kind.in_admin_api && kind.path == segment)
}

fn top<'c>(segment: &str, catalogue: &'c Catalogue) -> Option<&'c EntityKind> {
    served(segment, catalogue).filter(|kind| !ONLY_NESTED.contains(&kind.name))
}

fn inside<'c>(
    parent: &'c EntityKind,
    key: &str,
    segment: &str,
    catalogue: &'c Catalogue,
) -> Option<(&'c EntityKind, Inside<'c>)> {
    let children = catalogue.kinds().iter().filter(|kind| kind.in_admin_api);
    let mut found = children.filter_map(|child| {
        let field = child.field_to(parent.name)?;
        let own = match child.nested {
            Some((of, segment)) if of == parent.name => segment,
            _ => child.path,
        };
        (own == segment).then_some((child, field, own))
    });
    let (child, field, segment) = found.next()?;
    let inside = Inside {
        kind: parent,
        key: key.to_owned(),
        field,
        segment,
    };
    Some((child, inside))
}

fn foreign<'c>(
    kind: &'c EntityKind,
    key: &str,
    member: &str,
    catalogue: &'c Catalogue,
) -> Option<Place<'c>> {
    let (field, target) = kind
        .foreign_fields()
        .find(|(field, _)| field.name == member)?;
    if NO_FOREIGN.contains(&(kind.name, field.name)) {
        return None;
    }
    Some(Place::Foreign {
        kind,
        key: key.to_owned(),
        field: field.name,
        target: catalogue.kind(target).filter(|kind| kind.in_admin_api)?,
    })
}
