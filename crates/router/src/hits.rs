//! What the traditional flavor finds out about a request before it compares routes.
//!
//! For each attribute the flavor looks up the first value of any route that the request has (its *hits*). The
//! set of attributes with a hit chooses the category to begin with, if there is such a category. Inside a
//! category those entries that share the hit of the category's strongest attribute go first, whatever their
//! place.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    net::IpAddr,
};

use crate::{
    entry::{Entry, OrderKey, PathRule},
    index::{Candidate, Index, Item, NONE},
    order::Attributes,
    part::Part,
    patterns::Patterns,
    query::{Query, Scheme},
    rules::{AddressRule, HostKind, HostRule, suffix_minimum},
    table::Table,
};

/// What is needed to find the hits of a request.
#[derive(Debug)]
pub(crate) struct HitIndex {
    /// The categories in order.
    categories: Vec<Attributes>,
    hosts: HostNumbers,
    /// Header fields in order.
    headers: Vec<Box<str>>,
    /// All paths in order, whatever their hosts.
    uris: Index,
    /// Some entry names a server name.
    has_snis: bool,
    /// The sources and the destinations of all entries.
    sources: Vec<AddressRule>,
    destinations: Vec<AddressRule>,
    /// For each entry the numbers of its host rules.
    entry_hosts: Vec<Vec<u32>>,
    /// For each entry the positions of its header fields in `headers`.
    entry_headers: Vec<Vec<u32>>,
}

/// The host rules of a configuration, numbered; wildcards in the order that decides the hit.
#[derive(Debug, Default)]
struct HostNumbers {
    numbers: HashMap<HostRule, u32>,
    /// From kind and text to a position in `places`.
    texts: Table,
    /// The rules of one text: their ports and numbers, ascending.
    places: Vec<Vec<(Option<u16>, u32)>>,
}

/// The path hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UriHit {
    None,
    Prefix(u32),
    Pattern(u32),
}

/// The hits of one request.
#[derive(Debug)]
pub(crate) struct Hits<'r> {
    index: &'r HitIndex,
    host: Option<u32>,
    header: Option<u32>,
    uri: UriHit,
    /// Position of the category to begin with.
    start: u8,
}

impl HitIndex {
    /// Builds it from the entries in order of rank.
    pub(crate) fn build(entries: &[Entry], patterns: &Patterns) -> Self {
        let mut order: Vec<&Entry> = entries.iter().collect();
        // The order inside categories, regardless of the category.
        order.sort_by_key(|entry| match &entry.key {
            OrderKey::Category(key) => {
                let mut key = *key;
                key.category = Attributes::default().category();
                Some(key)
            }
            OrderKey::Computed(_) => None,
        });
        let categories: BTreeMap<_, _> = entries
            .iter()
            .map(|entry| (entry.attributes.category(), entry.attributes))
            .collect();
        // Each path once, however many entries have it.
        let mut known_paths = HashSet::new();
        let paths: Vec<&[PathRule]> = order
            .iter()
            .map(|entry| entry.paths.as_slice())
            .filter(|paths| !paths.is_empty() && known_paths.insert(*paths))
            .collect();
        let items = paths.into_iter().map(|paths| Item {
            hosts: &[],
            paths,
            headers: &[],
            anchors: None,
        });
        let uris = Index::build(items, patterns);
        let mut hosts = HostNumbers::default();
        let mut headers: Vec<Box<str>> = Vec::new();
        let mut known = BTreeSet::new();
        for entry in order {
            entry.hosts.iter().for_each(|rule| hosts.add(rule));
            let names = entry.headers.iter().map(|rule| &rule.name);
            headers.extend(names.filter(|name| known.insert((*name).clone())).cloned());
        }
        let header_number = |name: &str| headers.iter().position(|own| **own == *name);
        let entry_headers = entries.iter().map(|entry| {
            let names = entry
                .headers
                .iter()
                .filter_map(|rule| header_number(&rule.name));
            names
                .filter_map(|number| u32::try_from(number).ok())
                .collect()
        });
        Self {
            categories: categories.into_values().collect(),
            entry_hosts: entries.iter().map(|entry| hosts.of(&entry.hosts)).collect(),
            entry_headers: entry_headers.collect(),
            sources: entries
                .iter()
                .flat_map(|entry| entry.sources.clone())
                .collect(),
            destinations: entries
                .iter()
                .flat_map(|entry| entry.destinations.clone())
                .collect(),
            has_snis: entries.iter().any(|entry| !entry.snis.is_empty()),
            hosts,
            headers,
            uris,
        }
    }

