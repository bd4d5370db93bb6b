//! Room `analytics`: to be filled.
