//! Room `plugin-api`: to be filled.
