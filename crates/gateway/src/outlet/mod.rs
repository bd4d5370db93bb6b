//! The node's link to its control plane (protocol v1).
//!
//! It dials, keeps the link alive and hands every pushed configuration to an [`Apply`]. It does
//! not judge configurations: the intake does.

mod apply;

pub use apply::Apply;
