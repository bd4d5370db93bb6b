//! `ai-prompt-guard`: refuses prompts by regular expressions.

mod schema;

use plugin_api::Definition;

/// The plugin.
pub const DEFINITION: Definition = Definition::described("ai-prompt-guard", 771, schema::schema);
