//! The right side of a comparison.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{
    ast::{Block, Value},
    error::SyntaxError,
    text::Text,
};

/// Reads a literal.
pub(crate) fn read(text: &mut Text<'_>) -> Result<Value, SyntaxError> {
    let rest = text.rest();
    if rest.starts_with('"') {
        return quoted(text);
    }
    if rest.starts_with("r#\"") {
        return raw(text);
    }
    match address(text)? {
        Some(value) => Ok(value),
        None => integer(text),
    }
}

fn quoted(text: &mut Text<'_>) -> Result<Value, SyntaxError> {
    let mut value = String::new();
    let mut chars = text.rest().char_indices().skip(1);
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => {
                text.at += at + 1;
                return Ok(Value::Text(value.into()));
            }
            '\\' => match chars.next().map(|(_, escaped)| escaped) {
                Some(own @ ('"' | '\\')) => value.push(own),
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some('t') => value.push('\t'),
                _ => {
                    text.at += at;
                    return Err(text.expected("str_char or str_esc"));
                }
            },
            other => value.push(other),
        }
    }
    text.at = text.source.len();
    Err(text.expected("str_char or str_esc"))
}

fn raw(text: &mut Text<'_>) -> Result<Value, SyntaxError> {
    text.at += "r#\"".len();
    let Some(length) = text.rest().find("\"#") else {
        text.at = text.source.len();
        return Err(text.expected("rawstr_char"));
    };
    let value = text.rest().get(..length).unwrap_or_default();
    text.at += length + "\"#".len();
    Ok(Value::Text(value.into()))
}

/// An address or a block, when the text looks like one.
fn address(text: &mut Text<'_>) -> Result<Option<Value>, SyntaxError> {
    let rest = text.rest();
    let Some((length, digits)) = v4_length(rest)
        .map(|length| (length, 2))
        .or_else(|| v6_length(rest).map(|length| (length, 3)))
    else {
        return Ok(None);
    };
    let start = text.at;
    text.at += length;
    let written = rest.get(..length).unwrap_or_default();
    let is_v4 = digits == 2;
    let behind = text.rest();
    let prefix = behind.strip_prefix('/').map(|rest| {
        let count = rest.bytes().take(digits).take_while(u8::is_ascii_digit);
        rest.get(..count.count()).unwrap_or_default()
    });
    let prefix = prefix.filter(|prefix| !prefix.is_empty());
    if let Some(prefix) = prefix {
        text.at += 1 + prefix.len();
    }
    let parsed = if is_v4 {
        written.parse::<Ipv4Addr>().map(IpAddr::V4)
    } else {
        written.parse::<Ipv6Addr>().map(IpAddr::V6)
    };
    let (address, prefix) = match (parsed, prefix) {
        (Ok(address), Some(prefix)) => (address, prefix),
        (Ok(address), None) => return Ok(Some(Value::Address(address))),
        (Err(error), None) => return Err(text.fault_since(start, error.to_string())),
        (Err(error), Some(_)) => {
            let message = format!("couldn't parse address in network: {error}");
            return Err(text.fault_since(start, message));
        }
    };
    let length = prefix.parse::<u8>().ok();
    let width = if is_v4 { 32 } else { 128 };
    let Some(length) = length.filter(|length| *length <= width) else {
        let message = format!(
            "invalid length for network: Network length {prefix} is too long for {} (maximum: {width})",
            if is_v4 { "Ipv4" } else { "Ipv6" }
        );
        return Err(text.fault_since(start, message));
    };
    let block = Block {
        network: address,
        length,
    };
    if !block.has_zero_host() {
        return Err(text.fault_since(start, "host part of address was not zero"));
    }
    Ok(Some(Value::Block(block)))
}

/// How long the text that looks like `1.2.3.4` is.
fn v4_length(text: &str) -> Option<usize> {
    let mut at = 0;
    for part in 0..4 {
        if part > 0 {
            if text.as_bytes().get(at) != Some(&b'.') {
                return None;
            }
            at += 1;
        }
        let digits = text.bytes().skip(at).take(3);
        let count = digits.take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return None;
        }
        at += count;
    }
    Some(at)
}

/// How long the text that looks like an address of version 6 is.
fn v6_length(text: &str) -> Option<usize> {
    let hex = |at: usize| {
        let digits = text.bytes().skip(at).take(4);
        digits.take_while(u8::is_ascii_hexdigit).count()
    };
    let mut at = if text.starts_with(':') { 1 } else { hex(0) };
    if at == 0 || text.as_bytes().get(at) != Some(&b':') {
        return None;
    }
    at += 1;
    at += text
        .bytes()
        .skip(at)
        .take_while(|byte| byte.is_ascii_hexdigit() || *byte == b':')
        .count();
    Some(at)
}

fn integer(text: &mut Text<'_>) -> Result<Value, SyntaxError> {
    let whole = *text;
    let is_negative = text.take("-");
    let start = text.at;
    let (digits, radix) = digits(text);
    if digits.is_empty() {
        *text = whole;
        return Err(text.expected("rhs"));
    }
    let number = i64::from_str_radix(digits, radix)
        .map_err(|error| text.fault_since(start, error.to_string()))?;
    Ok(Value::Integer(if is_negative { -number } else { number }))
}

/// Octal digits behind a zero, hexadecimal digits behind `0x`, or decimal digits.
fn digits<'t>(text: &mut Text<'t>) -> (&'t str, u32) {
    let start = *text;
    let is_octal = |byte: u8| matches!(byte, b'0'..=b'7');
    if text.take("0") {
        let octal = text.take_while(is_octal);
        if !octal.is_empty() {
            return (octal, 8);
        }
    }
    *text = start;
    if text.take("0x") {
        let hex = text.take_while(|byte| byte.is_ascii_hexdigit());
        if !hex.is_empty() {
            return (hex, 16);
        }
    }
    *text = start;
    (text.take_while(|byte| byte.is_ascii_digit()), 10)
}
