//! Addresses, networks, ports, and labels.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};

/// A host and port to connect to, possibly with a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Name or address, IPv6 without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// A path prefix that begins with `/`, or empty.
    pub path: String,
}

impl Endpoint {
    /// Reads `host[:port][/path]`, with or without `https://`.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(text: &str, default_port: u16) -> Result<Self, String> {
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("wss://"));
        let rest = rest.unwrap_or(text);
        if rest.contains("://") {
            return Err("only TLS is possible: write host:port without a scheme".to_owned());
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = split_host_port(authority, default_port)?;
        let path = path.trim_end_matches('/').to_owned();
        Ok(Self { host, port, path })
    }

    /// `host:port`, with brackets around an IPv6 address.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

pub(super) fn split_host_port(authority: &str, default_port: u16) -> Result<(String, u16), String> {
    let (host, port) = if let Some(inner) = authority.strip_prefix('[') {
        let (host, rest) = inner.split_once(']').ok_or("a bracket is not closed")?;
        (host, rest.strip_prefix(':'))
    } else {
        match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    let is_clean = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    if host.is_empty() || !host.chars().all(is_clean) {
        return Err(format!("`{host}` is not a host name"));
    }
    let port = match port {
        None => default_port,
        Some(port) => match port.parse() {
            Ok(port) if port > 0 => port,
            _ => return Err(format!("`{port}` is not a port")),
        },
    };
    Ok((host.to_owned(), port))
}

/// Turns the address of a listener into a socket address; names are looked up once, here.
pub(crate) fn resolve(host: &str, port: u16) -> Result<SocketAddr, String> {
    let bare = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, port));
    }
    let is_name = bare
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
    // What consists of digits and dots only was meant as an address, not as a name.
    let is_number = bare.chars().all(|c| c.is_ascii_digit() || c == '.');
    if !is_name || is_number {
        return Err(format!("`{host}` is not an address"));
    }
    (bare, port)
        .to_socket_addrs()
        .ok()
        .and_then(|mut found| found.next())
        .ok_or_else(|| format!("the name `{host}` does not resolve"))
}

/// A network, such as `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    /// Any address of it.
    pub address: IpAddr,
    /// Leading bits that count.
    pub prefix: u8,
}

impl Cidr {
    /// Reads `address` or `address/bits`.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address
            .parse()
            .map_err(|_| format!("`{address}` is not an IP address"))?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            Some(text) => match text.parse() {
                Ok(prefix) if prefix <= bits => prefix,
                _ => return Err(format!("`/{text}` is not between /0 and /{bits}")),
            },
        };
        Ok(Self { address, prefix })
    }

    /// Whether `ip` lies in it. An IPv4 address inside IPv6 counts as IPv4.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.address.to_canonical(), ip.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(ip)) => {
                let bits = u32::from(self.prefix).min(32);
                let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
                u32::from(network) & mask == u32::from(ip) & mask
            }
            (IpAddr::V6(network), IpAddr::V6(ip)) => {
                let mask = u128::MAX
                    .checked_shl(128 - u32::from(self.prefix))
                    .unwrap_or(0);
                u128::from(network) & mask == u128::from(ip) & mask
            }
            _ => false,
        }
    }
}

/// One entry of `port_maps`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortMap {
    /// The port that clients connect to.
    pub external: u16,
    /// The port that the node listens on.
    pub internal: u16,
}

impl PortMap {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let port = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0);
        text.split_once(':')
            .and_then(|(external, internal)| {
                Some(Self {
                    external: port(external)?,
                    internal: port(internal)?,
                })
            })
            .ok_or_else(|| format!("`{text}` is not <external port>:<internal port>"))
    }
}

/// Most labels of a node.
const LABELS_MAX: usize = 10;
/// Longest key or value of a label.
const LABEL_LENGTH_MAX: usize = 63;
const RESERVED: [&str; 5] = ["kong", "konnect", "insomnia", "mesh", "kic"];

/// Reads `cluster_dp_labels`; all mistakes at once.
pub(crate) fn parse_labels(entries: &[String]) -> Result<Vec<(String, String)>, Vec<String>> {
    let mut labels = Vec::new();
    let mut mistakes = Vec::new();
    if entries.len() > LABELS_MAX {
        mistakes.push(format!(
            "{} labels are given, at most {LABELS_MAX} are possible",
            entries.len()
        ));
    }
    for entry in entries {
        match parse_label(entry) {
            Ok(label) => labels.push(label),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() {
        Ok(labels)
    } else {
        Err(mistakes)
    }
}

fn parse_label(entry: &str) -> Result<(String, String), String> {
    let (key, value) = entry
        .split_once(':')
        .ok_or_else(|| format!("`{entry}` is not of the form key:value"))?;
    let (key, value) = (key.trim(), value.trim());
    for (what, text) in [("key", key), ("value", value)] {
        if text.is_empty() || text.len() > LABEL_LENGTH_MAX {
            return Err(format!(
                "the {what} of `{entry}` must have 1 to {LABEL_LENGTH_MAX} characters"
            ));
        }
        if !is_label_text(text) {
            return Err(format!(
                "the {what} of `{entry}` must begin and end with a letter or digit and may hold \
                 letters, digits, `_`, `.`, `:` and `-`"
            ));
        }
    }
    if let Some(reserved) = RESERVED.iter().find(|reserved| starts_with(key, reserved)) {
        return Err(format!(
            "the key of `{entry}` begins with `{reserved}`, which is reserved"
        ));
    }
    Ok((key.to_owned(), value.to_owned()))
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn is_label_text(text: &str) -> bool {
    let is_edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(byte);
    is_edge(bytes.first()) && is_edge(bytes.last()) && bytes.iter().all(is_inner)
}
