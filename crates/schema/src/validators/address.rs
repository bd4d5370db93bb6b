//! Addresses and blocks of addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::text_of;

/// An IPv4 or IPv6 address.
///
/// # Errors
///
/// The reference's text.
pub fn ip(value: &Value) -> Result<(), String> {
    let text = text_of(value);
    if text.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    Err(format!("not an ip address: {text}"))
}

/// An IPv4 or IPv6 address, or a block in CIDR notation.
///
/// # Errors
///
/// The reference's text.
pub fn ip_or_cidr(value: &Value) -> Result<(), String> {
    let text = text_of(value);
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let most = if address.parse::<Ipv4Addr>().is_ok() {
        32
    } else if address.parse::<Ipv6Addr>().is_ok() {
        128
    } else {
        return Err(format!("invalid ip or cidr range: '{text}'"));
    };
    let fits = |bits: &str| {
        bits.bytes().all(|byte| byte.is_ascii_digit())
            && bits.parse::<u16>().is_ok_and(|number| number <= most)
    };
    if bits.is_none_or(fits) {
        return Ok(());
    }
    Err(format!("invalid ip or cidr range: '{text}'"))
}
