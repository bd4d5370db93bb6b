//! The data path over real sockets: a client, the engine, a service.

mod acme;
mod balancing;
mod bodies;
mod errors;
mod faults;
mod forwarding;
mod grpc;
mod grpc_plugins;
mod http1;
mod http2;
mod large;
mod limits;
mod logs;
mod mtls;
pub(crate) mod support;
mod tls;
mod tls_settings;
mod upgrades;
mod whole;
