//! `cors`: answers preflight requests and tells browsers who may read the answers.

mod rules;
mod schema;

use plugin_api::{Definition, Scopes};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("cors", 2000, schema::schema).scopes(Scopes::SERVICE.and(Scopes::ROUTE));
