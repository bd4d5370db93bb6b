//! Members that cannot be made up: certificates, keys, and those that depend on one another.

#[path = "pair.rs"]
mod pair;

use std::sync::OnceLock;

use gatehouse_entities::Map;
use pair::{PRIVATE_KEY, PUBLIC_KEY};
use schema::sample::Sample;
use serde_json::{Value, json};

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
