//! What a successful lookup says about the request.

/// The route that a request belongs to, and the part of the path that its path condition covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    /// Index of the route in the slice that [`crate::Router::compile`] was given.
    pub route: usize,
    /// How much of the path was matched.
    pub path: MatchedPath,
}

/// The part of the request path that a route's path condition matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchedPath {
    /// The route has no paths.
    None,
    /// A plain prefix of this many bytes.
    Prefix(usize),
    /// A regular expression; the matched text has `length` bytes. `pattern` names it for
    /// [`crate::Router::captures`].
    Regex {
        /// Length of the matched text in bytes.
        length: usize,
        /// Which pattern of the router.
        pattern: usize,
    },
}

impl Match {
    /// Length in bytes of the part of the normalised path that `strip_path` takes away; it is also the text
    /// of `X-Forwarded-Prefix`. Zero for a route without paths.
    #[must_use]
    pub const fn stripped_len(&self) -> usize {
        match self.path {
            MatchedPath::None => 0,
            MatchedPath::Prefix(length) | MatchedPath::Regex { length, .. } => length,
        }
    }
}
