//! Room `wire`: to be filled.
