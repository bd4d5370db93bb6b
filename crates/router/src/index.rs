//! Lists of candidates by host and path, so that a lookup sees only entries that can match.
//!
//! A *bucket* holds the entries of one host text (or of no host). Inside it the plain path prefixes, and the
//! texts that patterns begin with, are *nodes*; each node knows the next shorter one that is also a prefix of
//! it. The longest node on a request path is found by a binary search over the distinct lengths in the bucket:
//! for each length that the search towards a node passes, a marker is stored that says "look at longer ones"
//! and names the longest node known so far. So the cost depends on the number of distinct lengths, by its
//! logarithm, and not on the number of routes. Patterns without a sure beginning, and entries without paths,
//! are in the bucket's root node.

use std::ops::Range;

use crate::{
    condition::Anchor,
    entry::PathRule,
    narrowing::{MIN_CANDIDATES, Narrowing},
    patterns::Patterns,
    rules::{HeaderRule, HostKind, HostRule},
    table::Table,
};

/// Space of the host table for the buckets of whole names.
pub(crate) const EXACT: u32 = 0;
/// Space of the host table for the buckets of `*.x`.
pub(crate) const SUFFIX: u32 = 1;
/// Space of the host table for the buckets of `x.*`.
pub(crate) const PREFIX: u32 = 2;
/// No parent, no pattern.
pub(crate) const NONE: u32 = u32::MAX;

/// What the index needs to know of an entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item<'a> {
    pub(crate) hosts: &'a [HostRule],
    pub(crate) paths: &'a [PathRule],
    pub(crate) headers: &'a [HeaderRule],
    /// In place of hosts and paths, for an expression.
    pub(crate) anchors: Option<&'a [Anchor]>,
}

/// One possibility of an entry to match.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    /// The entry, which is its rank.
    pub(crate) rank: u32,
    /// The pattern that must match, or [`NONE`].
    pub(crate) pattern: u32,
    /// The port that the request must carry.
    pub(crate) port: Option<u16>,
    /// Whether the entry has a condition on the path.
    pub(crate) has_path: bool,
}

/// A prefix with its candidates.
#[derive(Debug)]
pub(crate) struct Node {
    /// The next shorter node that is a prefix of this one, or [`NONE`].
    pub(crate) parent: u32,
    /// Length of the prefix.
    pub(crate) length: u32,
    /// Smallest rank in this node and all its parents.
    pub(crate) best: u32,
    /// Its candidates by rank, in [`Index::candidates`].
    pub(crate) candidates: Range<u32>,
    /// More candidates, by the value of a header field.
    pub(crate) narrowing: Option<Box<Narrowing>>,
}

/// The entries of one host text.
#[derive(Debug)]
pub(crate) struct Bucket {
    /// The node of length zero.
    pub(crate) root: u32,
    /// Smallest rank in the bucket.
    pub(crate) best: u32,
    /// The distinct lengths of its nodes, ascending, in [`Index::lengths`].
    lengths: Range<u32>,
}

/// The index.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// From host text to bucket; the spaces are the kinds of host rules.
    pub(crate) hosts: Table,
    pub(crate) has_suffixes: bool,
    pub(crate) has_prefixes: bool,
    pub(crate) has_exact: bool,
    /// Bucket 0 is the one of no host.
    pub(crate) buckets: Vec<Bucket>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) candidates: Vec<Candidate>,
    lengths: Vec<u32>,
    /// From prefix or marker to node; the space is the bucket.
    prefixes: Table,
}

