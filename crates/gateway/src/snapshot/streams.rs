//! The routes of layer 4 in the order in which they are tried.
//!
//! There are few of them: they are scanned, not indexed.
//!
//! Compat: the order of the reference's router, by flavor.

use std::cmp::Reverse;
use std::net::IpAddr;

use conf::Cidr;
use entities::{AddressRule, Protocol, Route};
use router::Flavor;
use uuid::Uuid;

/// How a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamKind {
    /// TCP without TLS.
    Tcp,
    /// TLS, whether it ends here or not: the route decides.
    Tls,
    /// Datagrams.
    Udp,
}

/// A connection, as far as routing is concerned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamQuery<'a> {
    pub(crate) kind: StreamKind,
    /// The server name of the TLS handshake, in lower case.
    pub(crate) server_name: Option<&'a str>,
    pub(crate) source: (IpAddr, u16),
    pub(crate) destination: (IpAddr, u16),
}

/// The routes of layer 4.
#[derive(Debug, Default)]
pub struct StreamRoutes {
    /// In the order of trying.
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    /// Index into the routes of the snapshot.
    route: usize,
    kinds: Vec<StreamKind>,
    names: Vec<Name>,
    sources: Vec<End>,
    destinations: Vec<End>,
}

#[derive(Debug)]
enum Name {
    Exact(String),
    /// `*.example.test`, without the star.
    Suffix(String),
    /// `example.*`, without the star.
    Prefix(String),
}

#[derive(Debug)]
struct End {
    block: Option<Cidr>,
    port: Option<u16>,
}

impl StreamRoutes {
    /// Puts routes in order; those of other protocols are left out. An error names the route, the
    /// field and what is wrong.
    pub(crate) fn compile<'r>(
        routes: impl Iterator<Item = (usize, &'r Route)>,
        flavor: Flavor,
    ) -> Result<Self, Vec<(Uuid, &'static str, String)>> {
        let mut entries = Vec::new();
        let mut problems = Vec::new();
        for (index, route) in routes {
            let kinds = kinds(route);
            if kinds.is_empty() {
                continue;
            }
            let mut ends = |rules: &[AddressRule], field| {
                let read = rules.iter().filter_map(|rule| match End::read(rule) {
                    Ok(end) => Some(end),
                    Err(text) => {
                        problems.push((route.id, field, text));
                        None
                    }
                });
                read.collect::<Vec<_>>()
            };
            let entry = Entry {
                route: index,
                kinds,
                names: route
                    .snis
                    .iter()
                    .map(|name| Name::read(name, flavor))
                    .collect(),
                sources: ends(&route.sources, "sources"),
                destinations: ends(&route.destinations, "destinations"),
            };
            entries.push((order(route, &entry, flavor), entry));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        entries.sort_by_key(|(order, _)| *order);
        Ok(Self {
            entries: entries.into_iter().map(|(_, entry)| entry).collect(),
        })
    }

    /// The index of the first route that takes a connection.
    pub(crate) fn find(&self, query: &StreamQuery<'_>) -> Option<usize> {
        let found = self.entries.iter().find(|entry| entry.takes(query));
        found.map(|entry| entry.route)
    }
}

impl Entry {
    fn takes(&self, query: &StreamQuery<'_>) -> bool {
        let names_it = |name: &Name| query.server_name.is_some_and(|own| name.fits(own));
        self.kinds.contains(&query.kind)
            && (self.names.is_empty()
                || query.kind != StreamKind::Tls
                || self.names.iter().any(names_it))
            && End::any(&self.sources, query.source)
            && End::any(&self.destinations, query.destination)
    }
}

fn kinds(route: &Route) -> Vec<StreamKind> {
    let kinds = route
        .protocols
        .iter()
        .filter_map(|protocol| match protocol {
            Protocol::Tcp => Some(StreamKind::Tcp),
            Protocol::Tls | Protocol::TlsPassthrough => Some(StreamKind::Tls),
            Protocol::Udp => Some(StreamKind::Udp),
            Protocol::Grpc | Protocol::Grpcs | Protocol::Http | Protocol::Https => None,
        });
    kinds.collect()
}

/// Sort key of a route: smaller ones are tried first.
type Order = (Reverse<u64>, u64, Reverse<Uuid>);

fn order(route: &Route, entry: &Entry, flavor: Flavor) -> Order {
    let has_names = !entry.names.is_empty();
    let (sources, destinations) = (&entry.sources, &entry.destinations);
    if flavor != Flavor::Traditional {
        let is_narrow = has_names || (!sources.is_empty() && !destinations.is_empty());
        let weight = u64::from(is_narrow) << 61 | weight(sources) << 4 | weight(destinations);
        return (Reverse(weight), 0, Reverse(route.id));
    }
    let used = [has_names, !sources.is_empty(), !destinations.is_empty()];
    let count = used.iter().filter(|is_used| **is_used).count() as u64;
    let bits = used
        .iter()
        .fold(0, |bits, is_used| bits << 1 | u64::from(*is_used));
    let is_whole = |ends: &[End]| {
        let whole = |end: &End| end.block.is_some() && end.port.is_some();
        u64::from(ends.iter().any(whole))
    };
    let wholes = is_whole(sources) << 1 | is_whole(destinations);
    // Compat: more attributes first, then server name, source, destination; older ones first.
    let weight = count << 8 | bits << 4 | wholes;
    (Reverse(weight), route.created_at, Reverse(Uuid::nil()))
}

/// What is narrower weighs more: an address 8, a port 4, a block 1.
fn weight(ends: &[End]) -> u64 {
    let weights = ends.iter().map(|end| {
        let block = match &end.block {
            None => 0,
            Some(block) if is_address(block) => 8,
            Some(_) => 1,
        };
        block | if end.port.is_some() { 4 } else { 0 }
    });
    weights.fold(0, |all, weight| all | weight)
}

fn is_address(block: &Cidr) -> bool {
    block.prefix == if block.address.is_ipv4() { 32 } else { 128 }
}

impl Name {
    /// Compat: the flavor `traditional` knows no wildcards; one trailing dot is dropped.
    fn read(text: &str, flavor: Flavor) -> Self {
        let text = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let is_plain = flavor == Flavor::Traditional;
        if let Some(suffix) = text.strip_prefix('*').filter(|_| !is_plain) {
            return Self::Suffix(suffix.to_owned());
        }
        if let Some(prefix) = text.strip_suffix('*').filter(|_| !is_plain) {
            return Self::Prefix(prefix.to_owned());
        }
        Self::Exact(text)
    }

    fn fits(&self, name: &str) -> bool {
        match self {
            Self::Exact(own) => own == name,
            Self::Suffix(suffix) => name.ends_with(suffix.as_str()),
            Self::Prefix(prefix) => name.starts_with(prefix.as_str()),
        }
    }
}

impl End {
    fn read(rule: &AddressRule) -> Result<Self, String> {
        let read = |text: &String| Cidr::parse(text);
        Ok(Self {
            block: rule.ip.as_ref().map(read).transpose()?,
            port: rule.port,
        })
    }

    fn any(ends: &[Self], (ip, port): (IpAddr, u16)) -> bool {
        let holds = |end: &Self| {
            end.block.as_ref().is_none_or(|block| block.contains(ip))
                && end.port.is_none_or(|own| own == port)
        };
        ends.is_empty() || ends.iter().any(holds)
    }
}
