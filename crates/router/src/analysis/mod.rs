//! What can be said about routes before a request comes: routes that can never win, and patterns
//! that other engines may choke on.
//!
//! Everything reported is certain; what would take long to find out is left out. In the
//! traditional flavor, which of two routes wins may depend on the other routes as well, so there
//! only routes with equal conditions are told.

mod covers;
mod pattern;
mod shadows;

#[cfg(test)]
mod tests;

pub use pattern::{PatternRisk, pattern_risk};
pub use shadows::Shadow;
