//! Routes compiled together: the entries in order, and the index that finds them.
//!
//! Does not know of changes that came later; `router` joins those.

use crate::{
    compile::Compiler,
    entry::Entry,
    error::CompileError,
    flavor::Flavor,
    gone::RouteSet,
    hits::HitIndex,
    index::{Index, Item},
    matched::{Match, MatchedPath},
    patterns::{Interner, Patterns},
    query::{Query, Scheme},
    router::RouteInput,
    rules::MethodNames,
    search::Search,
    stream::StreamTable,
};

/// Routes that were compiled together. Immutable.
#[derive(Debug)]
pub(crate) struct Part {
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
    /// Routes that have a condition on the path.
    pub(crate) path_routes: RouteSet,
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

impl Part {
    /// Compiles routes, each with its number. Patterns of `earlier` are not compiled again.
    pub(crate) fn compile<'a>(
        routes: impl Iterator<Item = (usize, RouteInput<'a>)>,
        flavor: Flavor,
        earlier: &[&Patterns],
    ) -> Result<Self, Vec<CompileError>> {
        let mut compiler = Compiler::new(flavor, Interner::reusing(earlier));
        for (number, input) in routes {
            compiler.add(number, &input);
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
        let patterns = patterns.finish();
        // Stable: entries of one key stay in the order of the input.
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        let index = Index::build(entries.iter().map(item), &patterns);
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
        let mut path_routes = RouteSet::default();
        for entry in entries.iter().filter(|entry| entry.reads_path()) {
            path_routes.insert(entry.route as usize);
        }
        Ok(Self {
            flavor,
            entries,
            gates,
            patterns,
            methods,
            index,
            hits,
            path_routes,
            streams: StreamTable::build(streams),
        })
    }

    /// The first entry that accepts the request and whose route is not among `gone`.
    pub(crate) fn find(&self, query: &Query<'_>, gone: &RouteSet) -> Option<(&Entry, Match)> {
        Search::new(self, query, gone)?.run()
    }

    /// What a pattern matches of a path.
    pub(crate) fn matched_by(&self, pattern: usize, path: &[u8]) -> Option<MatchedPath> {
        let length = self.patterns.list.get(pattern)?.match_len(path)?;
        Some(MatchedPath::Regex { length, pattern })
    }
}

fn item(entry: &Entry) -> Item<'_> {
    let expression = entry.expression.as_ref();
    Item {
        hosts: &entry.hosts,
        paths: &entry.paths,
        headers: &entry.headers,
        anchors: expression.map(|expression| &*expression.anchors),
    }
}
