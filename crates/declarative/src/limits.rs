//! How large and how deep a document may be.

/// Limits of one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Levels of nesting.
    pub depth: usize,
    /// Nodes after aliases are expanded.
    pub nodes: usize,
}

impl Limits {
    /// Bytes of text of a configuration.
    pub const BYTES: usize = 64 << 20;
    /// Levels of nesting; plugin configurations need about ten.
    pub const DEPTH: usize = 64;
    /// Nodes after aliases are expanded.
    pub const NODES: usize = 4_000_000;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: Self::BYTES,
            depth: Self::DEPTH,
            nodes: Self::NODES,
        }
    }
}
