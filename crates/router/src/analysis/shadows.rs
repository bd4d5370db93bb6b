//! Routes that can never win because an earlier one takes every request of theirs.

use std::collections::{BTreeSet, HashMap};

use super::covers::{covers, is_same, literal, open_prefix};
use crate::{
    entry::{Entry, PathRule},
    flavor::Flavor,
    part::Part,
    router::Router,
    rules::{HostKind, HostRule},
};

/// Earlier entries that one condition is compared with. More than these share one host and path
/// only where other conditions tell them apart.
const MAX_TRIED: usize = 64;

/// A route that no request reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shadow {
    /// Index of the route in the input.
    pub route: usize,
    /// Index of the route that takes its requests (those of its first path, where different
    /// routes take different ones).
    pub by: usize,
}

impl Router {
    /// Routes that can never win, in the order of the input. Changes that came after the compilation are not
    /// judged. In the traditional flavor, where the order of two routes may depend on the request, only routes
    /// are told whose every path stands with the same conditions in an earlier one.
    #[must_use]
    pub fn shadows(&self) -> Vec<Shadow> {
        self.base.shadows()
    }
}

impl Part {
    fn shadows(&self) -> Vec<Shadow> {
        let open: Vec<_> = self
            .patterns
            .list
            .iter()
            .map(|own| open_prefix(own))
            .collect();
        let index = Earlier::of(&self.entries, &open);
        let mut by_route: HashMap<u32, Option<u32>> = HashMap::new();
        // From the last to the first, so that the first part of a split route is told.
        for (rank, entry) in self.entries.iter().enumerate().rev() {
            let state = by_route.entry(entry.route).or_insert(Some(entry.route));
            if state.is_some() {
                *state = self.taker(&index, rank, entry);
            }
        }
        let certain = by_route
            .into_iter()
            .filter_map(|(route, by)| Some((route, by?)));
        let mut found: Vec<Shadow> = certain
            .map(|(route, by)| Shadow {
                route: route as usize,
                by: by as usize,
            })
            .collect();
        found.sort_by_key(|shadow| shadow.route);
        found
    }

    /// The route that takes everything of an entry; `None` when something is left to it.
    fn taker(&self, index: &Earlier<'_>, rank: usize, entry: &Entry) -> Option<u32> {
        if entry.schemes == [false, false] {
            return None;
        }
        let whole = [None];
        let paths: Vec<Option<&PathRule>> = entry.paths.iter().map(Some).collect();
        let paths = if paths.is_empty() { &whole[..] } else { &paths };
        let mut takers = paths.iter().map(|path| {
            let candidates = self.candidates(index, entry, *path);
            let earlier = candidates.into_iter().take_while(|other| *other < rank);
            earlier
                .take(MAX_TRIED)
                .filter(|other| self.goes_before(*other, rank))
                .map(|other| &self.entries[other])
                .find(|other| other.route != entry.route && covers(other, entry))
                .map(|other| other.route)
        });
        let first = takers.next()??;
        takers.all(|taker| taker.is_some()).then_some(first)
    }

    /// Whether an entry of lower rank goes before for every request.
    fn goes_before(&self, first: usize, second: usize) -> bool {
        if self.flavor != Flavor::Traditional {
            return true;
        }
        let (one, other) = (&self.entries[first], &self.entries[second]);
        self.gates[first].category == self.gates[second].category
            && one.paths == other.paths
            && is_same(one, other)
    }

