//! `ai-prompt-decorator`: puts messages before and after the chat of a request.

mod handler;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{Definition, Needs};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("ai-prompt-decorator", 772, schema::schema, handler::build)
        .needs(Needs::REQUEST_BODY);
