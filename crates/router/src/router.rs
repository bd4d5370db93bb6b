//! The router: built once from all routes, then asked for each request.

use entities::Route;
use regex::bytes::{Captures, Regex};

use crate::{
    compile::Compiler,
    entry::Entry,
    error::CompileError,
    flavor::Flavor,
    hits::HitIndex,
    index::{Index, Item},
    matched::{Match, MatchedPath},
    patterns::Patterns,
    query::{Query, Scheme},
    rules::MethodNames,
    search::Search,
    stream::{StreamQuery, StreamTable},
};

/// A route to compile.
#[derive(Debug, Clone, Copy)]
pub struct RouteInput<'a> {
    /// The route. Routes of disabled services are left out by the caller.
    pub route: &'a Route,
}

/// All routes of a configuration, ready for lookups. Immutable and shared between threads.
#[derive(Debug)]
pub struct Router {
    pub(crate) flavor: Flavor,
    /// In order: a smaller rank wins.
    pub(crate) entries: Vec<Entry>,
    /// What most candidates fail on, beside the entries and in the same order.
    pub(crate) gates: Vec<Gate>,
    pub(crate) patterns: Patterns,
    pub(crate) methods: MethodNames,
    pub(crate) index: Index,
    /// Only for the traditional flavor.
    pub(crate) hits: Option<HitIndex>,
    /// Some route has a condition on the path.
    has_paths: bool,
    pub(crate) streams: StreamTable,
}

/// The cheap conditions of an entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gate {
    pub(crate) methods: u64,
    /// Position of the entry's category (traditional flavor).
    pub(crate) category: u8,
    schemes: [bool; 2],
    pub(crate) has_more: bool,
}

impl Gate {
    fn new(entry: &Entry, category: u8) -> Self {
        Self {
            methods: entry.methods.bits(),
            category,
            schemes: [Scheme::Http, Scheme::Https].map(|scheme| entry.accepts_scheme(scheme)),
            has_more: entry.has_more_conditions(),
        }
    }

    pub(crate) fn accepts_scheme(&self, scheme: Scheme) -> bool {
        self.schemes[usize::from(scheme == Scheme::Https)]
    }
}

impl Router {
    /// Compiles the routes of a configuration. Routes without any condition never match.
    ///
    /// # Errors
    ///
    /// All problems of all routes: patterns that the engine does not know or that grow too large, addresses
    /// that are none.
    pub fn compile(routes: &[RouteInput<'_>], flavor: Flavor) -> Result<Self, Vec<CompileError>> {
        let mut compiler = Compiler::new(flavor);
        for (position, input) in routes.iter().enumerate() {
            compiler.add(position, input);
        }
        let Compiler {
            patterns,
            methods,
            mut entries,
            streams,
            errors,
            ..
        } = compiler;
        if !errors.is_empty() {
            return Err(errors);
        }
        // Stable: entries of one key stay in the order of the input.
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        let items = entries.iter().map(|entry| Item {
            hosts: &entry.hosts,
            paths: &entry.paths,
            headers: &entry.headers,
            anchors: entry
                .expression
                .as_ref()
                .map(|expression| &*expression.anchors),
        });
        let index = Index::build(items, &patterns);
        let hits = (flavor == Flavor::Traditional).then(|| HitIndex::build(&entries, &patterns));
        let gates = entries
            .iter()
            .map(|entry| {
                let category = hits
                    .as_ref()
                    .map_or(0, |hits| hits.category_of(entry.attributes));
                Gate::new(entry, category)
            })
            .collect();
        let has_paths = entries.iter().any(Entry::reads_path);
        Ok(Self {
            flavor,
            entries,
            gates,
            patterns,
            methods,
            index,
            hits,
            has_paths,
            streams: StreamTable::build(streams),
        })
    }

    /// The flavor that the routes were compiled for.
    #[must_use]
    pub const fn flavor(&self) -> Flavor {
        self.flavor
    }

    /// Whether no request and no connection can match.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.streams.entries.is_empty()
    }

    /// The route that a connection of layer 4 belongs to: its index in the slice that
    /// [`Router::compile`] was given. Allocates nothing.
    ///
    /// A connection over TLS is asked about as [`crate::StreamProtocol::TlsPassthrough`] first, then, when
    /// nothing fits and the handshake is done, as [`crate::StreamProtocol::Tls`].
    #[must_use]
    pub fn match_stream(&self, query: &StreamQuery<'_>) -> Option<usize> {
        let entry = self.streams.find(query, &self.patterns)?;
        Some(entry.route as usize)
    }

    /// The route that a request belongs to. Allocates nothing.
    #[must_use]
    pub fn find(&self, query: &Query<'_>) -> Option<Match> {
        if !self.can_read(query.path) {
            return None;
        }
        Search::new(self, query)?.run()
    }

    /// The groups of the pattern that matched; `None` when the route matched without a pattern.
    ///
    /// `path` is the path of the query. Numbered and named groups are there; group 0 is the whole text.
    #[must_use]
    pub fn captures<'p>(&self, matched: &Match, path: &'p [u8]) -> Option<Captures<'p>> {
        match matched.path {
            MatchedPath::Regex { pattern, .. } => {
                self.patterns.list.get(pattern)?.regex()?.captures(path)
            }
            MatchedPath::None | MatchedPath::Prefix(_) => None,
        }
    }

    /// The names of the groups of the pattern that matched, by number; empty without a pattern.
    pub fn capture_names(&self, matched: &Match) -> impl Iterator<Item = Option<&str>> {
        let pattern = match matched.path {
            MatchedPath::Regex { pattern, .. } => self.patterns.list.get(pattern),
            MatchedPath::None | MatchedPath::Prefix(_) => None,
        };
        pattern
            .into_iter()
            .filter_map(|pattern| pattern.regex())
            .flat_map(Regex::capture_names)
    }

    /// What a pattern matches of a path.
    pub(crate) fn matched_by(&self, pattern: usize, path: &[u8]) -> Option<MatchedPath> {
        let length = self.patterns.list.get(pattern)?.match_len(path)?;
        Some(MatchedPath::Regex { length, pattern })
    }

    /// The compatible flavor compares text: with a path that is no UTF-8 nothing matches, as soon as any route
    /// looks at paths.
    pub(crate) fn can_read(&self, path: &[u8]) -> bool {
        self.flavor == Flavor::Traditional
            || !self.has_paths
            || path.is_ascii()
            || std::str::from_utf8(path).is_ok()
    }
}
