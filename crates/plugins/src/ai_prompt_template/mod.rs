//! `ai-prompt-template`: fills named templates with what requests say.

mod handler;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{Definition, Needs};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("ai-prompt-template", 773, schema::schema, handler::build)
        .needs(Needs::REQUEST_BODY);
