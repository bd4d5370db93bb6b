//! Reading query strings and form bodies.

use std::borrow::Cow;

/// Splits `a=1&b&c=` into decoded names and values; a name without `=` has no value. Empty
/// parts are skipped.
pub fn pairs(query: &[u8]) -> impl Iterator<Item = (Cow<'_, [u8]>, Option<Cow<'_, [u8]>>)> {
    query
        .split(|byte| *byte == b'&')
        .filter(|part| !part.is_empty())
        .map(|part| match part.iter().position(|byte| *byte == b'=') {
            Some(at) => (decode(&part[..at]), Some(decode(&part[at + 1..]))),
            None => (decode(part), None),
        })
}

/// The first value of a parameter; a parameter without `=` has the value `None` inside.
#[must_use]
pub fn parameter<'q>(query: &'q [u8], name: &str) -> Option<Option<Cow<'q, [u8]>>> {
    pairs(query)
        .find(|(key, _)| key.as_ref() == name.as_bytes())
        .map(|(_, value)| value)
}

/// Undoes percent and plus encoding; broken escapes stay as they are.
#[must_use]
pub fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'+' => out.push(b' '),
            b'%' => match (digit(tail.first()), digit(tail.get(1))) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    rest = &tail[2..];
                }
                _ => out.push(b'%'),
            },
            other => out.push(*other),
        }
    }
    Cow::Owned(out)
}

fn digit(byte: Option<&u8>) -> Option<u8> {
    match byte? {
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        letter @ b'a'..=b'f' => Some(letter - b'a' + 10),
        letter @ b'A'..=b'F' => Some(letter - b'A' + 10),
        _ => None,
    }
}
