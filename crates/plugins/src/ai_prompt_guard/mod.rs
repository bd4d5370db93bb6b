//! `ai-prompt-guard`: refuses prompts by patterns.

mod handler;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{Definition, Needs};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("ai-prompt-guard", 771, schema::schema, handler::build)
        .needs(Needs::REQUEST_BODY);
