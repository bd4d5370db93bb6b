//! The parts of a URL that a call needs.

use plugin_api::BuildError;

/// An HTTP URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) is_tls: bool,
    /// Name or address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Path and query, with its leading slash.
    pub(crate) target: String,
}

impl Url {
    /// Reads a URL; nothing for what is none, or of another scheme. A user part is left out, a
    /// fragment too.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let is_tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let rest = rest.split('#').next()?;
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (place, target) = rest.split_at(at);
        let place = place.rsplit('@').next()?;
        let (host, port) = host_and_port(place)?;
        if host.is_empty() || host.bytes().any(|b| b <= b' ' || b == 0x7f) {
            return None;
        }
        let target = match target {
            "" => "/".to_owned(),
            query if query.starts_with('?') => format!("/{query}"),
            target => target.to_owned(),
        };
        if target.bytes().any(|b| b <= b' ' || b == 0x7f) {
            return None;
        }
        Some(Self {
            is_tls,
            host: host.to_owned(),
            port: port.unwrap_or(if is_tls { 443 } else { 80 }),
            target,
        })
    }

    /// Reads the URL of a field.
    pub(crate) fn of_field(field: &str, text: &str) -> Result<Self, BuildError> {
        Self::parse(text).ok_or_else(|| BuildError::Config {
            field: field.to_owned(),
            reason: "give a URL that begins with http:// or https://".to_owned(),
        })
    }

    /// The value of `Host`.
    pub(crate) fn authority(&self) -> String {
        let default = if self.is_tls { 443 } else { 80 };
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        match self.port == default {
            true => host,
            false => format!("{host}:{}", self.port),
        }
    }
}

/// Percent encoding of everything that is not unreserved (RFC 3986 section 2.3).
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

fn host_and_port(place: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return match rest.strip_prefix(':') {
            None if rest.is_empty() => Some((host, None)),
            None => None,
            Some(port) => Some((host, Some(port.parse().ok()?))),
        };
    }
    match place.rsplit_once(':') {
        None => Some((place, None)),
        Some((host, port)) => Some((host, Some(port.parse().ok()?))),
    }
}
