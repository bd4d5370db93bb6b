//! Character classes of HTTP and small byte-string helpers. No allocation.

const TOKEN: u8 = 1;
const VALUE: u8 = 2;
const VISIBLE: u8 = 4;
const METHOD: u8 = 8;
const HOST: u8 = 16;

static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let value = u8_of(byte);
        let is_symbol = matches!(
            value,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        );
        if value.is_ascii_alphanumeric() || is_symbol {
            table[byte] |= TOKEN;
        }
        if value == b'\t' || (value >= b' ' && value != 0x7f) {
            table[byte] |= VALUE;
        }
        if value > b' ' && value != 0x7f {
            table[byte] |= VISIBLE;
        }
        // Compat: the reference takes upper-case letters, `_` and `-` as method characters.
        if value.is_ascii_uppercase() || value == b'_' || value == b'-' {
            table[byte] |= METHOD;
        }
        if !matches!(value, b'/' | b'\\' | b'?' | b'#' | b' ' | b'\t') {
            table[byte] |= HOST;
        }
        byte += 1;
    }
    table
}

/// Below 256 nothing is cut off.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a constant function can convert in no other way"
)]
const fn u8_of(value: usize) -> u8 {
    (value & 0xff) as u8
}

fn all(bytes: &[u8], class: u8) -> bool {
    bytes
        .iter()
        .fold(class, |seen, byte| seen & CLASS[usize::from(*byte)])
        == class
}

/// Length of the longest prefix made of token characters.
pub(super) fn token_prefix(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|byte| CLASS[usize::from(*byte)] & TOKEN == 0)
        .unwrap_or(bytes.len())
}

/// Whether a byte may stand in a header field value.
pub(super) fn is_value_byte(byte: u8) -> bool {
    CLASS[usize::from(byte)] & VALUE != 0
}

/// Whether a byte may stand in a request target and is neither `?` nor `#`.
pub(super) fn is_target_byte(byte: u8) -> bool {
    CLASS[usize::from(byte)] & VISIBLE != 0 && !matches!(byte, b'?' | b'#')
}

/// Length of the longest prefix made of characters of a method.
#[inline]
pub(super) fn method_prefix(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|byte| CLASS[usize::from(*byte)] & METHOD == 0)
        .unwrap_or(bytes.len())
}

/// Whether all bytes may stand in a field name.
pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && all(bytes, TOKEN)
}

/// Whether all bytes may stand in a header field value: no control character but a tab.
pub(crate) fn is_value(bytes: &[u8]) -> bool {
    all(bytes, VALUE)
}

/// Whether no byte is a space or a control character.
pub(super) fn is_visible(bytes: &[u8]) -> bool {
    all(bytes, VISIBLE)
}

/// Whether all bytes may stand in an authority.
#[inline]
pub(super) fn is_host(bytes: &[u8]) -> bool {
    all(bytes, HOST)
}

/// Whether this can be a method.
pub(super) fn is_method(bytes: &[u8]) -> bool {
    !bytes.is_empty() && all(bytes, METHOD)
}

/// Removes spaces and tabs at both ends.
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Compares without regard to ASCII case.
pub(crate) fn eq_ignore_case(left: &[u8], right: &[u8]) -> bool {
    left.eq_ignore_ascii_case(right)
}

/// The non-empty members of a comma-separated list.
pub(crate) fn list_tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|byte| *byte == b',')
        .map(trim)
        .filter(|token| !token.is_empty())
}

/// Whether a comma-separated list has the token, compared without regard to case.
pub(crate) fn has_list_token(value: &[u8], token: &[u8]) -> bool {
    list_tokens(value).any(|member| eq_ignore_case(member, token))
}
