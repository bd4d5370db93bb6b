//! Finding the end of a part of a head, eight bytes at a time.
//!
//! Marks stand in the highest bit of each byte of a word. The lowest mark of a word is exact;
//! those above it may be wrong, because a subtraction borrows from them. So only the lowest counts.

use super::token::{is_target_byte, is_value_byte};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = ONES << 7;

/// Marks zero bytes.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGH
}

/// Marks bytes equal to `byte`.
const fn equal(word: u64, byte: u8) -> u64 {
    zeros(word ^ (ONES * byte as u64))
}

/// Marks bytes below `byte`, which is at most 0x80.
const fn below(word: u64, byte: u8) -> u64 {
    word.wrapping_sub(ONES * byte as u64) & !word & HIGH
}

/// Which byte the lowest mark stands in.
const fn lowest(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

/// Position of the first byte that is marked or, among the last few bytes, that `is_stop` names.
#[inline]
fn first(bytes: &[u8], marks: impl Fn(u64) -> u64, is_stop: impl Fn(u8) -> bool) -> Option<usize> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let mut at = 0;
    for chunk in chunks {
        let found = marks(u64::from_le_bytes(*chunk));
        if found != 0 {
            return Some(at + lowest(found));
        }
        at += 8;
    }
    let offset = rest.iter().position(|byte| is_stop(*byte))?;
    Some(at + offset)
}

/// Position of the first colon.
#[inline]
pub(super) fn find_colon(bytes: &[u8]) -> Option<usize> {
    first(bytes, |word| equal(word, b':'), |byte| byte == b':')
}

/// Length of the longest prefix that may stand in a header field value.
#[inline]
pub(super) fn value_prefix(bytes: &[u8]) -> usize {
    let controls = |word| below(word, b' ') | equal(word, 0x7f);
    let mut start = 0;
    loop {
        let rest = &bytes[start..];
        let stop = first(rest, controls, |byte| !is_value_byte(byte));
        let Some(stop) = stop else {
            return bytes.len();
        };
        // Of the control characters only a tab may stand there.
        if rest[stop] != b'\t' {
            return start + stop;
        }
        start += stop + 1;
    }
}

/// Length of the longest prefix of a request target without `?` and `#`.
#[inline]
pub(super) fn target_prefix(bytes: &[u8]) -> usize {
    let marks =
        |word| below(word, b'!') | equal(word, 0x7f) | equal(word, b'?') | equal(word, b'#');
    first(bytes, marks, |byte| !is_target_byte(byte)).unwrap_or(bytes.len())
}

/// Whether two dots stand side by side.
#[inline]
pub(super) fn has_double_dot(bytes: &[u8]) -> bool {
    let mut previous_is_dot = false;
    let (chunks, rest) = bytes.as_chunks::<8>();
    let mut suspects = 0;
    for chunk in chunks {
        let dots = equal(u64::from_le_bytes(*chunk), b'.');
        suspects |= dots & ((dots << 8) | u64::from(previous_is_dot) << 7);
        previous_is_dot = chunk[7] == b'.';
    }
    let mut is_double = false;
    for byte in rest {
        is_double |= previous_is_dot & (*byte == b'.');
        previous_is_dot = *byte == b'.';
    }
    // A mark beside a dot may be wrong (a slash would be), so a suspicion is looked at again.
    is_double || (suspects != 0 && bytes.windows(2).any(|pair| pair == b".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn double_dots_are_found_wherever_they_stand_and_nothing_else_is() {
        for length in 0..40 {
            for at in 0..length {
                let mut bytes = vec![b'a'; length];
                bytes[at] = b'.';
                assert!(!has_double_dot(&bytes));
                if at + 1 < length {
                    bytes[at + 1] = b'/';
                    assert!(!has_double_dot(&bytes), "{bytes:?}");
                    bytes[at + 1] = b'.';
                    assert!(has_double_dot(&bytes), "{bytes:?}");
                }
            }
        }
    }

    #[test]
    fn a_target_ends_at_the_first_byte_it_may_not_have_wherever_that_is() {
        for length in 0..24 {
            for at in 0..=length {
                for byte in 0..=u8::MAX {
                    let mut bytes = vec![b'a'; length];
                    bytes.insert(at, byte);
                    let is_stop = byte <= b' ' || matches!(byte, b'?' | b'#' | 0x7f);
                    let end = if is_stop { at } else { length + 1 };
                    assert_eq!(target_prefix(&bytes), end, "{bytes:?}");
                }
            }
        }
    }
}
