//! The one binary: arguments, assembly, shutdown.

fn main() {}
