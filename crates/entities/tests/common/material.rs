//! Members that cannot be made up: certificates, keys, and those that depend on one another.

use std::sync::OnceLock;

use gatehouse_entities::Map;
use schema::sample::Sample;
use serde_json::{Value, json};

/// A public key of the curve P-256, made for these tests.
pub(crate) const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAExH2F4F2CsXltZe5hZj2x4Qljoyzw
EZWWG/2ZIYk+kYXmVViqZCtcaWQeQO+WQtZRt+eDa7XB1FFDQ/TqxbLBtA==
-----END PUBLIC KEY-----
";

/// Its private key.
pub(crate) const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg2UfFDmtrR+pnFk90
6XF0lrg0N1K1B6IFNgQt6kFwzOChRANCAATEfYXgXYKxeW1l7mFmPbHhCWOjLPAR
lZYb/ZkhiT6RheZVWKpkK1xpZB5A75ZC1lG354NrtcHUUUND9OrFssG0
-----END PRIVATE KEY-----
";

/// An authority, and a certificate with its key.
pub(crate) fn certificates() -> &'static (String, String, String) {
    static MADE: OnceLock<(String, String, String)> = OnceLock::new();
    MADE.get_or_init(|| {
        let authority = pki::Authority::create("test authority").expect("an authority");
        let issued = authority.issue_server(&["a.test"]).expect("issued");
        (
            authority.ca_pem().to_owned(),
            issued.cert_pem,
            issued.key_pem,
        )
    })
}

/// Puts in what a made-up body of a kind lacks to be accepted.
pub(crate) fn fill(kind: &str, body: &mut Map, sample: &mut Sample) {
    let mut put = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    match kind {
        "certificates" => {
            let (_, cert, key) = certificates();
            put("cert", json!(cert));
            put("key", json!(key));
            body.shift_remove("cert_alt");
            body.shift_remove("key_alt");
        }
        "ca_certificates" => {
            put("cert", json!(certificates().0));
            body.shift_remove("cert_digest");
        }
        "jwt_secrets" => put("rsa_public_key", json!(PUBLIC_KEY)),
        "keys" if sample.below(2) == 0 => {
            put("jwk", Value::Null);
            put(
                "pem",
                json!({"public_key": PUBLIC_KEY, "private_key": PRIVATE_KEY}),
            );
        }
        "keys" => {
            let jwk =
                json!({"kty": "EC", "crv": "P-256", "kid": body["kid"], "x": "AA", "y": "AA"});
            body.insert("jwk".to_owned(), Value::String(jwk.to_string()));
            body.insert("pem".to_owned(), Value::Null);
        }
        "vaults" if sample.below(2) == 0 => {
            put("name", json!("konnect"));
            let store = "00000000-0000-4000-8000-000000000001";
            put("config", json!({"config_store_id": store}));
        }
        "vaults" => put("name", json!("env")),
        _ => {}
    }
}
