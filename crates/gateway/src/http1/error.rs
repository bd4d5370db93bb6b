//! Why a head or a body cannot be read.

/// A request or response head that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HeadError {
    /// A line does not end with CR LF.
    #[error("a line of the head ends with a bare line feed")]
    BareLineFeed,
    /// The first line is not a request or status line.
    #[error("the first line is not one of HTTP/1")]
    FirstLine,
    /// The version is not 1.0 or 1.1.
    #[error("the HTTP version is not supported")]
    Version,
    /// The request target has a form that a gateway does not serve.
    #[error("the request target is not acceptable")]
    Target,
    /// A header field name is empty, has a space before the colon or another bad character.
    #[error("a header field name is malformed")]
    FieldName,
    /// A header field value has a control character.
    #[error("a header field value is malformed")]
    FieldValue,
    /// A header field is folded over two lines.
    #[error("a header field is folded")]
    Folded,
    /// `Host` is missing, doubled or malformed.
    #[error("the host is missing, doubled or malformed")]
    Host,
    /// `Content-Length` is doubled or not a plain decimal number.
    #[error("the content length is doubled or malformed")]
    ContentLength,
    /// `Content-Length` and `Transfer-Encoding` stand together.
    #[error("content length and transfer encoding stand together")]
    AmbiguousLength,
    /// A transfer coding other than one `chunked`.
    #[error("the transfer coding is not supported")]
    TransferCoding,
    /// `TRACE`, which a gateway does not serve.
    #[error("the method is not allowed")]
    Method,
    /// The first line is longer than the limit.
    #[error("the request line is too long")]
    LineTooLong,
    /// A header line, or all of them together, are longer than the limit.
    #[error("the header fields are too long or too many")]
    FieldsTooLong,
}

/// A body that does not follow its framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    /// A chunk size line is malformed.
    #[error("a chunk size is malformed")]
    ChunkSize,
    /// The data of a chunk is not followed by CR LF.
    #[error("a chunk does not end where its size says")]
    ChunkEnd,
    /// The chunk extensions of a message are longer than the limit.
    #[error("the chunk extensions are too long")]
    ExtensionsTooLong,
    /// A trailer field is malformed or the trailer section is longer than the limit.
    #[error("the trailer section is malformed or too long")]
    Trailer,
    /// The sender ended the connection before the body was complete.
    #[error("the body ended early")]
    Truncated,
}
