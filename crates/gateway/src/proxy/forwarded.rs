//! Who the client is, as far as trusted peers tell.

use std::net::IpAddr;

use super::config::ProxyConfig;
use super::connection::Connection;
use super::work::Work;
use crate::http1::{Known, list_tokens};

/// Fills in whether the peer is trusted and the client's address.
pub(crate) fn resolve(config: &ProxyConfig, connection: &Connection, work: &mut Work) {
    work.is_peer_trusted = connection.is_trusted;
    if !connection.is_trusted {
        return;
    }
    let Some(name) = &config.real_ip_header else {
        return;
    };
    let value = match name.as_slice() {
        b"x-real-ip" => last(work, Known::RealIp),
        b"x-forwarded-for" => last(work, Known::ForwardedFor),
        name => std::str::from_utf8(name)
            .ok()
            .and_then(|name| work.head.fields.head(&work.bytes).values(name).last()),
    };
    let found = value.and_then(|value| choose(config, value, config.is_real_ip_recursive));
    work.real_ip = found.filter(|ip| *ip != connection.client.ip);
}

fn last(work: &Work, kind: Known) -> Option<&[u8]> {
    work.head
        .fields
        .iter()
        .filter(|(known, _)| *known == kind)
        .last()
        .map(|(_, line)| line.value.of(&work.bytes))
}

/// The last address of a list, or with `is_recursive` the last one that is not trusted. Reading
/// stops at what is no address.
fn choose(config: &ProxyConfig, value: &[u8], is_recursive: bool) -> Option<IpAddr> {
    let members: Vec<&[u8]> = list_tokens(value).collect();
    let mut found = None;
    for member in members.iter().rev() {
        let Some(ip) = address(member) else { break };
        found = Some(ip);
        if !is_recursive || !config.trusts(ip) {
            break;
        }
    }
    found
}

/// An address, with or without a port.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Some(ip.to_canonical());
    }
    let with_port: std::net::SocketAddr = text.parse().ok()?;
    Some(with_port.ip().to_canonical())
}
