//! Room `router`: finds the route of a request, and the path that its upstream receives.
//!
//! A [`Router`] is compiled from all routes of a configuration and answers [`Query`]s. Its answers are those of
//! a scan through the routes in the order of the chosen [`Flavor`]; its cost does not depend on their number.
//!
//! The room is pure: it reads no clock, does no input or output and keeps no state between lookups. What
//! happens after a match (redirects, errors, plugins) is the caller's business.

mod analysis;
mod compile;
mod condition;
mod entry;
mod error;
mod explain;
mod flavor;
mod gone;
mod hits;
mod index;
mod matched;
mod narrowing;
mod order;
mod part;
mod path;
mod patterns;
mod query;
mod router;
mod rules;
mod search;
mod stream;
mod table;

#[cfg(test)]
mod tests;

pub use analysis::{PatternRisk, Shadow, pattern_risk};
pub use error::{BadPath, CompileError, RouteProblem};
pub use explain::{Considered, Unmet, Verdict};
pub use flavor::Flavor;
pub use matched::{Match, MatchedPath};
pub use path::{escape_into, normalise_path, upstream_path};
pub use query::{HeaderLookup, Query, Scheme, split_host};
pub use regex::bytes::Captures;
pub use router::{RouteChange, RouteInput, Router};
pub use stream::{StreamProtocol, StreamQuery};
