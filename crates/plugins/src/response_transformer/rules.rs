//! How changes may be written.

pub(super) use crate::records::pairs::header_names;
