//! `proxy-cache`: keeps whole answers in the node's memory and gives them again.

mod control;
mod handler;
mod key;
mod media;
mod rules;
mod schema;
mod store;
#[cfg(test)]
mod tests;

use plugin_api::{ALL_PROTOCOLS, Definition, Phases};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("proxy-cache", 100, schema::schema, handler::build)
        .phases(
            Phases::ACCESS
                .and(Phases::HEADER_FILTER)
                .and(Phases::BODY_FILTER),
        )
        .protocols(ALL_PROTOCOLS);
