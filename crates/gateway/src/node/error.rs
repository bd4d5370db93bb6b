//! What keeps a node from starting.

use std::path::PathBuf;

use crate::intake::Refused;
use crate::outlet::LinkError;
use crate::proxy::EngineError;
use crate::snapshot::SetupError;
use crate::surface::ServeError;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// A certificate could not be made.
    #[error("the node's own certificate cannot be made: {0}")]
    Certificate(#[source] pki::Error),
    /// Plugins in Lua that `plugins` names.
    #[error("`plugins`: {0}")]
    Plugins(String),
    /// The database.
    #[error("the node's database cannot be used: {0}")]
    Database(#[source] store::StoreError),
    /// The declarative configuration cannot be read as one.
    #[error("`{property}`: {reason}")]
    Declared {
        /// `declarative_config` or `declarative_config_string`.
        property: &'static str,
        /// What is wrong and where.
        reason: String,
    },
    /// The declarative configuration is wrong.
    #[error("`{property}` is not valid: {refused}")]
    DeclaredInvalid {
        /// `declarative_config` or `declarative_config_string`.
        property: &'static str,
        /// Everything that is wrong.
        refused: Refused,
    },
    /// The data path.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The key that seals secrets in the database.
    #[error("the key `{}` of the database cannot be used: {reason}", key.display())]
    Key {
        /// Its file.
        key: PathBuf,
        /// What is wrong.
        #[source]
        reason: pki::Error,
    },
    /// The link to the control plane.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Opening the database ended in a fault of this program.
    #[error("opening the database failed: {0}; please report this")]
    Opening(String),
    /// The status or Admin API.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A setting that cannot be used.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// TLS of the status or Admin API.
    #[error("TLS of the status and Admin API cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}
