//! `ip-restriction`: lets callers pass, or keeps them out, by their address.

mod handler;
mod network;
mod schema;
#[cfg(test)]
mod tests;

use plugin_api::{ALL_PROTOCOLS, Definition, Phases};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::new("ip-restriction", 990, schema::schema, handler::build)
        .phases(Phases::ACCESS.and(Phases::PREREAD))
        .protocols(ALL_PROTOCOLS)
        .default_protocols(DEFAULT_PROTOCOLS);

/// Compat: the reference's default, in its order.
const DEFAULT_PROTOCOLS: &[&str] = &["http", "https", "tcp", "tls", "grpc", "grpcs"];
