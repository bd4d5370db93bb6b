//! `file-log`: appends a JSON record of each request to a file.

mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("file-log", 9, schema::schema).protocols(ALL_PROTOCOLS);
