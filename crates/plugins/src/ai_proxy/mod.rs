//! `ai-proxy`: one front for chats and completions of several model providers.

mod answer;
mod handler;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{Definition, Needs, Phases};

/// The plugin.
pub const DEFINITION: Definition = Definition::new("ai-proxy", 770, schema::schema, handler::build)
    .phases(
        Phases::ACCESS
            .and(Phases::HEADER_FILTER)
            .and(Phases::BODY_FILTER)
            .and(Phases::LOG),
    )
    .needs(Needs::REQUEST_BODY);
