//! Which of two entries of layer 4 is tried first.

use std::cmp::Reverse;

use entities::{AddressRule, Route};

use crate::{
    entry::OrderKey,
    flavor::Flavor,
    order::{Attributes, CategoryKey},
};

/// Set for a server name, and for both ends together.
const FIRST: u64 = 1 << 61;
const ADDRESS: u64 = 8;
const PORT: u64 = 4;
const BLOCK: u64 = 1;

/// Where the conditions of a route put it.
///
/// `Compat:` in the flavors with a computed priority the weights of the entries of one list are joined bit by
/// bit, and those of the sources count more than those of the destinations.
pub(super) fn key(position: usize, route: &Route, flavor: Flavor) -> OrderKey {
    if flavor != Flavor::Traditional {
        return OrderKey::Computed(Reverse((priority(route), route.id)));
    }
    let attributes = Attributes::default()
        .with(Attributes::SNI, !route.snis.is_empty())
        .with(Attributes::SOURCE, !route.sources.is_empty())
        .with(Attributes::DESTINATION, !route.destinations.is_empty());
    let is_full = |rule: &AddressRule| rule.ip.is_some() && rule.port.is_some();
    let has_full = |rules: &[AddressRule]| u8::from(rules.iter().any(is_full));
    OrderKey::Category(CategoryKey {
        category: attributes.category(),
        sub_weight: Reverse(2 * has_full(&route.sources) + has_full(&route.destinations)),
        headers: Reverse(0),
        regex_priority: Reverse(0),
        path_length: Reverse(0),
        created_at: route.created_at,
        position,
    })
}

fn priority(route: &Route) -> u64 {
    let has_both = !route.sources.is_empty() && !route.destinations.is_empty();
    let first = if !route.snis.is_empty() || has_both {
        FIRST
    } else {
        0
    };
    first | weight(&route.sources) << 4 | weight(&route.destinations)
}

fn weight(rules: &[AddressRule]) -> u64 {
    rules.iter().fold(0, |sum, rule| {
        let address = match rule.ip.as_deref() {
            Some(ip) if ip.contains('/') => BLOCK,
            Some(_) => ADDRESS,
            None => 0,
        };
        sum | address | if rule.port.is_some() { PORT } else { 0 }
    })
}
