//! What can be wrong with a frame.

/// Why a frame could not be read or made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The payload starts with neither a gzip nor a zlib header.
    #[error("the frame is neither gzip nor zlib")]
    NotCompressed,
    /// The compressed data is damaged or ends early.
    #[error("the frame cannot be inflated: {0}")]
    Inflate(String),
    /// Inflating would produce more than allowed.
    #[error("the frame inflates to more than {limit} bytes; raise the limit or send less")]
    TooLarge {
        /// Bytes allowed.
        limit: usize,
    },
    /// The content is no JSON.
    #[error("the frame is not JSON: {0}")]
    Json(String),
    /// JSON of an unexpected form.
    #[error("the message is malformed: {0}")]
    Malformed(String),
    /// A message could not be written.
    #[error("the message cannot be encoded: {0}")]
    Encode(String),
}
