//! What the data path stands on, each per core: bytes in and out, buffers, timers, idle
//! connections, names.
//!
//! Nothing here knows HTTP. Nothing here is shared between cores.

mod buffer;
mod io;
mod pipe;
mod pool;
mod resolver;
mod ticks;
mod timer;

pub(crate) use buffer::{Buffer, Buffers};
pub(crate) use io::{Io, Plain};
pub(crate) use pipe::{Pipe, Pipes};
pub(crate) use pool::{Idle, PeerKey, Pool, PoolLimits};
pub(crate) use resolver::Resolver;
pub(crate) use ticks::Ticks;
pub(crate) use timer::{Timer, Wheel};
