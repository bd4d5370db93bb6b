//! The store through its public contract, on real files.

mod common;
mod entities;
