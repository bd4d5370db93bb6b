//! A route (or the part of it that one path group makes) as the matcher sees it.
//!
//! Does not know in which index lists it is; `index` decides.

use std::{cmp::Reverse, sync::Arc};

use uuid::Uuid;

use crate::{
    condition::{Anchor, Facts, Seen, Test},
    order::{Attributes, CategoryKey},
    patterns::Patterns,
    query::{Query, Scheme},
    rules::{AddressRule, HeaderRule, HostRule, MethodSet, SniRule},
};

/// One condition on the path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum PathRule {
    /// The path begins with these bytes.
    Prefix(Box<[u8]>),
    /// The pattern of this number matches.
    Pattern(usize),
}

/// Where an entry stands; the smallest is tried first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OrderKey {
    /// Computed priority and id, both descending.
    Computed(Reverse<(u64, Uuid)>),
    /// Category and order inside it.
    Category(CategoryKey),
}

/// One entry.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Index of the route in the input.
    pub(crate) route: u32,
    pub(crate) key: OrderKey,
    pub(crate) attributes: Attributes,
    /// Accepts requests over plain text, over TLS.
    pub(crate) schemes: [bool; 2],
    pub(crate) hosts: Vec<HostRule>,
    pub(crate) paths: Vec<PathRule>,
    pub(crate) methods: MethodSet,
    pub(crate) headers: Vec<HeaderRule>,
    pub(crate) snis: Vec<SniRule>,
    pub(crate) sources: Vec<AddressRule>,
    pub(crate) destinations: Vec<AddressRule>,
    /// The expression, which then is the only condition beside the scheme.
    pub(crate) expression: Option<Arc<Conditions>>,
}

/// An expression, compiled.
#[derive(Debug)]
pub(crate) struct Conditions {
    pub(crate) test: Test,
    /// Where the index files it.
    pub(crate) anchors: Vec<Anchor>,
}

impl Entry {
    /// Whether the entry accepts the way the request came in.
    pub(crate) fn accepts_scheme(&self, scheme: Scheme) -> bool {
        match scheme {
            Scheme::Http => self.schemes[0],
            Scheme::Https => self.schemes[1],
        }
    }

    /// Whether a condition is on the path.
    pub(crate) fn reads_path(&self) -> bool {
        let expression = self.expression.as_ref();
        !self.paths.is_empty() || expression.is_some_and(|own| own.test.reads_path())
    }

    /// Whether there are conditions beyond scheme, host, path and method.
    pub(crate) fn has_more_conditions(&self) -> bool {
        !(self.headers.is_empty()
            && self.snis.is_empty()
            && self.sources.is_empty()
            && self.destinations.is_empty()
            && self.expression.is_none())
    }

    /// Tests the conditions beyond scheme, host, path and method.
    pub(crate) fn matches_more(&self, query: &Query<'_>, patterns: &Patterns) -> bool {
        if let Some(expression) = &self.expression {
            let facts = Facts::of_request(query);
            return expression
                .test
                .holds(&facts, patterns, &mut Seen::default());
        }
        (self.snis.is_empty() || SniRule::any(&self.snis, query))
            && AddressRule::any(&self.sources, query.source)
            && AddressRule::any(&self.destinations, query.destination)
            && self.headers.iter().all(|rule| rule.matches(query.headers))
    }
}

/// The port that a host rule with a port is compared with: that of the `Host` header, else of the listener.
pub(crate) fn request_port(query: &Query<'_>) -> u16 {
    query.host_port.unwrap_or(query.destination.1)
}
