//! The ways to order routes.

use entities::PathHandling;

/// How routes are ordered and matched (setting `router_flavor`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Flavor {
    /// Categories by the set of attributes, then age. Deprecated in the reference.
    Traditional,
    /// A computed priority, then the greatest id. The default.
    #[default]
    TraditionalCompatible,
    /// Routes may have an expression and a priority; those go before all others, which are ordered as in
    /// `TraditionalCompatible`.
    Expressions,
}

impl Flavor {
    /// The path handling that is in force for a route: `v1` exists in the traditional flavor only.
    #[must_use]
    pub const fn effective_path_handling(self, configured: PathHandling) -> PathHandling {
        match self {
            Self::Traditional => configured,
            Self::TraditionalCompatible | Self::Expressions => PathHandling::V0,
        }
    }
}
