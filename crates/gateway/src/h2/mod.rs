//! HTTP/2: streams of clients are joined to the data path at its one form of a request.
//!
//! Framing, flow control and header compression are the `h2` crate's. A stream's head is rendered
//! into the form of an HTTP/1.1 head and read by the same strict reader, then routed, filtered
//! and proxied by the same code. `upstream` speaks it to services of gRPC.

mod client;
mod head;
mod server;
mod stream;
mod upstream;

pub(crate) use server::{PREFACE, serve};
pub(crate) use upstream::Http2Pool;
