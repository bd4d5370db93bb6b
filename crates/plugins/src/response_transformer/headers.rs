//! Changing the headers of an answer.

use bytes::Bytes;
use plugin_api::ResponseView;

use crate::records::changes::Changes;

/// The name of a header, as text to look up and as bytes to write.
#[derive(Debug)]
struct Name {
    text: String,
    bytes: Bytes,
}

/// The prepared form of the changes.
#[derive(Debug)]
pub(super) struct Plan {
    remove: Vec<Name>,
    rename: Vec<(Name, Bytes)>,
    replace: Vec<(Name, Bytes)>,
    add: Vec<(Name, Bytes)>,
    append: Vec<(Name, Bytes)>,
}

impl Plan {
    pub(super) fn prepare(changes: &Changes<String>) -> Self {
        let bytes = |text: &String| Bytes::copy_from_slice(text.as_bytes());
        let name = |text: &String| Name {
            text: text.clone(),
            bytes: bytes(text),
        };
        let pairs = |pairs: &[(String, String)]| {
            let one = |(text, value): &(String, String)| (name(text), bytes(value));
            pairs.iter().map(one).collect()
        };
        Self {
            remove: changes.remove.iter().map(name).collect(),
            rename: pairs(&changes.rename),
            replace: pairs(&changes.replace),
            add: pairs(&changes.add),
            append: pairs(&changes.append),
        }
    }

    /// Does what is planned.
    pub(super) fn apply(&self, view: &mut ResponseView<'_>) {
        for name in &self.remove {
            view.headers.remove(name.bytes.clone());
            view.changes_body |= name.text.eq_ignore_ascii_case("content-length");
        }
        let mut renamed: Vec<&str> = Vec::new();
        for (old, new) in &self.rename {
            let values: Vec<Bytes> = view
                .header_values(&old.text)
                .map(Bytes::copy_from_slice)
                .collect();
            if values.is_empty() {
                continue;
            }
            renamed.push(&old.text);
            view.headers.remove(old.bytes.clone());
            view.headers.remove(new.clone());
            for value in values {
                view.headers.add(new.clone(), value);
            }
        }
        // Compat: a name that lost its values to another still counts as there.
        let was_there = |name: &str, view: &ResponseView<'_>| {
            let is_renamed = renamed.iter().any(|old| old.eq_ignore_ascii_case(name));
            is_renamed || view.header(name).is_some()
        };
        for (name, value) in &self.replace {
            if was_there(&name.text, view) {
                let value = with_charset(&name.text, value, view);
                view.headers.set(name.bytes.clone(), value);
            }
        }
        for (name, value) in &self.add {
            if !was_there(&name.text, view) {
                view.headers.add(name.bytes.clone(), value.clone());
            }
        }
        for (name, value) in &self.append {
            view.headers.add(name.bytes.clone(), value.clone());
        }
    }
}

/// Compat: the character set of the service's `Content-Type` outlives the type.
fn with_charset(name: &str, value: &Bytes, view: &ResponseView<'_>) -> Bytes {
    if !name.eq_ignore_ascii_case("content-type") || value.contains(&b';') {
        return value.clone();
    }
    let before = view.header(name).unwrap_or_default();
    let Some(at) = before.iter().position(|byte| *byte == b';') else {
        return value.clone();
    };
    let parameters = &before[at..];
    if !parameters
        .to_ascii_lowercase()
        .windows(8)
        .any(|window| window == b"charset=")
    {
        return value.clone();
    }
    Bytes::from([value, parameters].concat())
}
