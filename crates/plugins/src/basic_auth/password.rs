//! Passwords as they are kept.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Hex SHA-1 of the password followed by the consumer's id.
///
/// Compat: the form in which the reference keeps passwords.
pub(super) struct Hash(String);

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(…)")
    }
}

/// Keeps the hash of a credential.
pub(super) fn prepare(credential: &Map<String, Value>) -> Option<Arc<dyn Any + Send + Sync>> {
    let hash = credential.get("password")?.as_str()?.to_ascii_lowercase();
    Some(Arc::new(Hash(hash)))
}

impl Hash {
    /// Whether a password has this hash. Takes the same time wherever they differ.
    pub(super) fn is_of(&self, password: &[u8], consumer: Uuid) -> bool {
        let mut text = password.to_vec();
        text.extend_from_slice(consumer.to_string().as_bytes());
        let digest = digest::digest(&SHA1_FOR_LEGACY_USE_ONLY, &text);
        let hex: String = digest.as_ref().iter().map(|b| format!("{b:02x}")).collect();
        verify_slices_are_equal(hex.as_bytes(), self.0.as_bytes()).is_ok()
    }
}
