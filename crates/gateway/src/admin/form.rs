//! Forms: `application/x-www-form-urlencoded` and `multipart/form-data` (RFC 7578), as far as a
//! configuration is sent in one.

use memchr::memmem;

/// Reads names and values; a name without `=` has an empty value.
pub(super) fn urlencoded(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = bytes
            .get(at + 1..at + 3)
            .filter(|_| byte == b'%')
            .and_then(hex_pair);
        match (byte, escaped) {
            (_, Some(value)) => {
                decoded.push(value);
                at += 2;
            }
            (b'+', None) => decoded.push(b' '),
            (_, None) => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hex_pair(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    u8::from_str_radix(text, 16).ok()
}

/// Reads the parts that have a name. A body that is none gives no part.
pub(super) fn multipart(content_type: &str, body: &[u8]) -> Vec<(String, String)> {
    let Some(boundary) = parameter(content_type, "boundary") else {
        return Vec::new();
    };
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some(start) = memmem::find(rest, delimiter.as_bytes()) {
        rest = &rest[start + delimiter.len()..];
        if rest.starts_with(b"--") {
            break;
        }
        let end = memmem::find(rest, delimiter.as_bytes()).unwrap_or(rest.len());
        if let Some(part) = part(&rest[..end]) {
            parts.push(part);
        }
    }
    parts
}

fn part(bytes: &[u8]) -> Option<(String, String)> {
    let head_end = memmem::find(bytes, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let is_disposition = |line: &&str| {
        line.to_ascii_lowercase()
            .starts_with("content-disposition:")
    };
    let name = parameter(head.lines().find(is_disposition)?, "name")?;
    let value = &bytes[head_end + 4..];
    let value = value.strip_suffix(b"\r\n").unwrap_or(value);
    Some((name, String::from_utf8_lossy(value).into_owned()))
}

fn parameter(text: &str, name: &str) -> Option<String> {
    text.split(';').skip(1).find_map(|part| {
        let (key, value) = part.trim().split_once('=')?;
        key.eq_ignore_ascii_case(name)
            .then(|| value.trim_matches('"').to_owned())
    })
}
