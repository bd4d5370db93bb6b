//! `ai-prompt-decorator`: puts fixed messages before or after those of a chat.

mod schema;

use plugin_api::Definition;

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("ai-prompt-decorator", 772, schema::schema);
