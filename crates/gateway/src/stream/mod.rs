//! Layer 4: connections and datagrams that are passed on as they are.
//!
//! A connection is routed by its ends and, where it begins a TLS handshake, by the server name it
//! asks for. TLS is ended here for routes of `tls` and passed through for those of
//! `tls_passthrough`. Datagrams of one client belong to one session, which has one target.
//!
//! What passes through is neither read nor changed. HTTP belongs to [`crate::proxy`]; the two share
//! the cores, their timers, buffers and balancers.

mod hello;
mod log;
mod reach;
mod routing;
mod session;
mod udp;

#[cfg(any(fuzzing, test))]
pub(crate) use hello::read as read_hello;
pub(crate) use session::serve;
pub(crate) use udp::{bind as bind_udp, serve as serve_udp};

#[cfg(test)]
mod tests;