    /// Position of a category.
    pub(crate) fn category_of(&self, attributes: Attributes) -> u8 {
        let position = self.categories.iter().position(|own| *own == attributes);
        position
            .and_then(|position| u8::try_from(position).ok())
            .unwrap_or(u8::MAX)
    }

    /// The hits of a request; `None` when no attribute has one.
    pub(crate) fn find(&self, router: &Part, query: &Query<'_>, port: u16) -> Option<Hits<'_>> {
        let header = self
            .headers
            .iter()
            .position(|name| query.headers.is_present(name));
        let (host, has_host) = self.hosts.hit(query, port);
        let uri = self.uri_hit(router, query.path);
        let header = header.and_then(|number| u32::try_from(number).ok());
        let mut start = 0;
        if self.has_snis && query.scheme == Scheme::Http {
            let found = Attributes::default()
                .with(Attributes::HOST, has_host)
                .with(Attributes::HEADER, header.is_some())
                .with(Attributes::URI, uri != UriHit::None)
                .with(Attributes::METHOD, router.methods.contains(query.method))
                .with(Attributes::SOURCE, has_hit(&self.sources, query.source))
                .with(
                    Attributes::DESTINATION,
                    has_hit(&self.destinations, query.destination),
                );
            start = self.start(found)?;
        }
        Some(Hits {
            index: self,
            host,
            header,
            uri,
            start,
        })
    }

    /// The category to begin with, when the attributes of `found` have a hit.
    ///
    /// It matters for requests over plain text alone: they satisfy the condition on the server name without
    /// having a hit there. Other entries that it passes over lack an attribute and cannot match.
    fn start(&self, found: Attributes) -> Option<u8> {
        if found == Attributes::default() {
            return None;
        }
        let position = self
            .categories
            .iter()
            .position(|own| *own == found)
            .unwrap_or(0);
        u8::try_from(position).ok()
    }

    /// The first pattern that matches, else the longest prefix.
    fn uri_hit(&self, router: &Part, path: &[u8]) -> UriHit {
        let Some(bucket) = self.uris.buckets.first() else {
            return UriHit::None;
        };
        let mut best = NONE;
        let mut hit = UriHit::None;
        let mut at = self.uris.deepest(0, bucket, path);
        while let Some(node) = self.uris.nodes.get(at as usize) {
            let range = node.candidates.start as usize..node.candidates.end as usize;
            for candidate in self.uris.candidates.get(range).unwrap_or_default() {
                let number = candidate.pattern;
                if number == NONE {
                    if hit == UriHit::None {
                        hit = UriHit::Prefix(node.length);
                    }
                } else if candidate.rank < best && router.patterns.is_match(number, path) {
                    best = candidate.rank;
                    hit = UriHit::Pattern(number);
                }
            }
            at = node.parent;
        }
        hit
    }
}

impl HostNumbers {
    fn add(&mut self, rule: &HostRule) {
        let number = count(self.numbers.len());
        if self.numbers.contains_key(rule) {
            return;
        }
        self.numbers.insert(rule.clone(), number);
        let next = count(self.places.len());
        let place = self.texts.insert(space(rule.kind), &rule.text, next);
        if place == next {
            self.places.push(Vec::new());
        }
        self.places[place as usize].push((rule.port, number));
    }

