//! Room `router`: to be filled.
