//! What the content types of clients say about their bodies.

/// How a client writes bodies, and wants answers written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// The content type of answers.
    pub(super) name: &'static str,
    /// Whether the bytes are written as base64.
    pub(super) is_text: bool,
    /// Whether messages stand in frames, with the trailers in one behind them.
    pub(super) is_framed: bool,
    /// Whether messages are JSON.
    pub(super) is_json: bool,
}

const fn kind(name: &'static str, is_text: bool, is_framed: bool, is_json: bool) -> Kind {
    Kind {
        name,
        is_text,
        is_framed,
        is_json,
    }
}

const KINDS: [Kind; 7] = [
    kind("application/grpc-web", false, true, false),
    kind("application/grpc-web-text", true, true, false),
    kind("application/grpc-web+proto", false, true, false),
    kind("application/grpc-web-text+proto", true, true, false),
    kind("application/grpc-web+json", false, true, true),
    kind("application/grpc-web-text+json", true, true, true),
    kind("application/json", false, false, true),
];

impl Kind {
    /// The kind that a `Content-Type` names; its parameters do not count.
    pub(super) fn of(content_type: &[u8]) -> Option<Self> {
        let name = content_type.split(|byte| *byte == b';').next()?;
        let name = name.trim_ascii();
        KINDS
            .into_iter()
            .find(|kind| kind.name.as_bytes().eq_ignore_ascii_case(name))
    }
}
