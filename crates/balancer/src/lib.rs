//! Room `balancer`: chooses one of an upstream's addresses for each try of a request, and keeps how each does.
//!
//! A [`Balancer`] is compiled of addresses and shared in a [`Live`], which is replaced when addresses change; what
//! changes from request to request is in a [`CoreState`] that each core owns, and in a [`PickState`] that each
//! request owns. Whether an address is out is one atomic word ([`Health`]). So a pick takes no lock and no memory.
//!
//! The room is pure: it resolves no names, opens no connection, reads no clock and sends no probes.

mod address;
mod balancer;
mod hash;
mod health;
mod latency;
mod least;
mod live;
mod ring;
mod seat;
mod state;
mod wheel;

pub use address::Address;
pub use balancer::{Balancer, Extras, Plan, Weights};
pub use hash::xxhash32;
pub use health::{Cause, Change, Check, Health, Outcome, Source, StatusSet};
pub use live::{Live, Moment, Picked};
pub use seat::Seat;
pub use state::{CoreState, PickState};
