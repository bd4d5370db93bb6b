//! Secrets that sign requests.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

/// The secret of a consumer.
pub(super) struct Secret(Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// The bytes to sign with.
    pub(super) fn expose(&self) -> &[u8] {
        &self.0
    }
}

/// Keeps the secret of a credential.
pub(super) fn prepare(credential: &Map<String, Value>) -> Option<Arc<dyn Any + Send + Sync>> {
    let secret = credential.get("secret")?.as_str()?;
    Some(Arc::new(Secret(secret.as_bytes().to_vec())))
}
