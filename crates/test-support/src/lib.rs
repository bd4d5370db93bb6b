//! Builders and real backends for tests. Nothing here is part of the product.

mod temp;

pub use temp::TempDir;
