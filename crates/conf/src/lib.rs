//! Room `conf`: to be filled.
