//! The secret of an application, plain or as a hash.
//!
//! Compat: hashes are written as `$pbkdf2-sha512$i=<rounds>,l=<length>$<salt>$<hash>` with base64
//! without padding, as the reference writes them where it has no other function.

use std::fmt;
use std::num::NonZeroU32;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::pbkdf2::{PBKDF2_HMAC_SHA512, verify};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Most rounds of a hash that are computed: a request must not occupy a core.
const ROUNDS_MAX: u32 = 1_000_000;

const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A secret; prints a placeholder.
pub(super) struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Secret {
    pub(super) fn new(stored: String) -> Self {
        Self(stored)
    }

    /// Whether what was shown is the secret, which is no hash.
    pub(super) fn is(&self, shown: &str) -> bool {
        let (own, shown) = (self.0.as_bytes(), shown.as_bytes());
        !own.is_empty() && verify_slices_are_equal(own, shown).is_ok()
    }

    /// Whether what was shown is the secret or hashes to it. A hash takes milliseconds, so it is
    /// computed beside the core.
    pub(super) async fn verify(&self, shown: &str) -> bool {
        let Some(hash) = self.0.strip_prefix("$pbkdf2-sha512$") else {
            return self.is(shown);
        };
        let (hash, shown) = (hash.to_owned(), shown.to_owned());
        let computed = tokio::task::spawn_blocking(move || is_hash_of(&hash, &shown));
        matches!(computed.await, Ok(Some(true)))
    }
}

fn is_hash_of(hash: &str, shown: &str) -> Option<bool> {
    let mut parts = hash.split('$');
    let (settings, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
    let rounds = settings.split(',').find_map(|one| one.strip_prefix("i="))?;
    let rounds: NonZeroU32 = rounds.parse().ok()?;
    if rounds.get() > ROUNDS_MAX {
        return Some(false);
    }
    let salt = ANY_PADDING.decode(salt).ok()?;
    let hash = ANY_PADDING.decode(hash).ok()?;
    Some(verify(PBKDF2_HMAC_SHA512, rounds, &salt, shown.as_bytes(), &hash).is_ok())
}
