//! Changing the headers of an answer.

use bytes::Bytes;
use plugin_api::ResponseView;

use crate::records::changes::Changes;

type Name = Bytes;

/// The prepared form of the changes.
#[derive(Debug)]
pub(super) struct Plan {
    remove: Vec<(String, Name)>,
    rename: Vec<(String, Name)>,
    replace: Vec<(String, Bytes)>,
    add: Vec<(String, Bytes)>,
    append: Vec<(String, Bytes)>,
}

impl Plan {
    pub(super) fn prepare(changes: &Changes<String>) -> Self {
        let bytes = |text: &String| Bytes::copy_from_slice(text.as_bytes());
        let pairs = |pairs: &[(String, String)]| {
            let one = |(name, value): &(String, String)| (name.clone(), bytes(value));
            pairs.iter().map(one).collect()
        };
        Self {
            remove: changes
                .remove
                .iter()
                .map(|name| (name.clone(), bytes(name)))
                .collect(),
            rename: pairs(&changes.rename),
            replace: pairs(&changes.replace),
            add: pairs(&changes.add),
            append: pairs(&changes.append),
        }
    }

    /// Does what is planned.
    pub(super) fn apply(&self, view: &mut ResponseView<'_>) {
        for (text, name) in &self.remove {
            view.headers.remove(name.clone());
            view.changes_body |= text.eq_ignore_ascii_case("content-length");
        }
        let mut renamed: Vec<&str> = Vec::new();
        for (old, new) in &self.rename {
            let values: Vec<Bytes> = view
                .header_values(old)
                .map(Bytes::copy_from_slice)
                .collect();
            if values.is_empty() {
                continue;
            }
            renamed.push(old);
            view.headers.remove(Bytes::copy_from_slice(old.as_bytes()));
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
            if was_there(name, view) {
                let value = with_charset(name, value, view);
                view.headers
                    .set(Bytes::copy_from_slice(name.as_bytes()), value);
            }
        }
        for (name, value) in &self.add {
            if !was_there(name, view) {
                view.headers
                    .add(Bytes::copy_from_slice(name.as_bytes()), value.clone());
            }
        }
        for (name, value) in &self.append {
            view.headers
                .add(Bytes::copy_from_slice(name.as_bytes()), value.clone());
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
