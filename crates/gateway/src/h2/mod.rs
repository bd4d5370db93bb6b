//! HTTP/2 of clients: streams joined to the data path at its one form of a request.
//!
//! Framing, flow control and header compression are the `h2` crate's. A stream's head is rendered
//! into the form of an HTTP/1.1 head and read by the same strict reader, then routed, filtered
//! and proxied by the same code. Services are spoken to in HTTP/1.1.

mod client;
mod head;
mod server;
mod stream;

pub(crate) use server::{PREFACE, serve};
