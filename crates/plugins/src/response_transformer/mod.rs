//! `response-transformer`: changes headers and JSON body of answers.

mod rules;
mod schema;

use plugin_api::Definition;

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("response-transformer", 800, schema::schema);
