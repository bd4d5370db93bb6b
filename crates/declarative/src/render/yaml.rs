//! A small emitter of block-style YAML.
//!
//! Compat: null is `~`, lists stand at the indentation of their key, texts are plain where they
//! read back as the same text, single-quoted otherwise, and literal blocks where they have
//! several lines.

use serde_json::Value;

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
        quoted(key, indent, out);
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
        return quoted(text, indent, out);
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

/// A text that may stand anywhere on a line.
fn quoted(text: &str, _indent: usize, out: &mut String) {
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
    let numeric = |byte: u8| byte.is_ascii_digit() || b"+-.eE_:xXoOabcdfABCDF".contains(&byte);
    text.bytes().all(numeric)
        && (text.as_bytes()[0].is_ascii_digit() || b"+-.".contains(&text.as_bytes()[0]))
        || text.bytes().filter(|byte| *byte == b'-').count() == 2
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b"-T:Z. ".contains(&byte))
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}
