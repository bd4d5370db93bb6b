//! Both dialects over real sockets, on the same store.

mod bad_input;
mod bodies;
mod declarative;
mod errors;
mod fixture;
mod kinds;
mod lists;
mod members;
mod nested;
mod transport;
