//! Keys that sign tokens.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::token::decode_base64;

/// Length of the signatures of the only RSA keys that the reference takes with PSS, in bytes.
const PSS_LENGTH: usize = 256;

/// The key of a credential.
pub(super) struct Key {
    /// Name of the algorithm; tokens must name the same.
    pub(super) algorithm: String,
    /// What signs with the secret as it is written.
    plain: Option<hmac::Key>,
    /// What signs with the secret once its base64 is undone.
    decoded: Option<hmac::Key>,
    /// DER of the public key.
    public: Option<Vec<u8>>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// Keeps the key of a credential.
pub(super) fn prepare(credential: &Map<String, Value>) -> Option<Arc<dyn Any + Send + Sync>> {
    let text = |name: &str| credential.get(name).and_then(Value::as_str);
    let algorithm = text("algorithm").unwrap_or("HS256");
    let secret = text("secret").map(str::as_bytes);
    let signing = |secret: &[u8]| Some(hmac::Key::new(hmac_of(algorithm)?, secret));
    Some(Arc::new(Key {
        algorithm: algorithm.to_owned(),
        plain: secret.and_then(signing),
        decoded: secret.and_then(decode_base64).as_deref().and_then(signing),
        public: text("rsa_public_key").and_then(der),
    }))
}

/// The bytes of the first block of PEM text.
fn der(pem: &str) -> Option<Vec<u8>> {
    let lines = pem.lines().map(str::trim);
    let body: String = lines
        .skip_while(|line| !line.starts_with("-----BEGIN"))
        .skip(1)
        .take_while(|line| !line.starts_with("-----END"))
        .collect();
    STANDARD.decode(body).ok().filter(|der| !der.is_empty())
}

/// Whether an algorithm is known.
pub(super) fn is_algorithm(name: &str) -> bool {
    hmac_of(name).is_some() || public_of(name).is_some()
}

fn hmac_of(name: &str) -> Option<hmac::Algorithm> {
    Some(match name {
        "HS256" => hmac::HMAC_SHA256,
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        _ => return None,
    })
}

fn public_of(name: &str) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match name {
        "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
        "RS384" => &signature::RSA_PKCS1_2048_8192_SHA384,
        "RS512" => &signature::RSA_PKCS1_2048_8192_SHA512,
        "PS256" => &signature::RSA_PSS_2048_8192_SHA256,
        "PS384" => &signature::RSA_PSS_2048_8192_SHA384,
        "PS512" => &signature::RSA_PSS_2048_8192_SHA512,
        "ES256" => &signature::ECDSA_P256_SHA256_FIXED,
        "ES384" => &signature::ECDSA_P384_SHA384_FIXED,
        "ES512" => &signature::ECDSA_P521_SHA512_FIXED,
        "EdDSA" => &signature::ED25519,
        _ => return None,
    })
}

/// The outcome of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verified {
    Good,
    Bad,
    /// The credential lacks what its algorithm needs.
    NoKey,
}

impl Key {
    /// Verifies the signature of a text.
    pub(super) fn verify(&self, text: &[u8], signature: &[u8], is_base64: bool) -> Verified {
        let is_good = if hmac_of(&self.algorithm).is_some() {
            let key = if is_base64 {
                &self.decoded
            } else {
                &self.plain
            };
            let Some(key) = key else {
                return Verified::NoKey;
            };
            hmac::verify(key, text, signature).is_ok()
        } else {
            let (Some(algorithm), Some(public)) = (public_of(&self.algorithm), &self.public) else {
                return Verified::NoKey;
            };
            let is_pss = self.algorithm.starts_with("PS");
            (!is_pss || signature.len() == PSS_LENGTH)
                && UnparsedPublicKey::new(algorithm, public)
                    .verify(text, signature)
                    .is_ok()
        };
        if is_good {
            Verified::Good
        } else {
            Verified::Bad
        }
    }
}
