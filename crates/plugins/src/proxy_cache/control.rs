//! What `Cache-Control` says.

use std::collections::HashMap;

/// Directives with their numbers, if they have some.
#[derive(Clone, Debug, Default)]
pub(super) struct Control {
    directives: HashMap<String, Option<u64>>,
}

impl Control {
    /// Reads the values of the header.
    pub(super) fn parse<'v>(values: impl Iterator<Item = &'v [u8]>) -> Self {
        let mut control = Self::default();
        for value in values {
            let text = String::from_utf8_lossy(value).to_ascii_lowercase();
            for part in text.split(',') {
                let (name, number) = match part.split_once('=') {
                    Some((name, number)) => (name, number.trim().trim_matches('"').parse().ok()),
                    None => (part, None),
                };
                control.directives.insert(name.trim().to_owned(), number);
            }
        }
        control
    }

    /// Whether one of the directives is there.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.directives.contains_key(*name))
    }

    /// The number of a directive.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.directives.get(name).copied().flatten()
    }
}
