//! The router: built once from all routes, brought up to date with changes, and asked for each request.

use std::{collections::BTreeMap, sync::Arc};

use entities::Route;
use regex::bytes::{Captures, Regex};

use crate::{
    error::CompileError,
    flavor::Flavor,
    gone::RouteSet,
    matched::{Match, MatchedPath},
    part::Part,
    patterns::Pattern,
    query::Query,
    stream::StreamQuery,
};

/// Most routes that a router holds beside those it was compiled from, and most that it leaves out of them.
/// With more it is time to compile anew.
const CHANGES_MAX: usize = 512;

/// A route to compile.
#[derive(Debug, Clone, Copy)]
pub struct RouteInput<'a> {
    /// The route. Routes of disabled services are left out by the caller.
    pub route: &'a Route,
}

/// What became of a route.
#[derive(Debug, Clone, Copy)]
pub struct RouteChange<'a> {
    /// The number of the route: its index in the slice of [`Router::compile`], or a number of its own for a new
    /// route.
    pub number: usize,
    /// The route as it is now; `None` when it is no longer there.
    pub route: Option<&'a Route>,
}

/// All routes of a configuration, ready for lookups. Immutable and shared between threads; a clone is cheap.
#[derive(Debug, Clone)]
pub struct Router {
    /// The routes that were compiled together.
    pub(crate) base: Arc<Part>,
    /// Routes of `base` that are no longer as they were.
    pub(crate) gone: Arc<RouteSet>,
    /// Routes that were added or changed since, with their numbers.
    late: Arc<BTreeMap<usize, Route>>,
    /// Those, compiled.
    pub(crate) added: Option<Arc<Part>>,
    /// Some route has a condition on the path.
    has_paths: bool,
}

impl Router {
    /// Compiles the routes of a configuration. Routes without any condition never match.
    ///
    /// # Errors
    ///
    /// All problems of all routes: patterns that the engine does not know or that grow too large, addresses
    /// that are none, expressions that cannot be read.
    pub fn compile(routes: &[RouteInput<'_>], flavor: Flavor) -> Result<Self, Vec<CompileError>> {
        let routes = routes.iter().copied().enumerate();
        Part::compile(routes, flavor, &[]).map(Self::of)
    }

    /// [`Router::compile`] for routes of which many are those of this router: patterns are not compiled again.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn compile_anew(&self, routes: &[RouteInput<'_>]) -> Result<Self, Vec<CompileError>> {
        let added = self.added.as_ref().map(|added| &added.patterns);
        let earlier: Vec<_> = std::iter::once(&self.base.patterns).chain(added).collect();
        let routes = routes.iter().copied().enumerate();
        Part::compile(routes, self.flavor(), &earlier).map(Self::of)
    }

    fn of(base: Part) -> Self {
        Self {
            has_paths: !base.path_routes.is_empty(),
            base: Arc::new(base),
            gone: Arc::default(),
            late: Arc::default(),
            added: None,
        }
    }

    /// The router of the same routes with some changes, which answers as one that is compiled anew does. The
    /// cost is that of the routes that changed since the last compilation, not that of all routes. `None` when
    /// compiling anew is better: after many changes, and in the traditional flavor, whose order depends on what
    /// all routes have in common.
    ///
    /// # Errors
    ///
    /// All problems of the changed routes.
    pub fn changed(&self, changes: &[RouteChange<'_>]) -> Result<Option<Self>, Vec<CompileError>> {
        if self.flavor() == Flavor::Traditional || changes.len() > CHANGES_MAX {
            return Ok(None);
        }
        let mut gone = RouteSet::clone(&self.gone);
        let mut late = BTreeMap::clone(&self.late);
        for change in changes {
            gone.insert(change.number);
            match change.route {
                Some(route) => late.insert(change.number, route.clone()),
                None => late.remove(&change.number),
            };
        }
        if gone.len() > CHANGES_MAX {
            return Ok(None);
        }
        let routes = late
            .iter()
            .map(|(number, route)| (*number, RouteInput { route }));
        let old = self.added.as_ref().map(|added| &added.patterns);
        let earlier: Vec<_> = std::iter::once(&self.base.patterns).chain(old).collect();
        let added = Part::compile(routes, self.flavor(), &earlier)?;
        let has_paths = !added.path_routes.is_empty() || self.base.path_routes.exceeds(&gone);
        Ok(Some(Self {
            base: Arc::clone(&self.base),
            gone: Arc::new(gone),
            added: (!late.is_empty()).then(|| Arc::new(added)),
            late: Arc::new(late),
            has_paths,
        }))
    }

    /// The flavor that the routes were compiled for.
    #[must_use]
    pub fn flavor(&self) -> Flavor {
        self.base.flavor
    }

    /// Whether no request and no connection can match.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let is_there = |route: &u32| !self.gone.contains(*route);
        let requests = self.base.entries.iter().map(|entry| entry.route);
        let streams = self.base.streams.entries.iter().map(|entry| entry.route);
        let late = self.added.as_ref();
        let late = late.is_some_and(|late| !late.entries.is_empty() || !late.streams.is_empty());
        !late && !requests.chain(streams).any(|route| is_there(&route))
    }

