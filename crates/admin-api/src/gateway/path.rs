//! Segments of a path.

/// Why a path has no segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadPath {
    /// It contains a NUL byte.
    Nul,
    /// It is no text, or a segment is empty.
    Unknown,
}

/// The decoded segments of a path; none for `/`.
///
/// Split before decoding, so that an encoded slash stays inside its segment.
///
/// Compat: one slash at the end is read over, `+` is a space, and a `%` that starts no escape
/// stands for itself.
pub(super) fn segments(path: &str) -> Result<Vec<String>, BadPath> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok(Vec::new());
    }
    path.split('/')
        .map(|segment| {
            let bytes = decode(segment.as_bytes());
            if bytes.contains(&0) {
                return Err(BadPath::Nul);
            }
            let text = String::from_utf8(bytes).map_err(|_| BadPath::Unknown)?;
            Some(text)
                .filter(|text| !text.is_empty())
                .ok_or(BadPath::Unknown)
        })
        .collect()
}

pub(super) fn decode(segment: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment;
    while let [first, after @ ..] = rest {
        rest = after;
        match (*first, escape(after)) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _) => bytes.push(b' '),
            (other, _) => bytes.push(other),
        }
    }
    bytes
}

fn escape(after: &[u8]) -> Option<u8> {
    let digit = |at: usize| {
        let digit = char::from(*after.get(at)?).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    Some(digit(0)? * 16 + digit(1)?)
}

/// A segment as it is written in links.
///
/// Compat: everything is escaped but letters, digits and `-._~!*'()`.
pub(super) fn escaped(segment: &str) -> String {
    let mut text = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!*'()".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_split_before_they_are_decoded() {
        for (path, expected) in [
            ("", &[][..]),
            ("/", &[]),
            ("/a", &["a"]),
            ("/a/", &["a"]),
            ("/a/b%2Fc", &["a", "b/c"]),
            ("/a+b/%2B", &["a b", "+"]),
            ("/%zz/%4", &["%zz", "%4"]),
            ("/%C3%BC", &["ü"]),
            ("/../a", &["..", "a"]),
        ] {
            assert_eq!(segments(path).unwrap(), expected, "{path}");
        }
        for path in ["//a", "/a//b", "/a//", "/%ff"] {
            assert_eq!(segments(path), Err(BadPath::Unknown), "{path}");
        }
        assert_eq!(segments("/a%00"), Err(BadPath::Nul));
    }

    #[test]
    fn what_is_escaped_reads_back() {
        for text in ["a", "a b", "a/b", "a+b", "%", "ü", "a%2Fb", "*.w.test"] {
            assert_eq!(segments(&escaped(text)).unwrap(), [text], "{text}");
        }
    }
}
