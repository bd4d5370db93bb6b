//! `grpc-gateway`: translates REST calls to gRPC with the HTTP annotations of a .proto file.

mod schema;

use plugin_api::{ALL_PROTOCOLS, Definition};

/// The plugin.
pub const DEFINITION: Definition =
    Definition::described("grpc-gateway", 998, schema::schema).protocols(ALL_PROTOCOLS);
