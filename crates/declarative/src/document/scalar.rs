//! What plain scalars of YAML mean.
//!
//! Compat: the readings of YAML 1.1 that the reference's parser knows, but for base-60 numbers,
//! infinities and not-a-number, which JSON cannot hold and which stay texts.

use serde_json::{Number, Value};

/// The value of an unquoted scalar.
pub(super) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            return Value::Bool(true);
        }
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        _ => {}
    }
    number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

fn number(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        b'0'..=b'9' | b'.' => (false, text),
        _ => return None,
    };
    if !digits
        .as_bytes()
        .first()
        .is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.')
    {
        return None;
    }
    let radix = |prefix: &str, radix: u32| {
        let plain = |rest: &&str| rest.bytes().all(|byte| byte.is_ascii_hexdigit());
        let rest = digits.strip_prefix(prefix).filter(plain)?;
        let magnitude = i64::from_str_radix(rest, radix).ok()?;
        Some(Number::from(if negative { -magnitude } else { magnitude }))
    };
    if let Some(number) = radix("0x", 16).or_else(|| radix("0o", 8)) {
        return Some(number);
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        if digits.len() > 1
            && let Some(octal) = radix("0", 8)
        {
            return Some(octal);
        }
        let signed = format!("{}{digits}", if negative { "-" } else { "" });
        if let Ok(whole) = signed.parse::<i64>() {
            return Some(Number::from(whole));
        }
        return signed.parse::<f64>().ok().and_then(Number::from_f64);
    }
    let float = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte))
        && digits.bytes().any(|byte| byte.is_ascii_digit());
    if !float {
        return None;
    }
    let magnitude = digits.parse::<f64>().ok()?;
    Number::from_f64(if negative { -magnitude } else { magnitude })
}
