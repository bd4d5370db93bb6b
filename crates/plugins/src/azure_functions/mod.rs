//! `azure-functions`: calls an Azure function and answers with its result.

mod handler;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{ALL_PROTOCOLS, Definition, Needs};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("azure-functions", 749, schema::schema, handler::build)
        .protocols(ALL_PROTOCOLS)
        .needs(Needs::REQUEST_BODY);