impl Index {
    /// Builds the index of items that are in order of rank.
    pub(crate) fn build<'a>(items: impl Iterator<Item = Item<'a>>, patterns: &Patterns) -> Self {
        let mut index = Self::default();
        let mut bucket_count = 1;
        let mut postings = Vec::new();
        for (rank, item) in (0_u32..).zip(items) {
            if let Some(anchors) = item.anchors {
                index.post_anchors(anchors, rank, &mut bucket_count, &mut postings);
                continue;
            }
            if item.hosts.is_empty() {
                post(0, None, (rank, item), patterns, &mut postings);
            }
            for rule in item.hosts {
                let bucket = index.bucket_of(rule, &mut bucket_count);
                post(bucket, rule.port, (rank, item), patterns, &mut postings);
            }
        }
        postings.sort_by(|a, b| {
            (a.bucket, a.prefix, a.candidate.rank).cmp(&(b.bucket, b.prefix, b.candidate.rank))
        });
        let mut rest = postings.as_slice();
        for bucket in 0..bucket_count {
            let end = rest.partition_point(|posting| posting.bucket <= bucket);
            let (own, others) = rest.split_at(end);
            index.add_bucket(bucket, own);
            rest = others;
        }
        index
    }

    /// The longest node of a bucket that `path` begins with.
    pub(crate) fn deepest(&self, number: u32, bucket: &Bucket, path: &[u8]) -> u32 {
        let Some(lengths) = self
            .lengths
            .get(bucket.lengths.start as usize..bucket.lengths.end as usize)
        else {
            return bucket.root;
        };
        let mut node = bucket.root;
        let mut low = 0;
        let mut high = lengths.len();
        while low < high {
            let middle = low.midpoint(high);
            let found = path
                .get(..lengths[middle] as usize)
                .and_then(|prefix| self.prefixes.get(number, prefix));
            match found {
                Some(longer) => {
                    node = longer;
                    low = middle + 1;
                }
                None => high = middle,
            }
        }
        node
    }

    fn post_anchors<'a>(
        &mut self,
        anchors: &'a [Anchor],
        rank: u32,
        count: &mut u32,
        postings: &mut Vec<Posting<'a>>,
    ) {
        for anchor in anchors {
            let host = anchor.host.as_ref();
            let bucket = host.map_or(0, |rule| self.bucket_of(rule, count));
            let candidate = Candidate {
                rank,
                pattern: NONE,
                port: None,
                has_path: false,
            };
            postings.push(Posting {
                bucket,
                prefix: &anchor.path,
                headers: &[],
                candidate,
            });
        }
    }

    fn bucket_of(&mut self, rule: &HostRule, count: &mut u32) -> u32 {
        let space = match rule.kind {
            HostKind::Exact => {
                self.has_exact = true;
                EXACT
            }
            HostKind::Suffix => {
                self.has_suffixes = true;
                SUFFIX
            }
            HostKind::Prefix => {
                self.has_prefixes = true;
                PREFIX
            }
        };
        let bucket = self.hosts.insert(space, &rule.text, *count);
        if bucket == *count {
            *count += 1;
        }
        bucket
    }

    /// Adds the nodes of one bucket; its postings are sorted by prefix, then rank.
    fn add_bucket(&mut self, number: u32, postings: &[Posting<'_>]) {
        let root = count(&self.nodes);
        self.nodes.push(Node {
            parent: NONE,
            length: 0,
            best: NONE,
            candidates: 0..0,
            narrowing: None,
        });
        let mut stack: Vec<(u32, &[u8])> = vec![(root, b"")];
        let mut nodes: Vec<(u32, &[u8])> = Vec::new();
        for group in postings.chunk_by(|a, b| a.prefix == b.prefix) {
            let prefix = group[0].prefix;
            while stack
                .last()
                .is_some_and(|(_, above)| !prefix.starts_with(above))
            {
                stack.pop();
            }
            let (candidates, narrowing) = self.add_candidates(group);
            let own_best = group[0].candidate.rank;
            if prefix.is_empty() {
                let node = &mut self.nodes[root as usize];
                node.best = own_best;
                node.candidates = candidates;
                node.narrowing = narrowing;
                continue;
            }
            let parent = stack.last().map_or(root, |(node, _)| *node);
            let node = count(&self.nodes);
            self.nodes.push(Node {
                parent,
                length: u32::try_from(prefix.len()).unwrap_or(u32::MAX),
                best: own_best.min(self.nodes[parent as usize].best),
                candidates,
                narrowing,
            });
            stack.push((node, prefix));
            nodes.push((node, prefix));
        }
        let lengths = self.add_lengths(&nodes);
        self.add_markers(number, &nodes, lengths.clone());
        let best = postings
            .iter()
            .map(|posting| posting.candidate.rank)
            .min()
            .unwrap_or(NONE);
        self.buckets.push(Bucket {
            root,
            best,
            lengths,
        });
    }

    /// Adds the candidates of one node: in one list, or when many have a header field, those by its values.
    fn add_candidates(&mut self, group: &[Posting<'_>]) -> (Range<u32>, Option<Box<Narrowing>>) {
        let can_narrow = |posting: &&Posting<'_>| Narrowing::rule(posting.headers).is_some();
        let is_worth = group.iter().filter(can_narrow).count() >= MIN_CANDIDATES;
        let mut narrowing = Narrowing::default();
        let start = count(&self.candidates);
        for posting in group {
            match Narrowing::rule(posting.headers) {
                Some((field, values)) if is_worth => {
                    narrowing.add(field, values, posting.candidate);
                }
                _ => self.candidates.push(posting.candidate),
            }
        }
        (
            start..count(&self.candidates),
            is_worth.then(|| Box::new(narrowing)),
        )
    }

    fn add_lengths(&mut self, nodes: &[(u32, &[u8])]) -> Range<u32> {
        let mut lengths: Vec<u32> = nodes
            .iter()
            .map(|(node, _)| self.nodes[*node as usize].length)
            .collect();
        lengths.sort_unstable();
        lengths.dedup();
        let start = count(&self.lengths);
        self.lengths.extend(lengths);
        start..count(&self.lengths)
    }

    /// Stores each prefix, and the markers on the way of the search towards it.
    fn add_markers(&mut self, bucket: u32, nodes: &[(u32, &[u8])], lengths: Range<u32>) {
        for (node, prefix) in nodes {
            self.prefixes.insert(bucket, prefix, *node);
        }
        let lengths = self.lengths[lengths.start as usize..lengths.end as usize].to_vec();
        for (node, prefix) in nodes {
            let mut low = 0;
            let mut high = lengths.len();
            while low < high {
                let middle = low.midpoint(high);
                let length = lengths[middle] as usize;
                if length == prefix.len() {
                    break;
                }
                if length > prefix.len() {
                    high = middle;
                } else {
                    let known = self.ancestor(*node, lengths[middle]);
                    self.prefixes.insert(bucket, &prefix[..length], known);
                    low = middle + 1;
                }
            }
        }
    }

    /// The longest node above `node` that is no longer than `length`.
    fn ancestor(&self, node: u32, length: u32) -> u32 {
        let mut at = node;
        loop {
            let own = &self.nodes[at as usize];
            if own.length <= length || own.parent == NONE {
                return at;
            }
            at = own.parent;
        }
    }
}

/// A candidate with the place where it belongs.
struct Posting<'a> {
    bucket: u32,
    prefix: &'a [u8],
    headers: &'a [HeaderRule],
    candidate: Candidate,
}

fn post<'a>(
    bucket: u32,
    port: Option<u16>,
    (rank, item): (u32, Item<'a>),
    patterns: &'a Patterns,
    postings: &mut Vec<Posting<'a>>,
) {
    let has_path = !item.paths.is_empty();
    let mut add = |prefix: &'a [u8], pattern| {
        let candidate = Candidate {
            rank,
            pattern,
            port,
            has_path,
        };
        postings.push(Posting {
            bucket,
            prefix,
            headers: item.headers,
            candidate,
        });
    };
    if !has_path {
        add(b"", NONE);
    }
    for path in item.paths {
        match path {
            PathRule::Prefix(prefix) => add(prefix, NONE),
            PathRule::Pattern(number) => {
                let literal = &*patterns.list[*number].literal;
                add(literal, u32::try_from(*number).unwrap_or(NONE));
            }
        }
    }
}

fn count<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}
