//! `ai-proxy`: one front for chats and completions of several model providers.

mod schema;

use plugin_api::Definition;

/// The plugin.
pub const DEFINITION: Definition = Definition::described("ai-proxy", 770, schema::schema);
