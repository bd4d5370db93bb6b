//! Request paths: their normal form for matching, and the path that the upstream receives.
//!
//! Does not split off the query; the caller passes the path alone.

mod normalise;
mod upstream;

#[cfg(test)]
mod tests;

pub use normalise::normalise_path;
pub use upstream::{escape_into, upstream_path};