    /// The route that a connection of layer 4 belongs to: its number. Allocates nothing.
    ///
    /// A connection over TLS is asked about as [`crate::StreamProtocol::TlsPassthrough`] first, then, when
    /// nothing fits and the handshake is done, as [`crate::StreamProtocol::Tls`].
    #[must_use]
    pub fn match_stream(&self, query: &StreamQuery<'_>) -> Option<usize> {
        let base = &self.base;
        let own = base.streams.find(query, &base.patterns, &self.gone);
        let late = self.added.as_ref().and_then(|added| {
            let none = RouteSet::default();
            added.streams.find(query, &added.patterns, &none)
        });
        let first = own.into_iter().chain(late).min_by(|a, b| a.key.cmp(&b.key));
        Some(first?.route as usize)
    }

    /// The route that a request belongs to. Allocates nothing.
    #[must_use]
    pub fn find(&self, query: &Query<'_>) -> Option<Match> {
        if !self.can_read(query.path) {
            return None;
        }
        let own = self.base.find(query, &self.gone);
        match &self.added {
            None => own.map(|(_, found)| found),
            Some(added) => {
                self.first_of(own.map(|(entry, found)| (&entry.key, found)), added, query)
            }
        }
    }

    /// The better of what the compiled routes and the later ones offer.
    fn first_of(
        &self,
        own: Option<(&crate::entry::OrderKey, Match)>,
        added: &Part,
        query: &Query<'_>,
    ) -> Option<Match> {
        let Some((late, mut found)) = added.find(query, &RouteSet::default()) else {
            return own.map(|(_, found)| found);
        };
        if let Some((key, own)) = own
            && *key < late.key
        {
            return Some(own);
        }
        // The patterns of the later routes are numbered behind the others.
        if let MatchedPath::Regex { pattern, .. } = &mut found.path {
            *pattern += self.base.patterns.list.len();
        }
        Some(found)
    }

    fn pattern(&self, matched: &Match) -> Option<&Pattern> {
        let MatchedPath::Regex { pattern, .. } = matched.path else {
            return None;
        };
        let base = &self.base.patterns.list;
        let found = match pattern.checked_sub(base.len()) {
            None => base.get(pattern),
            Some(late) => self.added.as_ref()?.patterns.list.get(late),
        };
        found.map(|pattern| &**pattern)
    }

    /// The groups of the pattern that matched; `None` when the route matched without a pattern.
    ///
    /// `path` is the path of the query. Numbered and named groups are there; group 0 is the whole text.
    #[must_use]
    pub fn captures<'p>(&self, matched: &Match, path: &'p [u8]) -> Option<Captures<'p>> {
        self.pattern(matched)?.regex()?.captures(path)
    }

    /// The names of the groups of the pattern that matched, by number; empty without a pattern.
    pub fn capture_names(&self, matched: &Match) -> impl Iterator<Item = Option<&str>> {
        let pattern = self.pattern(matched).into_iter();
        pattern
            .filter_map(|pattern| pattern.regex())
            .flat_map(Regex::capture_names)
    }

    /// The flavors but the traditional one compare text: with a path that is no UTF-8 nothing matches, as soon
    /// as any route looks at paths.
    pub(crate) fn can_read(&self, path: &[u8]) -> bool {
        self.flavor() == Flavor::Traditional
            || !self.has_paths
            || path.is_ascii()
            || std::str::from_utf8(path).is_ok()
    }
}
