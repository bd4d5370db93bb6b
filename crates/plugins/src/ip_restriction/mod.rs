//! `ip-restriction`: lets callers pass, or keeps them out, by their address.

mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition};

/// The plugin.
pub const DEFINITION: Definition = Definition::described("ip-restriction", 990, schema::schema)
    .protocols(ALL_PROTOCOLS)
    .default_protocols(DEFAULT_PROTOCOLS);

/// Compat: the reference's default, in its order.
const DEFAULT_PROTOCOLS: &[&str] = &["http", "https", "tcp", "tls", "grpc", "grpcs"];
