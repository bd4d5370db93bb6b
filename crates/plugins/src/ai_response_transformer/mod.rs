//! `ai-response-transformer`: has a language model rewrite the answer's body.

mod schema;

use plugin_api::Definition;

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("ai-response-transformer", 768, schema::schema);
