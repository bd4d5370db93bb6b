//! `grpc-web`: lets gRPC-Web clients call gRPC services.

mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("grpc-web", 3, schema::schema).protocols(ALL_PROTOCOLS);
