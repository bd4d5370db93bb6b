//! HTTP/2 to services, for gRPC.
//!
//! A connection to a service carries many requests at once, so what the data path takes is a
//! stream, dressed as a connection of its own: it is written to and read from in the form of
//! HTTP/1.1, through the same relay as any other, plugins and filters included. Trailers travel as
//! those of a chunked body. Which services are spoken to so is not decided here.

mod message;
mod pool;
mod stream;

pub(crate) use pool::Http2Pool;
