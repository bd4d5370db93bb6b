//! The Admin API of a node without a database: what it is, how it does, and the replacement of
//! its whole configuration.
//!
//! It has no authentication, as the reference has none; that is why a node binds it to loopback
//! unless told otherwise. Entities are not served yet.

mod api;
mod configuration;
mod form;
mod information;
mod submitted;
#[cfg(test)]
mod tests;

pub(crate) use api::AdminApi;
pub use configuration::{Load, LoadError, LoadFuture};
pub use information::Information;
