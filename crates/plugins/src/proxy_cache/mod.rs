//! `proxy-cache`: keeps whole answers in the node's memory and gives them again.

mod rules;
mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("proxy-cache", 100, schema::schema).protocols(ALL_PROTOCOLS);
