//! Room `balancer`: chooses one of an upstream's targets for each try of a request.
//!
//! A [`Balancer`] is compiled once for each configuration and shared; what changes from request to request is in
//! a [`CoreState`] that each core owns, and in a [`PickState`] that each request owns. So a pick takes no lock.
//!
//! The room is pure: it resolves no names, opens no connection, reads no clock and watches no health.

mod address;
mod balancer;
mod hash;
mod least;
mod ring;
mod state;
mod wheel;

pub use address::Address;
pub use balancer::Balancer;
pub use hash::xxhash32;
pub use state::{CoreState, PickState};
