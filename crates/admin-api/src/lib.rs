//! Entities over HTTP: one generic handler, and a dialect on top of it.
//!
//! [`Entities`] reads and writes any kind of entity from its description; nothing in it knows a
//! path or the shape of an error body. [`core`] is the dialect of control planes
//! (`core-entities`), [`gateway`] the one of the gateway's own Admin API.
//! [`import`] takes whole declarative files.
//!
//! Who calls and which control plane is meant was decided before a request gets here: the
//! caller leaves a [`Scope`] in the request's extensions.

pub mod batch;
pub mod core;
pub mod gateway;
pub mod import;
pub mod revision;

mod entity;
mod linger;
mod scope;
mod warnings;

pub use entity::{
    Condition, Entities, EntityError, Listing, Parent, Rows, Running, Source, Test, Unresolved,
    Written,
};
pub use linger::linger;
pub use scope::Scope;
pub use warnings::warnings_of;
