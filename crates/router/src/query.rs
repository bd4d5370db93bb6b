//! What a request is asked about: the facts that routes can match on.
//!
//! Does not read a request head itself; the caller passes borrowed parts of it.

use std::net::IpAddr;

/// How a request reached the listener, after the forwarded protocol of a trusted peer was *not* applied:
/// matching looks at the connection only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain text.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// The port that a `Host` header without a port stands for.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Access to the header fields of a request.
pub trait HeaderLookup {
    /// Calls `visit` with each value of the field `name` in order until it returns `true`; returns whether
    /// any call did. `name` is lower-case; implementations compare without regard to case.
    fn any_value(&self, name: &str, visit: &mut dyn FnMut(&[u8]) -> bool) -> bool;

    /// Whether the field is present at all.
    fn is_present(&self, name: &str) -> bool {
        self.any_value(name, &mut |_| true)
    }
}

/// A request without header fields, for callers that have none.
impl HeaderLookup for () {
    fn any_value(&self, _name: &str, _visit: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        false
    }
}

/// A list of `(name, value)` pairs, for tests and tools.
impl HeaderLookup for [(&str, &str)] {
    fn any_value(&self, name: &str, visit: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        self.iter()
            .filter(|(own, _)| own.eq_ignore_ascii_case(name))
            .any(|(_, value)| visit(value.as_bytes()))
    }
}

/// One request, as far as routing is concerned.
#[derive(Clone, Copy)]
pub struct Query<'a> {
    /// How the request came in.
    pub scheme: Scheme,
    /// The method, upper-case as sent.
    pub method: &'a [u8],
    /// The host as received (case kept), without port. [`split_host`] cuts it from a `Host` header.
    pub host: &'a [u8],
    /// The port that the `Host` header carried, if it did.
    pub host_port: Option<u16>,
    /// The path without query, as [`crate::normalise_path`] returns it.
    pub path: &'a [u8],
    /// The query without the question mark, as received; empty when there is none.
    pub query: &'a [u8],
    /// The header fields.
    pub headers: &'a dyn HeaderLookup,
    /// The server name of the TLS handshake.
    pub sni: Option<&'a str>,
    /// Address and port of the client.
    pub source: (IpAddr, u16),
    /// Address and port of the listener that took the connection.
    pub destination: (IpAddr, u16),
}

/// Cuts a `Host` header (or an authority) into the host and the port it carries.
///
/// An address in brackets keeps its brackets. A port that is empty or no number counts as absent, and stays
/// out of the host.
///
/// ```
/// assert_eq!(gatehouse_router::split_host(b"a.test:8443"), (&b"a.test"[..], Some(8443)));
/// assert_eq!(gatehouse_router::split_host(b"[::1]"), (&b"[::1]"[..], None));
/// ```
#[must_use]
pub fn split_host(value: &[u8]) -> (&[u8], Option<u16>) {
    if value.first() == Some(&b'[') {
        return match value.iter().position(|byte| *byte == b']') {
            Some(end) => (
                &value[..=end],
                port_of(value.get(end + 2..).unwrap_or_default()),
            ),
            None => (value, None),
        };
    }
    // Hosts are short: looking at each byte is cheaper than a call.
    match value.iter().position(|byte| *byte == b':') {
        Some(at) => (&value[..at], port_of(&value[at + 1..])),
        None => (value, None),
    }
}

fn port_of(digits: &[u8]) -> Option<u16> {
    if digits.is_empty() || digits.len() > 5 {
        return None;
    }
    let mut port = 0_u32;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        port = port * 10 + u32::from(digit - b'0');
    }
    u16::try_from(port).ok()
}
