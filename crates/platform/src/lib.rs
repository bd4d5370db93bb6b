//! Room `platform`: to be filled.
