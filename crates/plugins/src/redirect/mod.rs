//! `redirect`: answers with a redirect.

mod handler;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::Definition;

/// The plugin.
pub const DEFINITION: Definition = Definition::new("redirect", 779, schema::schema, handler::build);
