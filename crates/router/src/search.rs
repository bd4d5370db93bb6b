//! One lookup: walks the buckets of the host and the nodes of the path, keeping the best entry.
//!
//! Does not decide the order; ranks (and for the traditional flavor `hits`) do.

use crate::{
    condition::{Facts, Seen},
    entry::{Conditions, Entry, PathRule, request_port},
    gone::RouteSet,
    hits::Hits,
    index::{Bucket, Candidate, EXACT, NONE, Node, PREFIX, SUFFIX},
    matched::{Match, MatchedPath},
    part::{Gate, Part},
    query::Query,
    rules::suffix_minimum,
};

/// The state of one lookup.
pub(crate) struct Search<'r, 'q> {
    router: &'r Part,
    gone: &'q RouteSet,
    query: &'q Query<'q>,
    method_bit: u64,
    port: u16,
    /// Only for the traditional flavor.
    hits: Option<Hits<'r>>,
    /// What the best entry so far is compared by; smaller is better.
    best_key: u64,
    best: Option<(&'r Candidate, u32)>,
}

impl<'r, 'q> Search<'r, 'q> {
    /// Prepares a lookup; `None` when it is clear that nothing matches.
    pub(crate) fn new(router: &'r Part, query: &'q Query<'q>, gone: &'q RouteSet) -> Option<Self> {
        let port = request_port(query);
        let hits = match &router.hits {
            Some(index) => Some(index.find(router, query, port)?),
            None => None,
        };
        let method_bit = router.methods.bit(query.method);
        Some(Self {
            router,
            gone,
            query,
            method_bit,
            port,
            hits,
            best_key: u64::MAX,
            best: None,
        })
    }

    /// Looks at everything that may match.
    pub(crate) fn run(mut self) -> Option<(&'r Entry, Match)> {
        let index = &self.router.index;
        let host = self.query.host;
        if index.has_exact
            && let Some(bucket) = index.hosts.get(EXACT, host)
        {
            self.visit(bucket);
        }
        if index.has_suffixes || index.has_prefixes {
            self.visit_wildcards(host);
        }
        self.visit(0);
        self.finish()
    }

    fn visit_wildcards(&mut self, host: &[u8]) {
        let index = &self.router.index;
        let minimum = suffix_minimum(self.router.flavor);
        for dot in memchr::memchr_iter(b'.', host) {
            if index.has_suffixes
                && dot >= minimum
                && let Some(bucket) = index.hosts.get(SUFFIX, &host[dot..])
            {
                self.visit(bucket);
            }
            if index.has_prefixes
                && let Some(bucket) = index.hosts.get(PREFIX, &host[..=dot])
            {
                self.visit(bucket);
            }
        }
    }

    fn visit(&mut self, number: u32) {
        let index = &self.router.index;
        let Some(bucket) = index.buckets.get(number as usize) else {
            return;
        };
        if self.is_beaten(bucket.best) {
            return;
        }
        self.visit_path(number, bucket);
    }

    fn visit_path(&mut self, number: u32, bucket: &'r Bucket) {
        let index = &self.router.index;
        let mut at = index.deepest(number, bucket, self.query.path);
        while let Some(node) = index.nodes.get(at as usize) {
            if self.is_beaten(node.best) {
                return;
            }
            self.visit_node(node);
            at = node.parent;
        }
    }

    fn visit_node(&mut self, node: &'r Node) {
        let range = node.candidates.start as usize..node.candidates.end as usize;
        let router = self.router;
        self.visit_list(
            router.index.candidates.get(range).unwrap_or_default(),
            node.length,
        );
        if let Some(narrowing) = &node.narrowing {
            let headers = self.query.headers;
            narrowing.visit(headers, &mut |list| self.visit_list(list, node.length));
        }
    }

    fn visit_list(&mut self, candidates: &'r [Candidate], length: u32) {
        for candidate in candidates {
            if self.is_beaten(candidate.rank) {
                return;
            }
            if !self.accepts(candidate) {
                continue;
            }
            let key = self.key(candidate, length);
            if key < self.best_key {
                self.best_key = key;
                self.best = Some((candidate, length));
            }
        }
    }

    /// Whether neither this rank nor a later one can win any more.
    fn is_beaten(&self, rank: u32) -> bool {
        rank == NONE || self.floor(rank) >= self.best_key
    }

    /// The smallest key that an entry of this rank or a later one can have.
    fn floor(&self, rank: u32) -> u64 {
        match (&self.hits, self.router.gates.get(rank as usize)) {
            (Some(_), Some(gate)) => Hits::floor(gate.category),
            _ => u64::from(rank),
        }
    }

    fn key(&self, candidate: &Candidate, length: u32) -> u64 {
        match &self.hits {
            Some(hits) => hits.key(self.router, candidate, length),
            None => u64::from(candidate.rank),
        }
    }

    fn accepts(&self, candidate: &Candidate) -> bool {
        let Some(gate) = self.router.gates.get(candidate.rank as usize) else {
            return false;
        };
        gate.methods & self.method_bit != 0
            && gate.accepts_scheme(self.query.scheme)
            && candidate.port.is_none_or(|port| port == self.port)
            && self.accepts_more(candidate, gate)
    }

    fn accepts_more(&self, candidate: &Candidate, gate: &Gate) -> bool {
        let entry = &self.router.entries[candidate.rank as usize];
        self.hits
            .as_ref()
            .is_none_or(|hits| hits.begins_before(gate.category))
            && entry.methods.matches(self.method_bit, self.query.method)
            && (!gate.has_more || entry.matches_more(self.query, &self.router.patterns))
            && (candidate.pattern == NONE
                || self
                    .router
                    .patterns
                    .is_match(candidate.pattern, self.query.path))
            && (self.gone.is_empty() || !self.gone.contains(entry.route))
    }

    fn finish(self) -> Option<(&'r Entry, Match)> {
        let (candidate, length) = self.best?;
        let entry = self.router.entries.get(candidate.rank as usize)?;
        if let Some(expression) = &entry.expression {
            return Some((entry, self.report(entry, expression)?));
        }
        let path = match (candidate.has_path, candidate.pattern) {
            (false, _) => MatchedPath::None,
            (true, NONE) => MatchedPath::Prefix(length as usize),
            // Several patterns of one entry: the first that matches in the order of the route counts.
            (true, _) => entry
                .paths
                .iter()
                .find_map(|rule| self.pattern_match(rule))?,
        };
        let route = entry.route as usize;
        Some((entry, Match { route, path }))
    }

    fn pattern_match(&self, rule: &PathRule) -> Option<MatchedPath> {
        let PathRule::Pattern(pattern) = rule else {
            return None;
        };
        self.router.matched_by(*pattern, self.query.path)
    }

    /// What an expression matched: it is evaluated once more, to see what the path was compared with.
    fn report(&self, entry: &Entry, expression: &Conditions) -> Option<Match> {
        let mut seen = Seen::default();
        let facts = Facts::of_request(self.query);
        let holds = expression
            .test
            .holds(&facts, &self.router.patterns, &mut seen);
        let path = match seen {
            Seen::Nothing => MatchedPath::None,
            Seen::Literal(length) => MatchedPath::Prefix(length),
            Seen::Pattern(pattern) => self.router.matched_by(pattern, self.query.path)?,
        };
        holds.then_some(Match {
            route: entry.route as usize,
            path,
        })
    }
}
