//! What can be said about routes before a request comes: routes that can never win, and patterns
//! that other engines may choke on.
//!
//! Everything reported is certain; what would take long to find out is left out. Only the
//! compatible flavor is looked at: in the traditional one, which of two routes wins depends on the
//! other routes as well.

mod covers;
mod pattern;
mod shadows;

#[cfg(test)]
mod tests;

pub use pattern::{PatternRisk, pattern_risk};
pub use shadows::Shadow;
