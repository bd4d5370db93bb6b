//! All entries of layer 4 in order, and one lane for each protocol.

use entities::Route;

use super::{StreamProtocol, StreamQuery, lane::Lane, order};
use crate::{
    entry::OrderKey,
    flavor::Flavor,
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
        let protocols = StreamProtocol::ALL.into_iter();
        has_any.then(|| Self {
            route: u32::try_from(position).unwrap_or(u32::MAX),
            key: order::key(position, route, flavor),
            protocols: protocols
                .filter(|own| route.protocols.contains(&own.of_routes()))
                .collect(),
            snis: route
                .snis
                .iter()
                .map(|sni| SniRule::parse(sni, flavor))
                .collect(),
            sources,
            destinations,
        })
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

    fn accepts(&self, query: &StreamQuery<'_>) -> bool {
        let has_name = || {
            let name = query.sni;
            name.is_some_and(|name| SniRule::names(&self.snis, name))
        };
        (self.snis.is_empty() || !query.protocol.is_tls() || has_name())
            && AddressRule::any(&self.sources, query.source)
            && AddressRule::any(&self.destinations, query.destination)
    }
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
    pub(crate) fn find(&self, query: &StreamQuery<'_>) -> Option<&StreamEntry> {
        let mut lanes = self.lanes.iter().zip(StreamProtocol::ALL);
        let (lane, _) = lanes.find(|(_, protocol)| *protocol == query.protocol)?;
        let rank = lane.find(self, query)?;
        self.entries.get(rank as usize)
    }

    pub(super) fn accepts(&self, rank: u32, query: &StreamQuery<'_>) -> bool {
        self.entries
            .get(rank as usize)
            .is_some_and(|entry| entry.accepts(query))
    }
}
