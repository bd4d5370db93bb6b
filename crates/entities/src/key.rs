//! Keys as JWK or PEM.

use schema::{Check, CustomCheck, Failure, Field, Map, Schema};
use serde_json::Value;

use crate::kind::EntityKind;
use crate::pem;

/// What a key is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("keys", "key", "keys", describe());
    kind.endpoint_key = Some("name");
    kind.cache_key = &["kid", "set"];
    kind.nulls_collide = true;
    kind.nested = Some(("key_sets", "keys"));
    kind
}

/// What the members mean.
const MEANINGS: [(&str, &str); 7] = [
    ("set", "The set it belongs to."),
    ("name", "Name, by which paths and files address the key."),
    ("kid", "Id of the key, unique in its set."),
    ("jwk", "JSON text of a JWK with the same `kid`."),
    ("pem", "The key in PEM form."),
    ("pem.private_key", "PEM private key."),
    ("pem.public_key", "PEM public key."),
];

fn describe() -> Schema {
    let pem = Schema::record([
        Field::string("private_key")
            .optional()
            .encrypted()
            .referenceable(),
        Field::string("public_key").optional().referenceable(),
    ])
    .check(Check::AtLeastOneOf(vec!["private_key", "public_key"]))
    .custom(pem_loads);
    Schema::new("keys")
        .field(Field::id())
        .field(
            Field::foreign("set", "key_sets")
                .optional()
                .on_delete("cascade"),
        )
        .field(Field::string("name").optional().unique())
        .field(Field::string("kid").required())
        .field(Field::string("jwk").encrypted().referenceable())
        .field(Field::record("pem", pem).optional())
        .field(Field::tags())
        .field(Field::created_at())
        .field(Field::updated_at())
        .check(Check::MutuallyExclusive(vec!["jwk", "pem"]))
        .check(Check::AtLeastOneOf(vec!["jwk", "pem"]))
        .check(Check::Custom(CustomCheck {
            name: "kid_matches_jwk_and_key_parses",
            fields: &["jwk", "pem", "kid"],
            published: &["jwk", "pem", "kid"],
            run_with_missing_fields: false,
            run_with_invalid_fields: false,
            run: check_jwk,
        }))
        .describe(&MEANINGS)
}

fn pem_loads(value: &Value) -> Result<(), String> {
    let text = |name: &str| {
        value.get(name).filter(|key| {
            key.as_str()
                .is_some_and(|text| !text.starts_with("{vault:"))
        })
    };
    if let Some(key) = text("public_key") {
        pem::public_key(key).map_err(|_| "could not load public key".to_owned())?;
    }
    if let Some(key) = text("private_key") {
        pem::key(key).map_err(|why| {
            let why = why.strip_prefix("invalid key: ").unwrap_or(&why).to_owned();
            format!("could not load private key{why}")
        })?;
    }
    let bytes = |name| text(name).and_then(Value::as_str).map(str::as_bytes);
    if let (Some(public), Some(private)) = (bytes("public_key"), bytes("private_key"))
        && pki::keys_pair(public, private) == Some(false)
    {
        return Err("public key does not match private key".to_owned());
    }
    Ok(())
}

fn check_jwk(body: &Map) -> Result<(), Failure> {
    let Some(text) = body.get("jwk").and_then(Value::as_str) else {
        return Ok(());
    };
    if text.starts_with("{vault://") {
        return Ok(());
    }
    let Ok(jwk) = serde_json::from_str::<Value>(text) else {
        return Err(Failure::entity("could not json decode jwk string"));
    };
    if jwk.get("kid") != body.get("kid") {
        return Err(Failure::entity("kid in jwk.kid must be equal to keys.kid"));
    }
    let needed: &[&str] = match jwk.get("kty").and_then(Value::as_str) {
        Some("RSA") => &["n", "e"],
        Some("EC") => &["crv", "x", "y"],
        Some("OKP") => &["crv", "x"],
        _ => {
            return Err(Failure::entity(
                "could not load JWK, likely not a valid key",
            ));
        }
    };
    if needed
        .iter()
        .all(|name| jwk.get(*name).is_some_and(Value::is_string))
    {
        return Ok(());
    }
    Err(Failure::entity(
        "could not load JWK, likely not a valid key",
    ))
}
