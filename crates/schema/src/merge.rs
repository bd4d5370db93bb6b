//! Deep merge of a patch into a stored document.
