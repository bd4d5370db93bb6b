//! Room `control-plane`: to be filled.
