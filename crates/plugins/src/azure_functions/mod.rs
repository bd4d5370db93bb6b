//! `azure-functions`: calls an Azure function and answers with its result.

mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("azure-functions", 749, schema::schema).protocols(ALL_PROTOCOLS);
