//! Validation of a completed document.
