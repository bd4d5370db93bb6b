//! The node's folder (`prefix`). One that cannot be written is said and does not stop a node
//! without a database file: it then runs without keeping anything.

use std::path::{Path, PathBuf};

use pki::Sealer;

use crate::handover::DOOR;
use crate::intake::Cache;

/// Name of the key that seals what the node keeps.
const KEY_FILE: &str = "node.key";

/// Name of the kept configuration.
const CACHE_FILE: &str = "config.cache";

/// Name of the database of `database = sqlite`.
const DATABASE_FILE: &str = "gatehouse.db";

/// The node's folder.
#[derive(Debug)]
pub(super) struct Place {
    prefix: PathBuf,
}

impl Place {
    /// Makes the folder if it is not there.
    pub(super) fn open(prefix: &Path) -> Self {
        if let Err(error) = std::fs::create_dir_all(prefix) {
            tracing::error!(%error, prefix = %prefix.display(), "`prefix` cannot be used");
        }
        Self {
            prefix: prefix.to_owned(),
        }
    }

    /// The key that seals what the node keeps.
    pub(super) fn key(&self) -> PathBuf {
        self.prefix.join(KEY_FILE)
    }

    /// The database of `database = sqlite`.
    pub(super) fn database(&self) -> PathBuf {
        self.prefix.join(DATABASE_FILE)
    }

    /// Where a successor asks for the listening sockets.
    pub(super) fn door(&self) -> PathBuf {
        self.prefix.join(DOOR)
    }

    /// Where the configuration is kept; `None` without a key to seal it.
    pub(super) fn cache(&self) -> Option<Cache> {
        match Sealer::open_or_create(&self.key()) {
            Ok(sealer) => Some(Cache::new(self.prefix.join(CACHE_FILE), sealer)),
            Err(error) => {
                tracing::error!(
                    %error,
                    "configurations cannot be kept on disk: after a restart the node has none \
                     until the control plane answers; make `prefix` writable"
                );
                None
            }
        }
    }
}
