//! References to vaults, for plugins that read them while requests run.
//!
//! References in configurations are replaced before a plugin is built; this is for code that
//! makes a reference of its own.

use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;

/// Reads what a reference stands for.
pub trait ReadSecret: Send + Sync {
    /// What `{vault://…}` stands for.
    ///
    /// # Errors
    ///
    /// Why it cannot be resolved. Says names, never values.
    fn read(&self, reference: &str) -> Result<String, String>;
}

/// The vaults of the configuration in use; state of the node.
#[derive(Default)]
pub struct Secrets(RwLock<Option<Arc<dyn ReadSecret>>>);

impl Secrets {
    /// Takes the vaults of a configuration into use.
    pub fn set(&self, vaults: Arc<dyn ReadSecret>) {
        *self.0.write() = Some(vaults);
    }

    /// What a reference stands for.
    ///
    /// # Errors
    ///
    /// Why it cannot be resolved.
    pub fn read(&self, reference: &str) -> Result<String, String> {
        let vaults = self.0.read().clone();
        match vaults {
            Some(vaults) => vaults.read(reference),
            None => Err("there is no configuration yet".to_owned()),
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}
