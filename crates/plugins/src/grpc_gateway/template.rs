//! Templates of paths: `/v1/{name=shelves/*}/books/{book.id}:read`.

use std::fmt::Write;

use plugin_api::decode_query;
use regex::Regex;

/// A template, ready to be matched.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pattern: Regex,
    fields: Vec<String>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// A sentence about what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut pattern = "^".to_owned();
        let mut fields = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            segments(&rest[..open], &mut pattern);
            let inner = &rest[open + 1..];
            let close = inner.find('}');
            let close = close.ok_or_else(|| format!("`{text}`: a `{{` is not closed"))?;
            let (field, value) = match inner[..close].split_once('=') {
                Some((field, value)) => (field, value),
                None => (&inner[..close], "*"),
            };
            if field.is_empty() || field.contains('{') {
                return Err(format!("`{text}`: a variable has no name"));
            }
            fields.push(field.to_owned());
            pattern.push('(');
            segments(value, &mut pattern);
            pattern.push(')');
            rest = &inner[close + 1..];
        }
        segments(rest, &mut pattern);
        pattern.push('$');
        let pattern = Regex::new(&pattern).map_err(|error| format!("`{text}`: {error}"))?;
        Ok(Self { pattern, fields })
    }

    /// The fields that a path gives, decoded; nothing where it does not match.
    pub(super) fn find<'t>(&'t self, path: &str) -> Option<Vec<(&'t str, String)>> {
        let found = self.pattern.captures(path)?;
        let fields = self.fields.iter().enumerate();
        let fields = fields.map(|(at, field)| {
            let value = found.get(at + 1).map_or("", |value| value.as_str());
            (field.as_str(), decoded(value))
        });
        Some(fields.collect())
    }
}

/// Writes segments as a pattern: `*` is one, `**` any number, all else stands for itself.
fn segments(text: &str, pattern: &mut String) {
    for (at, segment) in text.split('/').enumerate() {
        if at > 0 {
            pattern.push('/');
        }
        let (segment, verb) = match segment.split_once(':') {
            Some((segment, verb)) => (segment, Some(verb)),
            None => (segment, None),
        };
        match segment {
            "*" => pattern.push_str("[^/]+"),
            "**" => pattern.push_str(".+"),
            literal => pattern.push_str(&regex::escape(literal)),
        }
        if let Some(verb) = verb {
            // Text cannot fail to be written.
            let _ = write!(pattern, ":{}", regex::escape(verb));
        }
    }
}

/// Undoes percent encoding; a plus stays one.
fn decoded(value: &str) -> String {
    let value = value.replace('+', "%2B");
    String::from_utf8_lossy(&decode_query(value.as_bytes())).into_owned()
}
