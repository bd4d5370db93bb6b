//! `acme`: obtains and renews TLS certificates from a certificate authority that speaks ACME.

mod rules;
mod schema;

use plugin_api::{Definition, Scopes};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("acme", 1705, schema::schema).scopes(Scopes::NONE);
