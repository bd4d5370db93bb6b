//! Handing the listening sockets over to a successor, so that a restart or an upgrade refuses and
//! resets no connection.
//!
//! Two nodes with the same `prefix`: the second asks the first for its sockets over
//! `handover.sock`, starts on them, says that it is ready, and only then does the first one take
//! nothing new and let what is under way end. A connection that nobody has accepted yet stays in the
//! queue of a socket that both hold.
//!
//! Nothing else is handed over: open connections end where they began, and configurations come from
//! where they always come from.

mod give;
mod message;
mod sockets;
mod take;

#[cfg(test)]
mod tests;

pub(crate) use give::offer;
pub(crate) use sockets::Kind;
pub use sockets::Sockets;
pub(crate) use take::take;

/// The door for successors, below the prefix.
pub(crate) const DOOR: &str = "handover.sock";
