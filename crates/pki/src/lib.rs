//! Room `pki`: to be filled.
