//! Descriptions of APIs for machines: OpenAPI 3.1.
//!
//! A [`Document`] is made of [`Operation`]s, which come from the same tables as the routers, and
//! of named schemas, which come from the descriptions of entities. It says nothing that is not
//! served, and what it leaves out fails a test.

mod components;
mod document;
mod operation;

#[cfg(test)]
mod tests;

pub use components::{component, page, reference};
pub use document::Document;
pub use operation::{Access, ErrorForm, Operation, Query, QueryKind};
