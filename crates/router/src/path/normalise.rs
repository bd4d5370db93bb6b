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

/// Whether `path` is in its normal form already: no escape, no NUL, no `//`, no segment that begins with a
/// dot. Looks at eight bytes at once.
///
/// May say no for a path that is normal (`/.hidden`); the slow way then returns it unchanged.
fn is_plain(path: &[u8]) -> bool {
    let (words, rest) = path.as_chunks::<8>();
    let mut suspects = 0;
    let mut after_slash = 0;
    for word in words {
        suspects |= suspicious(u64::from_le_bytes(*word), &mut after_slash);
    }
    if !rest.is_empty() {
        // Letters fill up the last word.
        let mut last = *b"aaaaaaaa";
        last[..rest.len()].copy_from_slice(rest);
        suspects |= suspicious(u64::from_le_bytes(last), &mut after_slash);
    }
    suspects == 0
}

/// Marks bytes of a word that may not be in normal form. `after_slash` is the mark of a first byte that
/// stands behind a slash; it is renewed for the next word. A mark too many does no harm.
const fn suspicious(word: u64, after_slash: &mut u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const fn zeros(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word & (ONES << 7)
    }
    let slashes = zeros(word ^ (ONES * 0x2f));
    // A dot and a slash differ in their lowest bit alone.
    let dots_and_slashes = zeros((word | ONES) ^ (ONES * 0x2f));
    let behind = slashes << 8 | *after_slash;
    *after_slash = slashes >> 56;
    (behind & dots_and_slashes) | zeros(word ^ (ONES * 0x25)) | zeros(word)
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

#[cfg(test)]
mod tests {
    use super::is_plain;

    /// The rule, one byte after the other.
    fn is_plain_by_bytes(path: &[u8]) -> bool {
        let is_free = !path.iter().any(|byte| matches!(byte, b'%' | 0));
        is_free && !path.windows(2).any(|pair| matches!(pair, b"//" | b"/."))
    }

    #[test]
    fn what_is_not_plain_is_seen_wherever_it_stands() {
        for length in 1..40 {
            for at in 0..length {
                for suspect in ["%", "\0", "//", "/.", "/%", "./", "%/."] {
                    let mut path = vec![b'a'; length];
                    path[0] = b'/';
                    path.splice(at..at, suspect.bytes());
                    let is_normal = is_plain_by_bytes(&path);
                    assert!(!is_plain(&path) || is_normal, "{path:?}");
                    if suspect == "./" && at > 1 {
                        assert!(is_normal);
                    }
                }
            }
        }
        for length in 0..40 {
            let path = [&b"/"[..], &b"segment.of/letters-and_more~"[..]]
                .concat()
                .repeat(2);
            assert!(is_plain(&path[..length]));
        }
    }
}
