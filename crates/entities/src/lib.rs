//! Room `entities`: to be filled.
