//! Room `plugins`: to be filled.
