//! Room `gateway`: to be filled.
