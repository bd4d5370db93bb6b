//! Room `declarative`: to be filled.
