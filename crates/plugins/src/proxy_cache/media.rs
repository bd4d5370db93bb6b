//! Content types and the lists of those that are kept.

/// A content type with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Media {
    kind: String,
    subkind: String,
    /// Sorted.
    parameters: Vec<(String, String)>,
}

impl Media {
    /// Reads `text/plain; charset=utf-8`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subkind) = parts.next()?.split_once('/')?;
        let mut parameters: Vec<_> = parts
            .filter_map(|part| part.split_once('='))
            .map(|(name, value)| {
                let value = value.trim_matches('"').to_ascii_lowercase();
                (name.to_ascii_lowercase(), value)
            })
            .collect();
        parameters.sort();
        Some(Self {
            kind: kind.to_ascii_lowercase(),
            subkind: subkind.to_ascii_lowercase(),
            parameters,
        })
    }

    /// Whether an answer's type is one of this sort; `*` stands for any. Compat: the parameters
    /// must be the same.
    pub(super) fn accepts(&self, other: &Self) -> bool {
        (self.kind == "*" || self.kind == other.kind)
            && (self.subkind == "*" || self.subkind == other.subkind)
            && self.parameters == other.parameters
    }
}
