//! The one digest that pins, fingerprints and ids are made of.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, pbkdf2};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Rounds of a hashed secret. Compat: as many as the reference computes.
const ROUNDS: NonZeroU32 = NonZeroU32::new(10_000).expect("it is not zero");

/// SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

/// SHA-1 of `bytes`. Compat: the reference's basic-auth hashes are made with it; nothing else
/// may be.
#[must_use]
pub fn sha1(bytes: &[u8]) -> [u8; 20] {
    let mut out = [0; 20];
    out.copy_from_slice(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref());
    out
}

/// A secret as it is kept: PBKDF2 with HMAC-SHA-512, in the form
/// `$pbkdf2-sha512$i=10000,l=32$<salt>$<hash>` with base64 without padding.
#[must_use]
pub fn hash_secret(secret: &str, salt: [u8; 16]) -> String {
    let mut hash = [0; 32];
    let algorithm = pbkdf2::PBKDF2_HMAC_SHA512;
    pbkdf2::derive(algorithm, ROUNDS, &salt, secret.as_bytes(), &mut hash);
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
    format!("$pbkdf2-sha512$i={ROUNDS},l=32${salt}${hash}")
}
