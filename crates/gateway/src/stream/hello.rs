//! What a TLS client says first, read without taking part in the handshake: the server name that it
//! asks for.
//!
//! Strict: what two readers could read in two ways is refused. Nothing is decided here about
//! versions, suites or any other extension.

use std::borrow::Cow;
use std::net::IpAddr;

use rustls_pki_types::DnsName;

/// Longest message taken, in bytes; those of browsers have about 2,000.
const MAX_MESSAGE: usize = 16 * 1024;
/// Longest record, in bytes (RFC 8446 section 5.1).
const MAX_RECORD: usize = 16 * 1024;
/// Room for such a message in records of a sensible size, in bytes.
pub(crate) const MAX_BYTES: usize = MAX_MESSAGE + 4096;

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_NAME: u16 = 0;
const HOST_NAME: u8 = 0;

/// A client's first message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hello {
    /// The server name in lower case; `None` where the client names none, or an address.
    pub(crate) server_name: Option<String>,
}

/// What came is not the beginning of a TLS handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection does not begin with a TLS handshake")]
pub(crate) struct NotHello;

/// Reads the message off the front of what was received; `None` while it is incomplete.
pub(crate) fn read(bytes: &[u8]) -> Result<Option<Hello>, NotHello> {
    let Some(message) = message(bytes)? else {
        return if bytes.len() >= MAX_BYTES {
            Err(NotHello)
        } else {
            Ok(None)
        };
    };
    parse(&message).ok_or(NotHello).map(Some)
}

/// Puts the message together out of its records; `None` while some of it is missing.
fn message(bytes: &[u8]) -> Result<Option<Cow<'_, [u8]>>, NotHello> {
    let mut rest = bytes;
    let mut whole: Cow<'_, [u8]> = Cow::Borrowed(&[]);
    loop {
        let (front, body) = rest.split_at(rest.len().min(5));
        let length = check_record(front)?;
        let Some(length) = length else {
            return Ok(None);
        };
        let (fragment, behind) = body.split_at(body.len().min(length));
        match whole.is_empty() {
            true => whole = Cow::Borrowed(fragment),
            false => whole.to_mut().extend_from_slice(fragment),
        }
        if let Some(end) = message_end(&whole)? {
            // Nothing may follow before the server has answered.
            let missing = length - fragment.len();
            match end.checked_sub(whole.len() + missing) {
                None => return Err(NotHello),
                Some(0) if missing == 0 => return Ok(Some(whole)),
                Some(_) => {}
            }
        }
        if fragment.len() < length {
            return Ok(None);
        }
        rest = behind;
    }
}

/// Checks as much of a record's head as is there; gives the length of its content.
fn check_record(front: &[u8]) -> Result<Option<usize>, NotHello> {
    let is_good =
        |index: usize, is_good: fn(u8) -> bool| front.get(index).is_none_or(|b| is_good(*b));
    if !is_good(0, |kind| kind == HANDSHAKE) || !is_good(1, |major| major == 3) {
        return Err(NotHello);
    }
    let [_, _, _, high, low] = front else {
        return Ok(None);
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length == 0 || length > MAX_RECORD {
        return Err(NotHello);
    }
    Ok(Some(length))
}

/// Where the message ends, head included; `None` while the head is incomplete.
fn message_end(whole: &[u8]) -> Result<Option<usize>, NotHello> {
    if whole.first().is_some_and(|kind| *kind != CLIENT_HELLO) {
        return Err(NotHello);
    }
    let [_, high, middle, low, ..] = whole else {
        return Ok(None);
    };
    let length =
        usize::try_from(u32::from_be_bytes([0, *high, *middle, *low])).unwrap_or(usize::MAX);
    if length > MAX_MESSAGE {
        return Err(NotHello);
    }
    Ok(Some(4 + length))
}

/// The parts of a message, taken from its front.
struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    fn short(&mut self) -> Option<u16> {
        self.take(2)
            .map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A part behind its length of one byte.
    fn part8(&mut self) -> Option<&'a [u8]> {
        let length = self.byte()?;
        self.take(usize::from(length))
    }

    /// A part behind its length of two bytes.
    fn part16(&mut self) -> Option<&'a [u8]> {
        let length = self.short()?;
        self.take(usize::from(length))
    }
}

fn parse(message: &[u8]) -> Option<Hello> {
    let mut parts = Parts(message.get(4..)?);
    // Version and random.
    parts.take(34)?;
    let session = parts.part8()?;
    let suites = parts.part16()?;
    let compressions = parts.part8()?;
    if session.len() > 32
        || suites.is_empty()
        || !suites.len().is_multiple_of(2)
        || compressions.is_empty()
    {
        return None;
    }
    if parts.0.is_empty() {
        return Some(Hello::default());
    }
    let mut extensions = Parts(parts.part16()?);
    if !parts.0.is_empty() {
        return None;
    }
    let mut hello = None;
    while !extensions.0.is_empty() {
        let kind = extensions.short()?;
        let content = extensions.part16()?;
        if kind != SERVER_NAME {
            continue;
        }
        // Named twice is named ambiguously.
        if hello.is_some() {
            return None;
        }
        hello = Some(Hello {
            server_name: server_name(content)?,
        });
    }
    Some(hello.unwrap_or_default())
}

