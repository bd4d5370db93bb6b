//! A small emitter of block-style YAML.
//!
//! Compat: null is `~`, lists stand at the indentation of their key, texts are plain where they
//! read back as the same text, single-quoted otherwise, and literal blocks where they have
//! several lines.

use serde_json::Value;

/// Columns after which a long text is broken.
const WIDTH: usize = 80;

/// The text of a value.
pub(super) fn text(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(members) if !members.is_empty() => object(members, 0, false, &mut out),
        Value::Array(items) if !items.is_empty() => array(items, 0, &mut out),
        other => {
            scalar(other, 0, &mut out);
            out.push('\n');
        }
    }
    out
}

/// The lines of members at the outermost level.
pub(super) fn members(members: &serde_json::Map<String, Value>, out: &mut String) {
    object(members, 0, false, out);
}

/// The line that begins a list at the outermost level.
pub(super) fn key(name: &str, out: &mut String) {
    quoted(name, out);
    out.push_str(":\n");
}

/// One item of such a list.
pub(super) fn item(value: &Value, out: &mut String) {
    array(std::slice::from_ref(value), 0, out);
}

fn object(
    members: &serde_json::Map<String, Value>,
    indent: usize,
    mut inline: bool,
    out: &mut String,
) {
    for (key, value) in members {
        if !inline {
            pad(indent, out);
        }
        inline = false;
        quoted(key, out);
        out.push(':');
        member(value, indent, out);
    }
}

/// What follows a key or a dash.
fn member(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            out.push('\n');
            object(members, indent + 2, false, out);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            array(items, indent, out);
        }
        other => {
            out.push(' ');
            scalar(other, indent, out);
            out.push('\n');
        }
    }
}

fn array(items: &[Value], indent: usize, out: &mut String) {
    for item in items {
        pad(indent, out);
        out.push_str("- ");
        match item {
            Value::Object(members) if !members.is_empty() => {
                object(members, indent + 2, true, out);
            }
            Value::Array(inner) if !inner.is_empty() => {
                out.pop();
                out.push('\n');
                array(inner, indent + 2, out);
            }
            other => {
                scalar(other, indent, out);
                out.push('\n');
            }
        }
    }
}

fn scalar(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Null => out.push('~'),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => string(text, indent, out),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
}

/// A text in value position, where literal blocks are possible.
fn string(text: &str, indent: usize, out: &mut String) {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let printable = |c: char| c == '\n' || c == '\t' || !c.is_control();
    let literal = text.contains('\n')
        && text.chars().all(printable)
        && !body.is_empty()
        && !body.starts_with([' ', '\n', '\t'])
        && !body.ends_with(['\n', ' '])
        && !text.contains(['\u{feff}', '\u{2028}', '\u{2029}', '\u{85}']);
    if !literal {
        let start = out.len();
        quoted(text, out);
        return fold(start, indent + 2, out);
    }
    out.push_str(if text.ends_with('\n') { "|" } else { "|-" });
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            pad(indent + 2, out);
            out.push_str(line);
        }
    }
}

/// Breaks a long plain or single-quoted text at single spaces, which read back as spaces.
///
/// Compat: the first space beyond column 80 becomes a line break.
fn fold(start: usize, indent: usize, out: &mut String) {
    let line = out[..start].rfind('\n').map_or(0, |at| at + 1);
    let mut column = out[line..start].chars().count();
    if column + (out.len() - start) <= WIDTH || out[start..].starts_with('"') {
        return;
    }
    let text = out.split_off(start);
    let is_quoted = text.starts_with('\'');
    let last = text.len() - usize::from(is_quoted);
    let mut previous = ' ';
    for (at, c) in text.char_indices() {
        let after = text.as_bytes().get(at + 1);
        let is_inside = at > usize::from(is_quoted) && at + 1 < last;
        let is_lone = c == ' ' && previous != ' ' && after != Some(&b' ');
        if is_lone && is_inside && column > WIDTH {
            out.push('\n');
            pad(indent, out);
            column = indent;
        } else {
            out.push(c);
            column += 1;
        }
        previous = c;
    }
}

/// A text that may stand anywhere on a line.
fn quoted(text: &str, out: &mut String) {
    if is_plain(text) {
        out.push_str(text);
    } else if text
        .chars()
        .any(|c| c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}'))
    {
        double(text, out);
    } else {
        out.push('\'');
        out.push_str(&text.replace('\'', "''"));
        out.push('\'');
    }
}

fn double(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Whether the text reads back as itself without quotes.
fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    let safe_start = first.is_ascii_alphabetic()
        || first.is_ascii_digit()
        || matches!(first, '/' | '_' | '.' | '(' | '^' | '$' | '+')
        || (first == '~' && text.len() > 1);
    safe_start
        && text.chars().all(|c| !c.is_control() && c.is_ascii())
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
        && text != "..."
        && !text.starts_with("<<")
        && !is_special(text)
}

/// Whether an unquoted text would be read as something else, by old or new readers.
fn is_special(text: &str) -> bool {
    const WORDS: [&str; 10] = [
        "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan",
    ];
    let lower = text.to_ascii_lowercase();
    if WORDS.contains(&lower.as_str()) || lower.ends_with(".inf") {
        return true;
    }
    is_number(lower.trim_start_matches(['+', '-'])) || is_date(text)
}

/// Numbers of any YAML: decimal, hexadecimal, octal, binary, base 60, with an exponent.
fn is_number(text: &str) -> bool {
    let of = |text: &str, allowed: &[u8]| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || allowed.contains(&byte))
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return of(digits, b"abcdef_");
    }
    if let Some(digits) = text.strip_prefix("0o").or_else(|| text.strip_prefix("0b")) {
        return of(digits, b"_");
    }
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let is_mantissa = match (whole, fraction) {
        ("", fraction) => of(fraction, b"_"),
        (whole, "") => of(whole, b"_:"),
        (whole, fraction) => of(whole, b"_:") && of(fraction, b"_"),
    };
    is_mantissa && of(exponent.trim_start_matches(['+', '-']), b"_")
}

fn is_date(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_digit() || b"-+tTzZ:. ".contains(&byte);
    text.bytes().all(allowed)
        && text.bytes().take_while(u8::is_ascii_digit).count() == 4
        && text.as_bytes().get(4) == Some(&b'-')
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}
