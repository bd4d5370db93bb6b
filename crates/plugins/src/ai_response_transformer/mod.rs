//! `ai-response-transformer`: has a language model rewrite answers.

mod handler;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{Definition, Needs, Phases};

/// The plugin.
pub const DEFINITION: Definition = Definition::new(
    "ai-response-transformer",
    768,
    schema::schema,
    handler::build,
)
.phases(Phases::ACCESS.and(Phases::RESPONSE))
.needs(Needs::RESPONSE_BODY);
