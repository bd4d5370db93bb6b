//! Room `xtask`: to be filled.
