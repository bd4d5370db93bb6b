//! The usual forms of the lines of a head, each read in one pass.
//!
//! What is returned here is exactly what the careful readers in `line`, `request` and `response`
//! would make of the same bytes. Anything else, unusual or wrong or not complete, is left to them:
//! they know why. Nothing here is an error.

use super::known::Known;
use super::scan::{find_colon, target_prefix, value_prefix};
use super::token::{is_token, method_prefix};

/// Where the parts of a header line lie.
#[derive(Clone, Copy)]
pub(super) struct FieldLine {
    pub(super) kind: Known,
    pub(super) name_end: usize,
    pub(super) value_start: usize,
    /// End of the value: the position of the CR.
    pub(super) end: usize,
}

/// A header line with at most one space before its value and none behind it.
#[inline(always)]
pub(super) fn field(bytes: &[u8], start: usize) -> Option<FieldLine> {
    let rest = bytes.get(start..)?;
    // The end of the head: behind it may be a body without any colon.
    if rest.first() == Some(&b'\r') {
        return None;
    }
    let (name, behind) = rest.split_at_checked(find_colon(rest)?)?;
    let kind = Known::of(name);
    if kind == Known::Other && !is_token(name) {
        return None;
    }
    let (value, skipped) = match behind {
        [_, b' ', value @ ..] => (value, 2),
        [_, value @ ..] => (value, 1),
        [] => return None,
    };
    if let [b' ' | b'\t', ..] = value {
        return None;
    }
    let length = value_prefix(value);
    let (value, behind) = value.split_at_checked(length)?;
    if !behind.starts_with(b"\r\n") || matches!(value, [.., b' ' | b'\t']) {
        return None;
    }
    let value_start = start + name.len() + skipped;
    Some(FieldLine {
        kind,
        name_end: start + name.len(),
        value_start,
        end: value_start + length,
    })
}

/// Where the parts of a request line lie.
#[derive(Clone, Copy)]
pub(super) struct RequestLine {
    pub(super) method_end: usize,
    pub(super) target_start: usize,
    pub(super) path_end: usize,
    pub(super) target_end: usize,
    /// Position of the CR.
    pub(super) end: usize,
}

/// A request line of HTTP/1.1 whose target is a path, with or without a query, and has no `#`.
#[inline(always)]
pub(super) fn request_line(bytes: &[u8], start: usize) -> Option<RequestLine> {
    const VERSION: &[u8; 11] = b" HTTP/1.1\r\n";
    let rest = bytes.get(start..)?;
    let (method, behind) = rest.split_at_checked(method_prefix(rest))?;
    // `TRACE` and `CONNECT` are for the careful reader, and an empty one is too.
    if method.len() > 4 && matches!(method, b"TRACE" | b"CONNECT") || method.is_empty() {
        return None;
    }
    let [b' ', target @ ..] = behind else {
        return None;
    };
    if target.first() != Some(&b'/') {
        return None;
    }
    let path_len = target_prefix(target);
    let mut target_len = path_len;
    while target.get(target_len) == Some(&b'?') {
        target_len += 1;
        target_len += target_prefix(target.get(target_len..)?);
    }
    if !target.get(target_len..)?.starts_with(VERSION) {
        return None;
    }
    let target_start = start + method.len() + 1;
    let target_end = target_start + target_len;
    Some(RequestLine {
        method_end: start + method.len(),
        target_start,
        path_end: target_start + path_len,
        target_end,
        end: target_end + VERSION.len() - 2,
    })
}

/// Where the parts of a status line lie.
#[derive(Clone, Copy)]
pub(super) struct StatusLine {
    pub(super) status: u16,
    pub(super) reason_start: usize,
    /// Position of the CR.
    pub(super) end: usize,
}

/// A status line of HTTP/1.1 with a reason.
#[inline(always)]
pub(super) fn status_line(bytes: &[u8], start: usize) -> Option<StatusLine> {
    let rest = bytes.get(start..)?.strip_prefix(b"HTTP/1.1 ")?;
    let [first @ b'1'..=b'9', second, third, b' ', reason @ ..] = rest else {
        return None;
    };
    if !second.is_ascii_digit() || !third.is_ascii_digit() {
        return None;
    }
    let length = value_prefix(reason);
    if !reason.get(length..)?.starts_with(b"\r\n") {
        return None;
    }
    let digit = |byte: &u8| u16::from(byte - b'0');
    let reason_start = start + 13;
    Some(StatusLine {
        status: digit(first) * 100 + digit(second) * 10 + digit(third),
        reason_start,
        end: reason_start + length,
    })
}
