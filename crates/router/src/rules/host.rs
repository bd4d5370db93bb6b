//! The condition on the host: a name, or a name with one wildcard, with or without a port.

use crate::{flavor::Flavor, query::split_host};

/// How the text of a host rule is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum HostKind {
    /// The whole host.
    Exact,
    /// `*.x`: the host ends with `.x`.
    Suffix,
    /// `x.*`: the host begins with `x.`.
    Prefix,
}

/// One entry of a route's `hosts`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct HostRule {
    /// How `text` is compared.
    pub(crate) kind: HostKind,
    /// The name, for a wildcard with the dot beside it.
    pub(crate) text: Box<[u8]>,
    /// The port that the request must carry.
    pub(crate) port: Option<u16>,
}

impl HostRule {
    /// Reads a configured host. Anything is accepted; the schema has refused what makes no sense.
    pub(crate) fn parse(configured: &str) -> Self {
        let (host, port) = split_host(configured.as_bytes());
        let (kind, text) = match host {
            [b'*', suffix @ ..] => (HostKind::Suffix, suffix),
            [prefix @ .., b'*'] => (HostKind::Prefix, prefix),
            exact => (HostKind::Exact, exact),
        };
        Self {
            kind,
            text: text.into(),
            port,
        }
    }

    /// Whether every request that satisfies the other rule satisfies this one (compatible flavor).
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let name = match (self.kind, other.kind) {
            (HostKind::Exact, HostKind::Exact) => self.text == other.text,
            (HostKind::Suffix, HostKind::Exact | HostKind::Suffix) => {
                other.text.ends_with(&self.text)
            }
            (HostKind::Prefix, HostKind::Exact | HostKind::Prefix) => {
                other.text.starts_with(&self.text)
            }
            _ => false,
        };
        name && (self.port.is_none() || self.port == other.port)
    }

    /// Whether the rule has a wildcard.
    pub(crate) fn is_wildcard(&self) -> bool {
        self.kind != HostKind::Exact
    }

    /// Whether the name part holds for `host`; the port is left out.
    ///
    /// The traditional flavor wants at least one character in the place of the wildcard of `*.x`.
    pub(crate) fn matches_name(&self, host: &[u8], flavor: Flavor) -> bool {
        let is_long_enough = host.len() >= self.text.len() + suffix_minimum(flavor);
        match self.kind {
            HostKind::Exact => *host == *self.text,
            HostKind::Suffix => is_long_enough && host.ends_with(&self.text),
            HostKind::Prefix => host.starts_with(&self.text),
        }
    }
}

/// How many characters the wildcard of `*.x` stands for at least; that of `x.*` may stand for none.
pub(crate) const fn suffix_minimum(flavor: Flavor) -> usize {
    match flavor {
        Flavor::Traditional => 1,
        Flavor::TraditionalCompatible | Flavor::Expressions => 0,
    }
}