    fn of(&self, rules: &[HostRule]) -> Vec<u32> {
        rules
            .iter()
            .filter_map(|rule| self.numbers.get(rule).copied())
            .collect()
    }

    /// The number of the host rule that candidates are narrowed down by, and whether any rule fits.
    ///
    /// When an exact rule fits, it is the one that is spelled as the `Host` header is, if there is one.
    fn hit(&self, query: &Query<'_>, port: u16) -> (Option<u32>, bool) {
        let exact = self.rules(HostKind::Exact, query.host);
        if exact
            .iter()
            .any(|(own, _)| own.is_none_or(|own| own == port))
        {
            let spelled = exact.iter().find(|(own, _)| *own == query.host_port);
            return (spelled.map(|(_, number)| *number), true);
        }
        let minimum = suffix_minimum(crate::Flavor::Traditional);
        let mut first: Option<u32> = None;
        for dot in memchr::memchr_iter(b'.', query.host) {
            let suffix: &[(Option<u16>, u32)] = if dot >= minimum {
                self.rules(HostKind::Suffix, &query.host[dot..])
            } else {
                &[]
            };
            let prefix = self.rules(HostKind::Prefix, &query.host[..=dot]);
            let fitting = suffix
                .iter()
                .chain(prefix)
                .filter(|(own, _)| own.is_none_or(|own| own == port))
                .map(|(_, number)| *number);
            first = fitting.chain(first).min();
        }
        (first, first.is_some())
    }

    fn rules(&self, kind: HostKind, text: &[u8]) -> &[(Option<u16>, u32)] {
        let place = self.texts.get(space(kind), text);
        place
            .and_then(|place| self.places.get(place as usize))
            .map_or(&[], Vec::as_slice)
    }
}

impl Hits<'_> {
    /// Whether the search reaches the category.
    pub(crate) const fn begins_before(&self, category: u8) -> bool {
        self.start <= category
    }

    /// The smallest key in a category.
    pub(crate) fn floor(category: u8) -> u64 {
        u64::from(category) << 33
    }

    /// What a matching candidate is compared by: its category, whether it shares the strongest hit, its rank.
    pub(crate) fn key(&self, router: &Part, candidate: &Candidate, length: u32) -> u64 {
        let rank = candidate.rank as usize;
        let (Some(gate), Some(entry)) = (router.gates.get(rank), router.entries.get(rank)) else {
            return u64::MAX;
        };
        let is_among = |lists: &[Vec<u32>], hit: Option<u32>| {
            lists
                .get(rank)
                .zip(hit)
                .is_some_and(|(list, hit)| list.contains(&hit))
        };
        let shares = match entry.attributes.strongest() {
            Attributes::HOST => is_among(&self.index.entry_hosts, self.host),
            Attributes::HEADER => is_among(&self.index.entry_headers, self.header),
            Attributes::URI => self.shares_uri(&entry.paths, length),
            _ => true,
        };
        Self::floor(gate.category) | u64::from(!shares) << 32 | u64::from(candidate.rank)
    }

    fn shares_uri(&self, paths: &[PathRule], length: u32) -> bool {
        match (self.uri, paths.first()) {
            (UriHit::Pattern(hit), Some(PathRule::Pattern(own))) => *own == hit as usize,
            (UriHit::Prefix(hit), Some(PathRule::Prefix(_))) => hit == length,
            _ => false,
        }
    }
}

/// Whether one of the rules holds for an end of the connection.
fn has_hit(rules: &[AddressRule], end: (IpAddr, u16)) -> bool {
    !rules.is_empty() && AddressRule::any(rules, end)
}

const fn space(kind: HostKind) -> u32 {
    match kind {
        HostKind::Exact => 0,
        HostKind::Suffix => 1,
        HostKind::Prefix => 2,
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
