//! Room `schema`: to be filled.