    /// Ranks of entries that accept the path, and the first host, in order.
    fn candidates(
        &self,
        index: &Earlier<'_>,
        entry: &Entry,
        path: Option<&PathRule>,
    ) -> BTreeSet<usize> {
        let mut paths = vec![PathKey::Any];
        match path {
            None => {}
            Some(PathRule::Prefix(text)) => index.prefixes_of(text, &mut paths),
            Some(PathRule::Pattern(number)) => {
                paths.push(PathKey::Pattern(*number));
                index.prefixes_of(literal(&self.patterns, *number), &mut paths);
            }
        }
        let mut found = BTreeSet::new();
        for host in index.hosts_over(entry.hosts.first()) {
            for path in &paths {
                let ranks = index.ranks.get(&(*path, host));
                // Those of one host and path are in order already.
                found.extend(ranks.into_iter().flatten().take(MAX_TRIED));
            }
        }
        found
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum PathKey<'a> {
    Any,
    Prefix(&'a [u8]),
    Pattern(usize),
}

/// `None`: any host.
type HostKey<'a> = Option<(HostKind, &'a [u8])>;

/// All entries by path and host.
struct Earlier<'a> {
    ranks: HashMap<(PathKey<'a>, HostKey<'a>), Vec<usize>>,
    /// Lengths of plain paths, of `*.x` and of `x.*`, so that only those are looked up.
    path_lengths: BTreeSet<usize>,
    suffix_lengths: BTreeSet<usize>,
    prefix_lengths: BTreeSet<usize>,
}

impl<'a> Earlier<'a> {
    fn of(entries: &'a [Entry], open: &'a [Option<Box<[u8]>>]) -> Self {
        let mut index = Self {
            ranks: HashMap::new(),
            path_lengths: BTreeSet::new(),
            suffix_lengths: BTreeSet::new(),
            prefix_lengths: BTreeSet::new(),
        };
        for (rank, entry) in entries.iter().enumerate() {
            let mut hosts: Vec<HostKey<'a>> = vec![None];
            if !entry.hosts.is_empty() {
                hosts = entry
                    .hosts
                    .iter()
                    .map(|host| Some((host.kind, &*host.text)))
                    .collect();
            }
            let mut paths = vec![PathKey::Any];
            if !entry.paths.is_empty() {
                paths = entry.paths.iter().map(PathKey::of).collect();
                let patterns = entry.paths.iter().filter_map(|rule| match rule {
                    PathRule::Pattern(number) => open.get(*number)?.as_deref(),
                    PathRule::Prefix(_) => None,
                });
                paths.extend(patterns.map(PathKey::Prefix));
            }
            for host in hosts {
                index.note_host(host);
                for path in &paths {
                    index.note_path(*path);
                    let ranks = index.ranks.entry((*path, host)).or_default();
                    if ranks.last() != Some(&rank) {
                        ranks.push(rank);
                    }
                }
            }
        }
        index
    }

    fn note_host(&mut self, host: HostKey<'_>) {
        match host {
            Some((HostKind::Suffix, text)) => self.suffix_lengths.insert(text.len()),
            Some((HostKind::Prefix, text)) => self.prefix_lengths.insert(text.len()),
            Some((HostKind::Exact, _)) | None => false,
        };
    }

    fn note_path(&mut self, path: PathKey<'_>) {
        if let PathKey::Prefix(text) = path {
            self.path_lengths.insert(text.len());
        }
    }

    fn prefixes_of<'t>(&self, text: &'t [u8], found: &mut Vec<PathKey<'t>>) {
        let lengths = self.path_lengths.range(..=text.len());
        found.extend(lengths.map(|length| PathKey::Prefix(&text[..*length])));
    }

    /// The hosts that hold whenever this one does.
    fn hosts_over<'t>(&self, host: Option<&'t HostRule>) -> Vec<HostKey<'t>> {
        let mut found = vec![None];
        let Some(host) = host else {
            return found;
        };
        let text: &[u8] = &host.text;
        if host.kind == HostKind::Exact {
            found.push(Some((HostKind::Exact, text)));
        }
        if host.kind != HostKind::Prefix {
            let lengths = self.suffix_lengths.range(..=text.len());
            found.extend(
                lengths.map(|length| Some((HostKind::Suffix, &text[text.len() - length..]))),
            );
        }
        if host.kind != HostKind::Suffix {
            let lengths = self.prefix_lengths.range(..=text.len());
            found.extend(lengths.map(|length| Some((HostKind::Prefix, &text[..*length]))));
        }
        found
    }
}

impl<'a> PathKey<'a> {
    fn of(rule: &'a PathRule) -> Self {
        match rule {
            PathRule::Prefix(text) => Self::Prefix(text),
            PathRule::Pattern(number) => Self::Pattern(*number),
        }
    }
}
