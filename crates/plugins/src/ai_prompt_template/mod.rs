//! `ai-prompt-template`: fills named templates with what the request gives.

mod schema;

use plugin_api::Definition;

/// The plugin.
pub const DEFINITION: Definition = Definition::described("ai-prompt-template", 773, schema::schema);
