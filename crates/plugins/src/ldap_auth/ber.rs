//! The two questions of LDAP (RFC 4511) that are asked, and the form of their answers.

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
const BIND: u8 = 0x60;
const BOUND: u8 = 0x61;
const EXTENDED: u8 = 0x77;
const EXTENDED_ANSWER: u8 = 0x78;
/// A password as it is, or the name of an extended question.
const FIRST: u8 = 0x80;

/// The name of the question whether TLS may begin.
const START_TLS: &[u8] = b"1.3.6.1.4.1.1466.20037";

/// Largest answer, in bytes.
pub(super) const ANSWER_MAX: usize = 64 * 1024;

/// Whether a name proves itself with a password.
pub(super) fn bind(id: u8, name: &str, password: &str) -> Vec<u8> {
    let body = [
        element(INTEGER, &[3]),
        element(OCTETS, name.as_bytes()),
        element(FIRST, password.as_bytes()),
    ];
    message(id, element(BIND, &body.concat()))
}

/// Whether TLS may begin.
pub(super) fn start_tls(id: u8) -> Vec<u8> {
    message(id, element(EXTENDED, &element(FIRST, START_TLS)))
}

fn message(id: u8, operation: Vec<u8>) -> Vec<u8> {
    // An id above 127 would need two bytes; a connection starts over before.
    let body = [element(INTEGER, &[id & 0x7f]), operation];
    element(SEQUENCE, &body.concat())
}

fn element(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(body.len()) {
        Ok(short @ 0..=127) => out.push(short),
        _ => {
            let length = body.len().to_be_bytes();
            let skipped = length.iter().take_while(|byte| **byte == 0).count();
            let used = length.get(skipped..).unwrap_or_default();
            out.push(0x80 | u8::try_from(used.len()).unwrap_or(0));
            out.extend_from_slice(used);
        }
    }
    out.extend_from_slice(body);
    out
}

/// The number of bytes that the element at the front takes, as far as that can be told; an error
/// for what can be none.
pub(super) fn length(bytes: &[u8]) -> Result<Option<usize>, ()> {
    let Some((head, body)) = split_length(bytes)? else {
        return Ok(None);
    };
    match head.saturating_add(body) {
        whole if whole <= ANSWER_MAX => Ok(Some(whole)),
        _ => Err(()),
    }
}

/// Lengths of head and body.
fn split_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, ()> {
    let Some(first) = bytes.get(1) else {
        return Ok(None);
    };
    let count = usize::from(first & 0x7f);
    if first & 0x80 == 0 {
        return Ok(Some((2, count)));
    }
    if count == 0 || count > 4 {
        return Err(());
    }
    let Some(digits) = bytes.get(2..2 + count) else {
        return Ok(None);
    };
    let body = digits
        .iter()
        .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    Ok(Some((2 + count, body)))
}

/// Splits the element of a tag off the front.
fn take<'b>(bytes: &mut &'b [u8], tag: u8) -> Option<&'b [u8]> {
    if bytes.first() != Some(&tag) {
        return None;
    }
    let (head, body) = split_length(bytes).ok()??;
    let end = head.checked_add(body)?;
    let content = bytes.get(head..end)?;
    *bytes = bytes.get(end..)?;
    Some(content)
}

/// What an answer to a question is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bound,
    Extended,
}

/// The result code of an answer; nothing for what answers another question.
pub(super) fn result(bytes: &[u8], id: u8, kind: Kind) -> Option<u8> {
    let mut rest = bytes;
    let mut message = take(&mut rest, SEQUENCE)?;
    if take(&mut message, INTEGER)? != [id & 0x7f] {
        return None;
    }
    let tag = match kind {
        Kind::Bound => BOUND,
        Kind::Extended => EXTENDED_ANSWER,
    };
    let mut operation = take(&mut message, tag)?;
    match take(&mut operation, ENUMERATED)? {
        [code] => Some(*code),
        _ => None,
    }
}
