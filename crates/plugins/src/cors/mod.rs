//! `cors`: answers preflight requests and tells browsers who may read the answers.

mod handler;
mod origin;
mod rules;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{Definition, Phases, Scopes};

/// The plugin.
pub const DEFINITION: Definition = Definition::new("cors", 2000, schema::schema, handler::build)
    .phases(Phases::ACCESS.and(Phases::HEADER_FILTER))
    .scopes(Scopes::SERVICE.and(Scopes::ROUTE));
