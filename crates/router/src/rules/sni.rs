//! The condition on the server name of the TLS handshake.

use crate::{
    flavor::Flavor,
    query::{Query, Scheme},
    rules::HostKind,
};

/// One entry of a route's `snis`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SniRule {
    kind: HostKind,
    text: Box<str>,
}

impl SniRule {
    /// Reads a configured name. The traditional flavor knows no wildcard; one trailing dot is dropped.
    pub(crate) fn parse(configured: &str, flavor: Flavor) -> Self {
        let name = configured.strip_suffix('.').unwrap_or(configured);
        let has_wildcards = flavor != Flavor::Traditional;
        let ends = (name.strip_prefix('*'), name.strip_suffix('*'));
        let (kind, text) = match ends {
            (Some(suffix), _) if has_wildcards => (HostKind::Suffix, suffix),
            (None, Some(prefix)) if has_wildcards => (HostKind::Prefix, prefix),
            _ => (HostKind::Exact, name),
        };
        Self {
            kind,
            text: text.into(),
        }
    }

    fn matches_name(&self, name: &str) -> bool {
        match self.kind {
            HostKind::Exact => *name == *self.text,
            HostKind::Suffix => name.ends_with(&*self.text),
            HostKind::Prefix => name.starts_with(&*self.text),
        }
    }

    /// Whether every name that fits the other rule fits this one.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self.kind, other.kind) {
            (HostKind::Exact, HostKind::Exact) => self.text == other.text,
            (HostKind::Suffix, HostKind::Exact | HostKind::Suffix) => {
                other.text.ends_with(&*self.text)
            }
            (HostKind::Prefix, HostKind::Exact | HostKind::Prefix) => {
                other.text.starts_with(&*self.text)
            }
            _ => false,
        }
    }

    /// Whether a request satisfies one of the rules. Requests over plain text are not asked.
    pub(crate) fn any(rules: &[Self], query: &Query<'_>) -> bool {
        query.scheme == Scheme::Http
            || query
                .sni
                .is_some_and(|name| rules.iter().any(|rule| rule.matches_name(name)))
    }

    /// The name, when it has no wildcard.
    pub(crate) fn exact(&self) -> Option<&str> {
        (self.kind == HostKind::Exact).then_some(&self.text)
    }

    /// Whether one of the rules fits a server name.
    pub(crate) fn names(rules: &[Self], name: &str) -> bool {
        rules.iter().any(|rule| rule.matches_name(name))
    }
}
