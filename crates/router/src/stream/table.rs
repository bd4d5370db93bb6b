//! All entries of layer 4 in order, and one lane for each protocol.

use std::sync::Arc;

use entities::Route;

use super::{StreamProtocol, StreamQuery, lane::Lane, order};
use crate::{
    condition::{Facts, Seen},
    entry::{Conditions, OrderKey},
    flavor::Flavor,
    gone::RouteSet,
    patterns::Patterns,
    rules::{AddressRule, SniRule},
};

/// A route of layer 4, compiled.
#[derive(Debug, Clone)]
pub(crate) struct StreamEntry {
    /// Index of the route in the input.
    pub(crate) route: u32,
    pub(crate) key: OrderKey,
    protocols: Vec<StreamProtocol>,
    snis: Vec<SniRule>,
    sources: Vec<AddressRule>,
    destinations: Vec<AddressRule>,
    /// The expression, which then is the only condition.
    test: Option<Arc<Conditions>>,
}

impl StreamEntry {
    /// Reads a route whose addresses are read already; `None` when it has no condition.
    pub(crate) fn new(
        position: usize,
        route: &Route,
        flavor: Flavor,
        [sources, destinations]: [Vec<AddressRule>; 2],
    ) -> Option<Self> {
        let has_any =
            !(route.snis.is_empty() && route.sources.is_empty() && route.destinations.is_empty());
        has_any.then(|| Self {
            route: u32::try_from(position).unwrap_or(u32::MAX),
            key: order::key(position, route, flavor),
            protocols: protocols(route),
            snis: route
                .snis
                .iter()
                .map(|sni| SniRule::parse(sni, flavor))
                .collect(),
            sources,
            destinations,
            test: None,
        })
    }

    /// A route with an expression.
    pub(crate) fn of_expression(
        position: usize,
        route: &Route,
        key: OrderKey,
        conditions: Conditions,
    ) -> Self {
        Self {
            route: u32::try_from(position).unwrap_or(u32::MAX),
            key,
            protocols: protocols(route),
            snis: Vec::new(),
            sources: Vec::new(),
            destinations: Vec::new(),
            test: Some(Arc::new(conditions)),
        }
    }

    /// Its server names, when none has a wildcard.
    pub(super) fn exact_names(&self) -> Option<Vec<&str>> {
        let names: Option<Vec<&str>> = self.snis.iter().map(SniRule::exact).collect();
        names.filter(|names| !names.is_empty())
    }

    /// The ports of its destinations, when each names one.
    pub(super) fn ports(&self) -> Option<Vec<u16>> {
        let ports: Option<Vec<u16>> = self.destinations.iter().map(AddressRule::port).collect();
        ports.filter(|ports| !ports.is_empty())
    }

    fn accepts(&self, query: &StreamQuery<'_>, patterns: &Patterns) -> bool {
        if let Some(own) = &self.test {
            let facts = Facts::of_connection(query);
            return own.test.holds(&facts, patterns, &mut Seen::default());
        }
        let has_name = || {
            let name = query.sni;
            name.is_some_and(|name| SniRule::names(&self.snis, name))
        };
        (self.snis.is_empty() || !query.protocol.is_tls() || has_name())
            && AddressRule::any(&self.sources, query.source)
            && AddressRule::any(&self.destinations, query.destination)
    }
}

fn protocols(route: &Route) -> Vec<StreamProtocol> {
    let all = StreamProtocol::ALL.into_iter();
    all.filter(|own| route.protocols.contains(&own.of_routes()))
        .collect()
}

/// The entries of layer 4.
#[derive(Debug, Default)]
pub(crate) struct StreamTable {
    /// In order: a smaller rank wins.
    pub(crate) entries: Vec<StreamEntry>,
    lanes: [Lane; 4],
}

impl StreamTable {
    pub(crate) fn build(mut entries: Vec<StreamEntry>) -> Self {
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        let mut lanes: [Lane; 4] = Default::default();
        for (rank, entry) in (0_u32..).zip(&entries) {
            for (lane, protocol) in lanes.iter_mut().zip(StreamProtocol::ALL) {
                if entry.protocols.contains(&protocol) {
                    lane.add(rank, entry, protocol.is_tls());
                }
            }
        }
        Self { entries, lanes }
    }

    /// The first entry that accepts the connection.
    pub(crate) fn find(
        &self,
        query: &StreamQuery<'_>,
        patterns: &Patterns,
        gone: &RouteSet,
    ) -> Option<&StreamEntry> {
        let mut lanes = self.lanes.iter().zip(StreamProtocol::ALL);
        let (lane, _) = lanes.find(|(_, protocol)| *protocol == query.protocol)?;
        let rank = lane.find(&Asked {
            table: self,
            query,
            patterns,
            gone,
        })?;
        self.entries.get(rank as usize)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// A connection, and what is needed to try entries on it.
pub(super) struct Asked<'a> {
    table: &'a StreamTable,
    pub(super) query: &'a StreamQuery<'a>,
    patterns: &'a Patterns,
    gone: &'a RouteSet,
}

impl Asked<'_> {
    /// Whether the entry of this rank accepts the connection.
    pub(super) fn is_accepted_by(&self, rank: u32) -> bool {
        self.table.entries.get(rank as usize).is_some_and(|entry| {
            entry.accepts(self.query, self.patterns) && !self.gone.contains(entry.route)
        })
    }
}
