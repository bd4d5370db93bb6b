//! Applications that ask for tokens on behalf of consumers.

use schema::{Field, Map, Schema, validators};
use serde_json::Value;

use crate::kind::EntityKind;

/// What an application is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new(
        "oauth2_credentials",
        "oauth2_credential",
        "oauth2",
        describe(),
    );
    kind.endpoint_key = Some("client_id");
    kind.cache_key = &["client_id"];
    kind.nested = Some(("consumers", "oauth2"));
    kind
}

/// What the members mean.
const MEANINGS: [(&str, &str); 7] = [
    ("consumer", "Whose application it is."),
    ("name", "Name of the application."),
    (
        "client_id",
        "What the application calls itself; made up when it is left out.",
    ),
    (
        "client_secret",
        "What proves it; made up when it is left out.",
    ),
    ("hash_secret", "Whether the secret is kept as a hash."),
    ("redirect_uris", "Where people are sent back to."),
    ("client_type", "Whether the application can keep a secret."),
];

fn describe() -> Schema {
    let uri = Field::string("").custom("absolute_uri_no_fragment", absolute_uri);
    Schema::new("oauth2_credentials")
        .field(Field::id())
        .field(Field::created_at())
        .field(
            Field::foreign("consumer", "consumers")
                .required()
                .on_delete("cascade"),
        )
        .field(Field::string("name").required())
        .field(Field::string("client_id").auto().unique().optional())
        .field(Field::string("client_secret").auto().optional().encrypted())
        .field(Field::boolean("hash_secret").required().default(false))
        .field(Field::array("redirect_uris", uri).optional())
        .field(Field::tags())
        .field(
            Field::string("client_type")
                .required()
                .default("confidential")
                .one_of(["confidential", "public"]),
        )
        .describe(&MEANINGS)
}

fn absolute_uri(value: &Value) -> Result<(), String> {
    let text = value.as_str().unwrap_or_default();
    let parts = validators::parse_url(text);
    if parts.scheme.is_none() || parts.host.is_none() {
        return Err(format!("cannot parse '{text}'"));
    }
    if parts.fragment.is_some() {
        return Err(format!("fragment not allowed in '{text}'"));
    }
    Ok(())
}

/// Replaces the secret by its hash where that is wanted; a hash stays as it is.
///
/// The salt follows from the public name of the application, which no two share: a file that is
/// imported again changes nothing.
pub(crate) fn hash_secret(body: &mut Map) {
    if body.get("hash_secret") != Some(&Value::Bool(true)) {
        return;
    }
    let secret = body.get("client_secret").and_then(Value::as_str);
    let Some(secret) = secret.filter(|secret| !secret.starts_with("$pbkdf2-")) else {
        return;
    };
    let name = body.get("client_id").and_then(Value::as_str);
    let name = pki::sha256(format!("client_id:{}", name.unwrap_or_default()).as_bytes());
    let mut salt = [0; 16];
    salt.copy_from_slice(&name[..16]);
    let hash = pki::hash_secret(secret, salt);
    body.insert("client_secret".to_owned(), hash.into());
}
