//! Reading host names out of requests.

/// Characters of one label of a DNS name.
const LABEL_LENGTH: usize = 63;

/// The host of an authority such as `us.api.konghq.localhost:8443` or `[::1]:8443`, without port
/// and brackets; `None` when it is malformed.
#[must_use]
pub fn host_of(authority: &str) -> Option<&str> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        let is_address = host.parse::<std::net::Ipv6Addr>().is_ok();
        return (is_address && is_port(port)).then_some(host);
    }
    let (host, port) = match authority.find(':') {
        Some(at) => authority.split_at(at),
        None => (authority, ""),
    };
    (!host.is_empty() && is_port(port)).then_some(host)
}

/// Whether the text after the host is nothing or `:` and a port.
fn is_port(text: &str) -> bool {
    match text.strip_prefix(':') {
        None => text.is_empty(),
        Some(port) => {
            port.is_empty()
                || (port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok())
        }
    }
}

/// Whether a text can be one label of a host name.
pub(super) fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= LABEL_LENGTH
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
