//! Room `identity`: to be filled.
