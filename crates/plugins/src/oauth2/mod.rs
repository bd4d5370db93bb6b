//! `oauth2`: an OAuth 2.0 authorization server in front of services, and the check of its tokens.

mod rules;
mod schema;

use plugin_api::{Definition, Scopes};

/// The plugin.
pub const DEFINITION: Definition = Definition::described("oauth2", 1400, schema::schema)
    .scopes(Scopes::SERVICE.and(Scopes::ROUTE));
