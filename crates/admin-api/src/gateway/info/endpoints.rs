//! `/endpoints`: every path of the API, with names in braces for what varies.
//!
//! Paths about entities follow from the descriptions, as [`place`](crate::gateway::place) resolves
//! them.

use std::collections::BTreeSet;

use entities::{Catalogue, EntityKind};

use super::paths::TEMPLATES;

/// All templates, in the order of their segments.
///
/// Compat: paths that the reference lists and answers with 404 are listed here too.
pub(in crate::gateway) fn all(catalogue: &Catalogue) -> Vec<String> {
    let mut found: BTreeSet<String> = TEMPLATES.iter().map(|text| (*text).to_owned()).collect();
    let served = || catalogue.kinds().iter().filter(|kind| kind.in_admin_api);
    for kind in served() {
        let (collection, item) = (format!("/{}", kind.path), item(kind, kind.path));
        for (field, target) in kind.foreign_fields() {
            let is_served = served().any(|kind| kind.name == target);
            if is_served {
                found.insert(format!("{item}/{}", field.name));
            }
        }
        for child in served() {
            if child.field_to(kind.name).is_none() {
                continue;
            }
            let segment = match child.nested {
                Some((of, segment)) if of == kind.name => segment,
                _ => child.path,
            };
            found.insert(format!("{item}/{segment}"));
            found.insert(format!("{item}{}", self::item(child, segment)));
        }
        found.insert(collection);
        found.insert(item);
    }
    let mut found: Vec<String> = found.into_iter().collect();
    found.sort_by(|a, b| a.split('/').cmp(b.split('/')));
    found
}

fn item(kind: &EntityKind, segment: &str) -> String {
    format!("/{segment}/{{{}}}", kind.name)
}
