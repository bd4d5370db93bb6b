//! The PROXY protocol, versions 1 and 2: what a load balancer says of its client before anything
//! else. Only for listeners with `proxy_protocol`; a connection without the header is closed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Longest header taken, in bytes; longer ones carry extensions beyond use here.
pub(crate) const MAX_LENGTH: usize = 536;

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// A header that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Its length in bytes.
    pub(crate) length: usize,
    /// The client's address; `None` where the sender speaks for itself or does not know.
    pub(crate) source: Option<SocketAddr>,
}

/// A connection that does not begin with the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection does not begin with a PROXY header")]
pub(crate) struct Missing;

/// Reads a header off the front of what was received; `None` while it is incomplete.
pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Header>, Missing> {
    let starts = |pattern: &[u8]| {
        let length = pattern.len().min(bytes.len());
        bytes[..length] == pattern[..length]
    };
    if starts(b"PROXY ") {
        return parse_text(bytes);
    }
    if starts(SIGNATURE) {
        return parse_binary(bytes);
    }
    Err(Missing)
}

fn parse_text(bytes: &[u8]) -> Result<Option<Header>, Missing> {
    // The longest line of version 1 has 107 bytes.
    let seen = &bytes[..bytes.len().min(107)];
    let Some(end) = memchr::memmem::find(seen, b"\r\n") else {
        return if seen.len() == 107 {
            Err(Missing)
        } else {
            Ok(None)
        };
    };
    let length = end + 2;
    let line = std::str::from_utf8(&seen[..end]).map_err(|_| Missing)?;
    let words: Vec<&str> = line.split(' ').collect();
    let source = match words.as_slice() {
        ["PROXY", "UNKNOWN", ..] => None,
        ["PROXY", "TCP4" | "TCP6", source, _, port, _] => {
            let ip: IpAddr = source.parse().map_err(|_| Missing)?;
            Some(SocketAddr::new(ip, port.parse().map_err(|_| Missing)?))
        }
        _ => return Err(Missing),
    };
    Ok(Some(Header { length, source }))
}

fn parse_binary(bytes: &[u8]) -> Result<Option<Header>, Missing> {
    let Some((head, rest)) = bytes.split_at_checked(16) else {
        return Ok(None);
    };
    let body = usize::from(u16::from_be_bytes([head[14], head[15]]));
    let length = 16 + body;
    if head[12] >> 4 != 2 || length > MAX_LENGTH {
        return Err(Missing);
    }
    let Some(body) = rest.get(..body) else {
        return Ok(None);
    };
    let is_local = match head[12] & 15 {
        0 => true,
        1 => false,
        _ => return Err(Missing),
    };
    let source = match head[13] >> 4 {
        1 => ipv4(body),
        2 => ipv6(body),
        _ => None,
    };
    let source = source.filter(|_| !is_local);
    Ok(Some(Header { length, source }))
}

fn ipv4(body: &[u8]) -> Option<SocketAddr> {
    let ip: [u8; 4] = body.get(..4)?.try_into().ok()?;
    let port: [u8; 2] = body.get(8..10)?.try_into().ok()?;
    Some((Ipv4Addr::from(ip), u16::from_be_bytes(port)).into())
}

fn ipv6(body: &[u8]) -> Option<SocketAddr> {
    let ip: [u8; 16] = body.get(..16)?.try_into().ok()?;
    let port: [u8; 2] = body.get(32..34)?.try_into().ok()?;
    Some((Ipv6Addr::from(ip), u16::from_be_bytes(port)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(bytes: &[u8]) -> Option<String> {
        let header = parse(bytes).expect("a header").expect("a whole header");
        assert_eq!(header.length, bytes.len());
        header.source.map(|address| address.to_string())
    }

    #[test]
    fn text_headers_are_read() {
        let four = b"PROXY TCP4 1.2.3.4 5.6.7.8 1000 80\r\n";
        assert_eq!(source(four).as_deref(), Some("1.2.3.4:1000"));
        let six = b"PROXY TCP6 ::1 ::2 1000 80\r\n";
        assert_eq!(source(six).as_deref(), Some("[::1]:1000"));
        assert_eq!(source(b"PROXY UNKNOWN\r\n"), None);
    }

    #[test]
    fn binary_headers_are_read() {
        let addresses = [1, 2, 3, 4, 5, 6, 7, 8, 3, 232, 0, 80];
        let four = [&SIGNATURE[..], &[0x21, 0x11, 0, 12], &addresses].concat();
        assert_eq!(source(&four).as_deref(), Some("1.2.3.4:1000"));
        let local = [&SIGNATURE[..], &[0x20, 0x00, 0, 0]].concat();
        assert_eq!(source(&local), None);
    }

    #[test]
    fn every_prefix_of_a_header_is_incomplete_and_other_bytes_are_no_header() {
        let addresses = [1, 2, 3, 4, 5, 6, 7, 8, 3, 232, 0, 80];
        let binary = [&SIGNATURE[..], &[0x21, 0x11, 0, 12], &addresses].concat();
        for header in [&b"PROXY TCP4 1.2.3.4 5.6.7.8 1000 80\r\n"[..], &binary] {
            for end in 0..header.len() {
                assert_eq!(parse(&header[..end]), Ok(None));
            }
        }
        for bytes in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"PROXY TCP4 x y 1 2\r\n",
            b"PROXY TCP4 1.2.3.4\r\n",
            &[b'P'; 200],
            &[&SIGNATURE[..], &[0x31, 0x11, 0, 12]].concat(),
            &[&SIGNATURE[..], &[0x21, 0x11, 255, 255]].concat(),
        ] {
            assert_eq!(parse(bytes), Err(Missing), "{bytes:?}");
        }
    }
}
