//! `ai-request-transformer`: has a language model rewrite the request body.

mod schema;

use plugin_api::{Definition, Scopes};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("ai-request-transformer", 777, schema::schema)
        .scopes(Scopes::SERVICE.and(Scopes::ROUTE));
