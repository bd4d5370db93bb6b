//! Keys of accounts, and what is signed with them (RFC 7515, RFC 7638).

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use aws_lc_rs::{hmac, signature};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The key of an account.
pub(super) enum AccountKey {
    Ecdsa(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl std::fmt::Debug for AccountKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountKey").finish_non_exhaustive()
    }
}

/// Bytes as the protocol writes them.
pub(super) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl AccountKey {
    /// Reads a key, PEM.
    pub(super) fn from_pem(pem: &str) -> Result<Self, String> {
        let der = pki::private_key_from_pem(pem.as_bytes()).map_err(|error| error.to_string())?;
        let der = der.secret_der();
        if let Ok(key) = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der) {
            return Ok(Self::Ecdsa(key));
        }
        let rsa = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der));
        rsa.map(Self::Rsa)
            .map_err(|_| "the account's key is neither RSA nor of the curve P-256".to_owned())
    }

    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Ecdsa(_) => "ES256",
            Self::Rsa(_) => "RS256",
        }
    }

    /// The public key, with its members in the order in which they are hashed.
    pub(super) fn public(&self) -> Value {
        match self {
            Self::Ecdsa(key) => {
                // An uncompressed point: a mark, then both coordinates.
                let point = key.public_key().as_ref();
                let (x, y) = point.get(1..).unwrap_or_default().split_at(32);
                json!({"crv": "P-256", "kty": "EC", "x": encoded(x), "y": encoded(y)})
            }
            Self::Rsa(key) => {
                let key = key.public_key();
                let e = key.exponent().big_endian_without_leading_zero();
                let n = key.modulus().big_endian_without_leading_zero();
                json!({"e": encoded(e), "kty": "RSA", "n": encoded(n)})
            }
        }
    }

    /// What a server that is asked for a token answers.
    pub(super) fn answer(&self, token: &str) -> String {
        let thumb = digest(&SHA256, self.public().to_string().as_bytes());
        format!("{token}.{}", encoded(thumb))
    }

    /// A message of the protocol. `account` is the account's address, once there is one.
    pub(super) fn signed(
        &self,
        url: &str,
        nonce: &str,
        account: Option<&str>,
        payload: &str,
    ) -> Result<String, String> {
        let mut head = json!({"alg": self.algorithm(), "nonce": nonce, "url": url});
        match account {
            Some(account) => head["kid"] = account.into(),
            None => head["jwk"] = self.public(),
        }
        let head = encoded(head.to_string());
        let payload = encoded(payload);
        let signature = self.sign(format!("{head}.{payload}").as_bytes())?;
        Ok(message(&head, &payload, &signature).to_string())
    }

    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, String> {
        let random = SystemRandom::new();
        let failed = |_| "the account's key does not sign".to_owned();
        match self {
            Self::Ecdsa(key) => {
                let signed: signature::Signature = key.sign(&random, text).map_err(failed)?;
                Ok(signed.as_ref().to_vec())
            }
            Self::Rsa(key) => {
                let mut out = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, text, &mut out)
                    .map_err(failed)?;
                Ok(out)
            }
        }
    }

    /// Ties the account to one that exists outside the protocol (RFC 8555 section 7.3.4).
    pub(super) fn bound(&self, url: &str, kid: &str, secret: &str) -> Result<Value, String> {
        let secret = URL_SAFE_NO_PAD
            .decode(secret.trim_end_matches('='))
            .map_err(|_| "`eab_hmac_key` is no URL-safe base64".to_owned())?;
        let head = encoded(json!({"alg": "HS256", "kid": kid, "url": url}).to_string());
        let payload = encoded(self.public().to_string());
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let tag = hmac::sign(&key, format!("{head}.{payload}").as_bytes());
        Ok(message(&head, &payload, tag.as_ref()))
    }
}

fn message(head: &str, payload: &str, signature: &[u8]) -> Value {
    json!({"protected": head, "payload": payload, "signature": encoded(signature)})
}
