//! Texts of forms as what the description expects.
//!
//! What cannot be read stays a text and is refused by validation with its own message.

use schema::{Field, FieldKind, Map, Schema};
use serde_json::{Number, Value};

/// Reads the members of a record.
pub(super) fn record(members: &mut Map, schema: &Schema) {
    for (name, value) in members.iter_mut() {
        let alias = || {
            let mut shorthands = schema.shorthands.iter().map(|alias| &alias.field);
            shorthands.find(|field| field.name == name)
        };
        if let Some(field) = schema.find(name).or_else(alias) {
            infer(value, field);
        } else {
            empty_is_null(value);
        }
    }
}

/// Reads the time to live, which is no member of a description.
pub(super) fn ttl(members: &mut Map) {
    if let Some(value) = members.get_mut("ttl") {
        infer(value, &Field::integer("ttl"));
    }
}

fn infer(value: &mut Value, field: &Field) {
    empty_is_null(value);
    if value.is_null() {
        return;
    }
    match &field.kind {
        FieldKind::Integer | FieldKind::Number => {
            if let Some(number) = value.as_str().and_then(number) {
                *value = Value::Number(number);
            }
        }
        FieldKind::Boolean => match value.as_str() {
            Some("true") => *value = Value::Bool(true),
            Some("false") => *value = Value::Bool(false),
            _ => {}
        },
        FieldKind::Array(element) | FieldKind::Set(element) => {
            if value.is_string() {
                *value = Value::Array(vec![value.take()]);
            }
            if let Value::Array(items) = value {
                items.iter_mut().for_each(|item| infer(item, element));
            }
        }
        FieldKind::Map { values, .. } => {
            if let Value::Object(members) = value {
                members.values_mut().for_each(|value| infer(value, values));
            }
        }
        FieldKind::Record(schema) => {
            if let Value::Object(members) = value {
                record(members, schema);
            }
        }
        FieldKind::String | FieldKind::Foreign(_) | FieldKind::Json | FieldKind::Abstract => {}
    }
}

/// Compat: an empty text is null.
fn empty_is_null(value: &mut Value) {
    if value.as_str() == Some("") {
        *value = Value::Null;
    }
}

/// A number as the reference's language reads it: decimal with fraction and exponent, or
/// hexadecimal, with spaces around.
pub(in crate::gateway) fn number(text: &str) -> Option<Number> {
    let text = text.trim_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"));
    let number = match hexadecimal {
        Some(hexadecimal) => f64::from(u32::from_str_radix(hexadecimal, 16).ok()?),
        // Words such as `inf` are no numbers.
        None if digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') => {
            digits.parse::<f64>().ok()?
        }
        None => return None,
    };
    whole(sign * number).or_else(|| Number::from_f64(sign * number))
}

/// Compat: whole numbers are written without a fraction.
#[expect(
    clippy::cast_possible_truncation,
    reason = "whole and within the limits of what a double holds exactly"
)]
fn whole(number: f64) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= EXACT).then(|| Number::from(number as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_the_reference_reads_them() {
        for (text, expected) in [
            ("80", "80"),
            ("-1", "-1"),
            ("+1", "1"),
            (" 5 ", "5"),
            ("1e2", "100"),
            ("1.5", "1.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("0x50", "80"),
            ("-0X10", "-16"),
            ("1e300", "1e+300"),
        ] {
            let read = number(text).map(|number| number.to_string());
            assert_eq!(read.as_deref(), Some(expected), "{text}");
        }
        for text in [
            "", " ", "x", "1x", "inf", "nan", "-inf", "infinity", "0x", "1e400", "--1", "1,5",
        ] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
