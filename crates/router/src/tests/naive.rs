//! A scan through all entries with nothing clever in it: what the indexed matcher must agree with.

use std::collections::BTreeSet;

use crate::{
    Match, MatchedPath, Query, Router, Scheme,
    condition::{Facts, Seen},
    entry::{Entry, OrderKey, PathRule, request_port},
    flavor::Flavor,
    order::Attributes,
    part::Part,
    rules::{AddressRule, HostKind, HostRule, SniRule},
};

/// The answer of a scan.
pub(crate) fn find(router: &Router, query: &Query<'_>) -> Option<Match> {
    if !router.can_read(query.path) {
        return None;
    }
    let router = &*router.base;
    match router.flavor {
        Flavor::TraditionalCompatible | Flavor::Expressions => router
            .entries
            .iter()
            .find(|entry| matches(router, entry, query))
            .map(|entry| report(router, entry, query)),
        Flavor::Traditional => by_category(router, query),
    }
}

fn matches(router: &Part, entry: &Entry, query: &Query<'_>) -> bool {
    let port = request_port(query);
    let has_host = entry
        .hosts
        .iter()
        .any(|rule| host_matches(router, rule, query.host, port));
    let has_path = entry
        .paths
        .iter()
        .any(|rule| path_length(router, rule, query.path).is_some());
    let bit = router.methods.bit(query.method);
    entry.accepts_scheme(query.scheme)
        && (entry.hosts.is_empty() || has_host)
        && (entry.paths.is_empty() || has_path)
        && entry.methods.matches(bit, query.method)
        && entry.matches_more(query, &router.patterns)
}

fn host_matches(router: &Part, rule: &HostRule, host: &[u8], port: u16) -> bool {
    rule.port.is_none_or(|own| own == port) && rule.matches_name(host, router.flavor)
}

fn path_length(router: &Part, rule: &PathRule, path: &[u8]) -> Option<usize> {
    match rule {
        PathRule::Prefix(prefix) => path.starts_with(prefix).then_some(prefix.len()),
        PathRule::Pattern(number) => router.patterns.list[*number].match_len(path),
    }
}

fn report(router: &Part, entry: &Entry, query: &Query<'_>) -> Match {
    if let Some(expression) = &entry.expression {
        let mut seen = Seen::default();
        let facts = Facts::of_request(query);
        expression.test.holds(&facts, &router.patterns, &mut seen);
        let path = match seen {
            Seen::Nothing => MatchedPath::None,
            Seen::Literal(length) => MatchedPath::Prefix(length),
            Seen::Pattern(pattern) => router.matched_by(pattern, query.path).unwrap(),
        };
        let route = entry.route as usize;
        return Match { route, path };
    }
    let path = entry.paths.iter().find_map(|rule| {
        let length = path_length(router, rule, query.path)?;
        Some(match rule {
            PathRule::Prefix(_) => MatchedPath::Prefix(length),
            PathRule::Pattern(pattern) => MatchedPath::Regex {
                length,
                pattern: *pattern,
            },
        })
    });
    Match {
        route: entry.route as usize,
        path: path.unwrap_or(MatchedPath::None),
    }
}

/// The traditional flavor, step by step as the reference describes it.
fn by_category(router: &Part, query: &Query<'_>) -> Option<Match> {
    let hits = Hits::of(router, query);
    if hits.attributes.count() == 0 {
        return None;
    }
    let categories: BTreeSet<_> = router
        .entries
        .iter()
        .map(|entry| entry.attributes.category())
        .collect();
    let start = hits.attributes.category();
    let start = categories.contains(&start).then_some(start);
    for category in categories
        .iter()
        .filter(|own| start.is_none_or(|start| **own >= start))
    {
        let all = || {
            router
                .entries
                .iter()
                .filter(|e| e.attributes.category() == *category)
        };
        let winner = all()
            .filter(|entry| hits.are_shared_by(entry))
            .chain(all())
            .find(|entry| matches(router, entry, query));
        if let Some(winner) = winner {
            return Some(report(router, winner, query));
        }
    }
    None
}

