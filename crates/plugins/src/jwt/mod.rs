//! `jwt`: lets only requests pass that carry a token signed with a consumer's credential.

mod schema;

use plugin_api::{Definition, Scopes};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("jwt", 1450, schema::schema).scopes(Scopes::SERVICE.and(Scopes::ROUTE));
