//! `request-size-limiting`: refuses requests with a body beyond a limit.

mod schema;

use plugin_api::Definition;

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("request-size-limiting", 951, schema::schema);
