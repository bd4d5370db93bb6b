//! Host names and addresses with or without a port.

use std::net::Ipv6Addr;

use serde_json::Value;

use super::text_of;

/// What an address is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// A host name.
    Name,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
}

/// Host and optional port of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressParts {
    /// What the host is.
    pub kind: AddressKind,
    /// The host; IPv6 in full length and lower case, without brackets.
    pub host: String,
    /// The port, if named.
    pub port: Option<u16>,
}

/// An address, or the reference's text about it.
pub type Address = Result<AddressParts, String>;

/// The text about a port that is out of range.
const BAD_PORT: &str = "invalid port number";

impl AddressParts {
    /// The address in the normal form of targets: brackets around IPv6, always a port.
    #[must_use]
    pub fn with_port(&self, default: u16) -> String {
        let port = self.port.unwrap_or(default);
        match self.kind {
            AddressKind::Ipv6 => format!("[{}]:{port}", self.host),
            AddressKind::Name | AddressKind::Ipv4 => format!("{}:{port}", self.host),
        }
    }
}

/// Takes an address apart.
///
/// # Errors
///
/// The reference's text.
pub fn parse_address(text: &str) -> Address {
    let colons = text.bytes().filter(|byte| *byte == b':').count();
    if colons > 1 {
        return parse_ipv6(text);
    }
    let digits = |byte: u8| byte.is_ascii_digit() || byte == b'.' || byte == b':';
    if !text.is_empty() && text != ":" && text.bytes().all(digits) {
        return parse_ipv4(text);
    }
    parse_name(text)
}

fn parse_name(text: &str) -> Address {
    let bad = || format!("invalid hostname: {text}");
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    let port = match port {
        None | Some("") => None,
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(port.parse::<u16>().map_err(|_| BAD_PORT.to_owned())?)
        }
        Some(_) => return Err(bad()),
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    if name.is_empty() || !name.bytes().all(allowed) {
        return Err(bad());
    }
    let labels = name.strip_suffix('.').unwrap_or(name);
    let wrong = |label: &str| label.is_empty() || label.ends_with('-');
    if labels.split('.').any(wrong) {
        return Err(bad());
    }
    Ok(AddressParts {
        kind: AddressKind::Name,
        host: name.to_owned(),
        port,
    })
}

fn parse_ipv4(text: &str) -> Address {
    let bad = || format!("invalid ipv4 address: {text}");
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let octets: Vec<&str> = host.split('.').collect();
    let octet = |part: &&str| (1..=3).contains(&part.len()) && part.parse::<u8>().is_ok();
    if octets.len() != 4 || !octets.iter().all(octet) {
        return Err(bad());
    }
    let port = match port {
        None => None,
        Some("") => return Err(bad()),
        Some(port) => Some(port.parse::<u16>().map_err(|_| BAD_PORT.to_owned())?),
    };
    let host = octets
        .iter()
        .map(|part| part.parse::<u8>().unwrap_or_default().to_string())
        .collect::<Vec<_>>()
        .join(".");
    Ok(AddressParts {
        kind: AddressKind::Ipv4,
        host,
        port,
    })
}

fn parse_ipv6(text: &str) -> Address {
    let bad = || format!("invalid ipv6 address: {text}");
    let (host, port) = match text.strip_prefix('[') {
        None => (text, None),
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or_else(bad)?;
            match rest.strip_prefix(':') {
                Some(port) if !port.is_empty() => {
                    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
                        return Err(bad());
                    }
                    (
                        host,
                        Some(port.parse::<u16>().map_err(|_| BAD_PORT.to_owned())?),
                    )
                }
                None if rest.is_empty() => (host, None),
                _ => return Err(bad()),
            }
        }
    };
    let address: Ipv6Addr = host.parse().map_err(|_| bad())?;
    let groups: Vec<String> = address
        .segments()
        .iter()
        .map(|group| format!("{group:04x}"))
        .collect();
    Ok(AddressParts {
        kind: AddressKind::Ipv6,
        host: groups.join(":"),
        port,
    })
}

fn without_port(text: &str, parsed: &Address) -> Result<(), String> {
    match parsed {
        Ok(parts) if parts.port.is_none() => Ok(()),
        Err(message) if message != BAD_PORT => Err(format!("invalid value: {text}")),
        _ => Err("must not have a port".to_owned()),
    }
}

/// A host name or address without a port.
///
/// # Errors
///
/// The reference's text.
pub fn host(value: &Value) -> Result<(), String> {
    let text = text_of(value);
    without_port(text, &parse_address(text))
}

/// A host name or address with an optional port.
///
/// # Errors
///
/// The reference's text.
pub fn host_with_optional_port(value: &Value) -> Result<(), String> {
    parse_address(text_of(value)).map(|_| ())
}

/// The host of a route: like [`host_with_optional_port`], with `*` in it. Where a wildcard may
/// stand is a matter of the field's patterns.
///
/// # Errors
///
/// The reference's text.
pub fn host_with_wildcard(value: &Value) -> Result<(), String> {
    parse_address(&text_of(value).replace('*', "abc")).map(|_| ())
}

/// A server name for TLS.
///
/// # Errors
///
/// The reference's text.
pub fn sni(value: &Value) -> Result<(), String> {
    server_name(text_of(value))
}

/// A server name for TLS with at most one `*`, first or last.
///
/// # Errors
///
/// The reference's text.
pub fn wildcard_host(value: &Value) -> Result<(), String> {
    let text = text_of(value);
    let Some(at) = text.find('*') else {
        return server_name(text);
    };
    if at != 0 && at + 1 != text.len() {
        return Err("wildcard must be leftmost or rightmost character".to_owned());
    }
    if text.matches('*').count() > 1 {
        return Err("only one wildcard must be specified".to_owned());
    }
    server_name(&text.replace('*', "wildcard"))
}

fn server_name(text: &str) -> Result<(), String> {
    let parsed = parse_address(text);
    match &parsed {
        Err(message) if message != BAD_PORT => Err(format!("invalid value: {text}")),
        Ok(parts) if parts.kind != AddressKind::Name => Err("must not be an IP".to_owned()),
        _ => without_port(text, &parsed),
    }
}

/// The name of an upstream.
///
/// # Errors
///
/// The reference's text.
pub fn hostname_no_port(value: &Value) -> Result<(), String> {
    let text = text_of(value);
    let fault = |what: &str| Err(format!("Invalid name ('{text}'); {what}"));
    match parse_address(text) {
        Err(_) => fault("must be a valid hostname"),
        Ok(parts) if parts.kind != AddressKind::Name => fault("no ip addresses allowed"),
        Ok(parts) if parts.port.is_some() => fault("no port allowed"),
        Ok(_) => Ok(()),
    }
}
