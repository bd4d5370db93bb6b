//! The normal form of a request path.

use std::borrow::Cow;

use crate::error::BadPath;

/// Characters that stay percent-encoded, because decoded they would mean something else.
const fn is_reserved(byte: u8) -> bool {
    matches!(
        byte,
        b'!' | b'#'
            | b'$'
            | b'%'
            | b'&'
            | b'\''
            | b'('
            | b')'
            | b'*'
            | b'+'
            | b','
            | b'/'
            | b':'
            | b';'
            | b'='
            | b'?'
            | b'@'
            | b'['
            | b']'
    )
}

/// Whether `path` is in its normal form already: no escape, no `//`, no segment that begins with a dot.
///
/// May say no for a path that is normal (`/.hidden`); the slow way then returns it unchanged.
fn is_plain(path: &[u8]) -> bool {
    let mut previous = 0_u8;
    let mut is_suspect = false;
    for &byte in path {
        is_suspect |= byte == b'%' || byte == 0;
        is_suspect |= previous == b'/' && (byte == b'/' || byte == b'.');
        previous = byte;
    }
    !is_suspect
}

/// Brings a request path (no query) into the form that routes are matched against: escapes are decoded unless
/// they stand for a reserved character, the others are written with upper-case digits, dot segments are
/// resolved and repeated slashes merged.
///
/// Borrows when nothing changes, which is the common case; else the result lies in `scratch`, whose old
/// content is dropped.
///
/// `Compat:` the reference does the same in two steps; recorded with the cases `paths-normalise`.
///
/// # Errors
///
/// [`BadPath`] for what the reference answers with 400: no leading slash, a malformed escape, a NUL, `..`
/// above the root.
///
/// ```
/// let mut scratch = Vec::new();
/// let path = gatehouse_router::normalise_path(b"/a/./b//%7eu%2f", &mut scratch)?;
/// assert_eq!(&*path, b"/a/b/~u%2F");
/// # Ok::<(), gatehouse_router::BadPath>(())
/// ```
pub fn normalise_path<'a>(
    path: &'a [u8],
    scratch: &'a mut Vec<u8>,
) -> Result<Cow<'a, [u8]>, BadPath> {
    if path.first() != Some(&b'/') {
        return Err(BadPath::NotAbsolute);
    }
    if is_plain(path) {
        return Ok(Cow::Borrowed(path));
    }
    scratch.clear();
    scratch.reserve(path.len());
    let mut at = 1;
    // Start of the segment being written, behind the slash that opens it.
    scratch.push(b'/');
    let mut start = 1;
    while at < path.len() {
        let byte = path[at];
        at += 1;
        match byte {
            b'/' => {
                close_segment(scratch, start)?;
                if scratch.last() != Some(&b'/') {
                    scratch.push(b'/');
                }
                start = scratch.len();
            }
            b'%' => {
                decode(path, at, scratch)?;
                at += 2;
            }
            0 => return Err(BadPath::Nul),
            other => scratch.push(other),
        }
    }
    close_segment(scratch, start)?;
    Ok(Cow::Borrowed(scratch.as_slice()))
}

/// Decodes the escape whose digits begin at `at`, or keeps it with upper-case digits.
fn decode(path: &[u8], at: usize, out: &mut Vec<u8>) -> Result<(), BadPath> {
    let digits = path.get(at..at + 2).ok_or(BadPath::Escape)?;
    let high = hex(digits[0]).ok_or(BadPath::Escape)?;
    let low = hex(digits[1]).ok_or(BadPath::Escape)?;
    match high << 4 | low {
        0 => return Err(BadPath::Nul),
        value if is_reserved(value) => {
            out.extend([
                b'%',
                digits[0].to_ascii_uppercase(),
                digits[1].to_ascii_uppercase(),
            ]);
        }
        value => out.push(value),
    }
    Ok(())
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Resolves the finished segment `out[start..]` when it is `.` or `..`; a removed segment leaves the slash
/// before it, so that the result ends with a slash.
fn close_segment(out: &mut Vec<u8>, start: usize) -> Result<(), BadPath> {
    match &out[start..] {
        b"." => out.truncate(start),
        b".." => {
            // `out[..start]` ends with the slash that opened this segment; go back to the slash before.
            let Some(parent) = memchr::memrchr(b'/', &out[..start - 1]) else {
                return Err(BadPath::AboveRoot);
            };
            out.truncate(parent + 1);
        }
        _ => {}
    }
    Ok(())
}
