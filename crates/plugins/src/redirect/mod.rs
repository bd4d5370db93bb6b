//! `redirect`: answers with a redirect.

mod schema;

use plugin_api::Definition;

/// The plugin.
pub const DEFINITION: Definition = Definition::described("redirect", 779, schema::schema);