struct Hits {
    attributes: Attributes,
    host: Option<HostRule>,
    header: Option<Box<str>>,
    uri: Option<PathRule>,
}

impl Hits {
    fn of(router: &Part, query: &Query<'_>) -> Self {
        let mut order: Vec<&Entry> = router.entries.iter().collect();
        order.sort_by_key(|entry| match &entry.key {
            OrderKey::Category(key) => (
                key.sub_weight,
                key.headers,
                key.regex_priority,
                key.path_length,
                key.created_at,
                key.position,
            ),
            OrderKey::Computed(_) => unreachable!("only for the traditional flavor"),
        });
        let header = order
            .iter()
            .flat_map(|entry| &entry.headers)
            .map(|rule| rule.name.clone())
            .find(|name| query.headers.is_present(name));
        let (host, has_host) = Self::host(router, &order, query);
        let uri = Self::uri(router, &order, query);
        let is_tls = query.scheme == Scheme::Https;
        let any = |test: &dyn Fn(&Entry) -> bool| order.iter().any(|entry| test(entry));
        let has_source =
            any(&|e| !e.sources.is_empty() && AddressRule::any(&e.sources, query.source));
        let has_destination = any(&|e| {
            !e.destinations.is_empty() && AddressRule::any(&e.destinations, query.destination)
        });
        let has_sni = is_tls
            && query
                .sni
                .is_some_and(|name| any(&|e| SniRule::names(&e.snis, name)));
        let attributes = Attributes::default()
            .with(Attributes::HOST, has_host)
            .with(Attributes::HEADER, header.is_some())
            .with(Attributes::URI, uri.is_some())
            .with(Attributes::METHOD, router.methods.contains(query.method))
            .with(Attributes::SNI, has_sni)
            .with(Attributes::SOURCE, has_source)
            .with(Attributes::DESTINATION, has_destination);
        Self {
            attributes,
            host,
            header,
            uri,
        }
    }

    fn host(router: &Part, order: &[&Entry], query: &Query<'_>) -> (Option<HostRule>, bool) {
        let port = request_port(query);
        let rules = || order.iter().flat_map(|entry| &entry.hosts);
        let is_hit = |rule: &&HostRule| host_matches(router, rule, query.host, port);
        if rules()
            .filter(|rule| !rule.is_wildcard())
            .any(|rule| is_hit(&rule))
        {
            let raw = HostRule {
                kind: HostKind::Exact,
                text: query.host.into(),
                port: query.host_port,
            };
            return (Some(raw), true);
        }
        let first = rules().filter(|rule| rule.is_wildcard()).find(is_hit);
        (first.cloned(), first.is_some())
    }

    fn uri(router: &Part, order: &[&Entry], query: &Query<'_>) -> Option<PathRule> {
        let rules = || order.iter().flat_map(|entry| &entry.paths);
        let is_hit = |rule: &&PathRule| path_length(router, rule, query.path).is_some();
        let pattern = rules()
            .filter(|rule| matches!(rule, PathRule::Pattern(_)))
            .find(is_hit);
        let prefix = || {
            rules()
                .filter(|rule| matches!(rule, PathRule::Prefix(_)))
                .filter(is_hit)
                .max_by_key(|rule| path_length(router, rule, query.path))
        };
        pattern.or_else(prefix).cloned()
    }

    /// Whether an entry shares the hit of its strongest attribute.
    fn are_shared_by(&self, entry: &Entry) -> bool {
        match entry.attributes.strongest() {
            Attributes::HOST => self
                .host
                .as_ref()
                .is_some_and(|hit| entry.hosts.contains(hit)),
            Attributes::HEADER => entry
                .headers
                .iter()
                .any(|rule| Some(&rule.name) == self.header.as_ref()),
            Attributes::URI => self
                .uri
                .as_ref()
                .is_some_and(|hit| entry.paths.contains(hit)),
            _ => true,
        }
    }
}
