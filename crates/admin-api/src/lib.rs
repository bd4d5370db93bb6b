//! Room `admin-api`: to be filled.
