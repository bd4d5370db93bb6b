//! Room `store`: to be filled.