/// The name of the extension; the outer `None` means that it breaks the rules.
fn server_name(content: &[u8]) -> Option<Option<String>> {
    let mut content = Parts(content);
    let mut list = Parts(content.part16()?);
    let kind = list.byte()?;
    let name = list.part16()?;
    if !content.0.is_empty() || !list.0.is_empty() || kind != HOST_NAME {
        return None;
    }
    let name = std::str::from_utf8(name).ok()?;
    if name.parse::<IpAddr>().is_ok() {
        return Some(None);
    }
    let name = DnsName::try_from(name).ok()?;
    Some(Some(name.to_lowercase_owned().as_ref().to_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{ClientConfig, ClientConnection};
    use rustls_pki_types::ServerName;

    use super::*;

    /// What a client sends first.
    fn hello(name: &str) -> Vec<u8> {
        let config = ClientConfig::builder_with_provider(pki::crypto_provider())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let mut session = ClientConnection::new(Arc::new(config), name).expect("a session");
        let mut bytes = Vec::new();
        session.write_tls(&mut bytes).expect("bytes");
        bytes
    }

    fn name(bytes: &[u8]) -> Option<String> {
        read(bytes)
            .expect("a handshake")
            .expect("all of it")
            .server_name
    }

    /// The same message in records of `size` bytes.
    fn in_records(bytes: &[u8], size: usize) -> Vec<u8> {
        let pieces = bytes[5..].chunks(size).map(|piece| {
            let length = u16::try_from(piece.len())
                .expect("a short piece")
                .to_be_bytes();
            [&[22, 3, 1], &length[..], piece].concat()
        });
        pieces.collect::<Vec<_>>().concat()
    }

    /// A message with these extensions.
    fn with_extensions(extensions: &[u8]) -> Vec<u8> {
        let mut body = vec![3; 34];
        body.extend_from_slice(&[0, 0, 2, 0x13, 1, 1, 0]);
        let length = u16::try_from(extensions.len())
            .expect("short")
            .to_be_bytes();
        body.extend_from_slice(&length);
        body.extend_from_slice(extensions);
        let length = u8::try_from(body.len()).expect("short");
        let message = [&[1, 0, 0, length], &body[..]].concat();
        [&[22, 3, 1, 0, length + 4], &message[..]].concat()
    }

    #[test]
    fn the_server_name_is_found_in_whole_and_in_split_records() {
        let bytes = hello("Api.Example.test");
        assert_eq!(name(&bytes).as_deref(), Some("api.example.test"));
        for size in [1, 7, 100] {
            let split = in_records(&bytes, size);
            if split.len() < MAX_BYTES {
                assert_eq!(name(&split).as_deref(), Some("api.example.test"), "{size}");
            }
        }
        assert_eq!(name(&hello("127.0.0.1")), None);
    }

    #[test]
    fn every_prefix_is_incomplete() {
        let bytes = hello("a.test");
        for end in 0..bytes.len() {
            assert_eq!(read(&bytes[..end]), Ok(None), "{end}");
        }
    }

    #[test]
    fn other_bytes_are_no_handshake() {
        for bytes in [
            &b"GET / HTTP/1.1\r\n"[..],
            &[22, 2],
            &[22, 3, 1, 0, 0],
            &[22, 3, 1, 0x40, 1],
            &[22, 3, 1, 0, 4, 2],
            &[22, 3, 1, 0, 4, 1, 0xff, 0, 0],
            &with_extensions(&[0, 0, 0, 1]),
        ] {
            assert_eq!(read(bytes), Err(NotHello), "{bytes:?}");
        }
    }

    #[test]
    fn a_name_that_could_be_read_in_two_ways_is_refused() {
        let named = |name: &[u8]| {
            let length = u8::try_from(name.len()).expect("short");
            let head = [0, 0, 0, length + 5, 0, length + 3, 0, 0, length];
            [&head[..], name].concat()
        };
        assert_eq!(
            name(&with_extensions(&named(b"a.test"))).as_deref(),
            Some("a.test")
        );
        let twice = [named(b"a.test"), named(b"b.test")].concat();
        let mut behind = named(b"a.test");
        behind.push(0);
        let empty_list = [0, 0, 0, 2, 0, 0];
        let two_names = [0, 0, 0, 10, 0, 8, 0, 0, 1, b'a', 0, 0, 1, b'b'];
        for extensions in [
            &twice[..],
            &behind,
            &empty_list,
            &two_names,
            &named(b"a\0.test"),
            &named(b"\xff"),
            &named(b""),
        ] {
            assert_eq!(
                read(&with_extensions(extensions)),
                Err(NotHello),
                "{extensions:?}"
            );
        }
        assert_eq!(name(&with_extensions(&[])), None);
    }

    #[test]
    fn what_never_ends_is_refused() {
        let mut bytes = vec![22, 3, 1, 0x40, 0, 1, 0, 0x40, 0];
        bytes.resize(MAX_BYTES, 0);
        assert_eq!(read(&bytes), Err(NotHello));
    }
}
