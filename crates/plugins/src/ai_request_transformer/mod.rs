//! `ai-request-transformer`: has a language model rewrite requests.

mod handler;
mod schema;
#[cfg(test)]
pub(crate) mod tests;

use plugin_api::{Definition, Needs, Scopes};

/// The plugin.
pub const DEFINITION: Definition = Definition::new(
    "ai-request-transformer",
    777,
    schema::schema,
    handler::build,
)
.scopes(Scopes::SERVICE.and(Scopes::ROUTE))
.needs(Needs::REQUEST_BODY);
