//! Temporary folders that vanish with their test.

use std::path::{Path, PathBuf};

/// A folder of its own below the system's temporary folder, removed when dropped.
#[derive(Debug)]
pub struct TempDir {
    path: PathBuf,
}

impl TempDir {
    /// Creates the folder; its name begins with `gatehouse-` and `label`.
    ///
    /// # Panics
    ///
    /// Panics when the folder cannot be made.
    #[must_use]
    pub fn new(label: &str) -> Self {
        let name = format!("gatehouse-{label}-{}", uuid::Uuid::new_v4().simple());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a temporary folder can be made");
        Self { path }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A path inside the folder.
    #[must_use]
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // Best effort: a leftover folder harms nobody, a panic in drop would.
        drop(std::fs::remove_dir_all(&self.path));
    }
}
