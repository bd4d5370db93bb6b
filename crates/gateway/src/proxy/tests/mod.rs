//! The data path over real sockets: a client, the engine, a service.

mod bodies;
mod errors;
mod forwarding;
mod grpc;
mod http1;
mod http2;
mod logs;
mod support;
mod tls;
mod upgrades;
