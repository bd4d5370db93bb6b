//! What a path means. Pure: segments in, places out.
//!
//! Nothing is listed per kind: which collections stand inside which entities follows from the
//! references in the descriptions. Only what the reference does differently is named here.

use entities::{Catalogue, EntityKind};
use http::Method;

use super::groups::{self, Side};

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
    /// Consumers of a group or groups of a consumer: all or one.
    Members(Side, String, Option<String>),
    /// The plugins that use a partial.
    Links(String),
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
    /// The description of a shared part of plugin configurations.
    PartialSchema(String),
    /// The description of a filter.
    FilterSchema(String),
    /// A check without writing.
    Validate(String),
    /// The description of this API.
    Description,
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
            | Self::Links(_)
            | Self::Schema(_)
            | Self::PluginSchema(_)
            | Self::OldPluginSchema(_)
            | Self::PartialSchema(_)
            | Self::FilterSchema(_)
            | Self::Description
            | Self::VaultSchema(_) => READ,
            Self::Members(_, _, None) => &[Method::GET, Method::POST, Method::DELETE],
            Self::Members(_, _, Some(_)) => &[Method::GET, Method::DELETE],
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
    let served = catalogue.kinds().iter().filter(|kind| kind.in_admin_api);
    let mut places = served.filter_map(|kind| {
        let rest = after(&segments, kind.path)?;
        match *rest {
            [] => at_top(kind).then_some(Place::Collection(kind, None)),
            [key] => at_top(kind).then(|| Place::Item(kind, key.to_owned(), None)),
            [key, ref tail @ ..] => below(kind, key, tail, catalogue),
        }
    });
    places.next()
}

/// What is left of a path that starts with another one, which may have several segments.
fn after<'s, 't>(segments: &'s [&'t str], path: &str) -> Option<&'s [&'t str]> {
    let count = path.split('/').count();
    let (head, rest) = segments.split_at_checked(count)?;
    head.iter().copied().eq(path.split('/')).then_some(rest)
}

fn at_top(kind: &EntityKind) -> bool {
    !ONLY_NESTED.contains(&kind.name)
}

fn special(segments: &[&str]) -> Option<Place<'static>> {
    let own = |text: &str| text.to_owned();
    let place = match *segments {
        ["openapi.json"] => Place::Description,
        ["tags"] => Place::Tags,
        ["tags", tag] => Place::Tag(own(tag)),
        ["partials", key, "links"] => Place::Links(own(key)),
        ["upstreams", key, "targets", "all"] => Place::AllTargets(own(key)),
        ["schemas", "plugins", "validate"] => Place::Validate(own("plugins")),
        ["schemas", "vaults", "validate"] => Place::Validate(own("vaults")),
        ["schemas", "plugins", name] => Place::PluginSchema(own(name)),
        ["schemas", "vaults", name] => Place::VaultSchema(own(name)),
        ["schemas", "partials", name] if name != "validate" => Place::PartialSchema(own(name)),
        ["schemas", "filters", name] if name != "validate" => Place::FilterSchema(own(name)),
        ["plugins", "schema", name] => Place::OldPluginSchema(own(name)),
        ["schemas", kind] => Place::Schema(own(kind)),
        ["schemas", kind, "validate"] => Place::Validate(own(kind)),
        ["filter-chains", ..] | [_, _, "filter-chains", ..] if segments.len() <= 4 => {
            Place::Off(NO_WASM)
        }
        ["routes", _, "filters", "all" | "enabled" | "disabled"] => Place::Off(NO_WASM),
        _ => return None,
    };
    Some(place)
}

/// What stands below an entity: what refers to it, or what it refers to.
fn below<'c>(
    kind: &'c EntityKind,
    key: &str,
    tail: &[&str],
    catalogue: &'c Catalogue,
) -> Option<Place<'c>> {
    if let Some(place) = members(kind, key, tail, catalogue) {
        return Some(place);
    }
    let children = catalogue.kinds().iter().filter(|kind| kind.in_admin_api);
    let mut found = children.filter_map(|child| {
        let field = child.field_to(kind.name)?;
        let segment = match child.nested {
            Some((of, segment)) if of == kind.name => segment,
            _ => child.path,
        };
        let inside = || {
            Some(Inside {
                kind,
                key: key.to_owned(),
                field,
                segment,
            })
        };
        match *after(tail, segment)? {
            [] => Some(Place::Collection(child, inside())),
            [key] => Some(Place::Item(child, key.to_owned(), inside())),
            _ => None,
        }
    });
    found.next().or_else(|| match *tail {
        [member] if at_top(kind) => foreign(kind, key, member, catalogue),
        _ => None,
    })
}

/// Consumers of a group and groups of a consumer.
fn members<'c>(
    kind: &'c EntityKind,
    key: &str,
    tail: &[&str],
    catalogue: &'c Catalogue,
) -> Option<Place<'c>> {
    let (segment, rest) = tail.split_first()?;
    let side = match (kind.name, *segment) {
        ("consumer_groups", "consumers") => Side::Consumers,
        ("consumers", "consumer_groups") => Side::Groups,
        _ => return None,
    };
    catalogue.kind(groups::KIND)?;
    let other = match *rest {
        [] => None,
        [other] => Some(other.to_owned()),
        _ => return None,
    };
    let key = key.to_owned();
    Some(Place::Members(side, key, other))
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
