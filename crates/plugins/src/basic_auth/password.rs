//! Passwords as they are kept.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA1_OUTPUT_LEN};
use serde_json::{Map, Value};
use uuid::Uuid;

/// SHA-1 of the password followed by the consumer's id.
///
/// Compat: the form in which the reference keeps passwords, there in hexadecimal digits.
pub(super) struct Hash([u8; SHA1_OUTPUT_LEN]);

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(…)")
    }
}

/// Keeps the hash of a credential; what is none proves nobody.
pub(super) fn prepare(credential: &Map<String, Value>) -> Option<Arc<dyn Any + Send + Sync>> {
    let hash = bytes_of(credential.get("password")?.as_str()?)?;
    Some(Arc::new(Hash(hash)))
}

/// Reads hexadecimal digits.
fn bytes_of(hex: &str) -> Option<[u8; SHA1_OUTPUT_LEN]> {
    let digits = hex.chars().map(|digit| digit.to_digit(16));
    let digits: Vec<u32> = digits.collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    let bytes = pairs
        .iter()
        .map(|[high, low]| u8::try_from(high * 16 + low));
    bytes.collect::<Result<Vec<_>, _>>().ok()?.try_into().ok()
}

impl Hash {
    /// Whether a password has this hash. Takes the same time wherever they differ.
    pub(super) fn is_of(&self, password: &[u8], consumer: Uuid) -> bool {
        let mut digest = digest::Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
        digest.update(password);
        let mut id = Uuid::encode_buffer();
        digest.update(consumer.hyphenated().encode_lower(&mut id).as_bytes());
        verify_slices_are_equal(digest.finish().as_ref(), &self.0).is_ok()
    }
}
