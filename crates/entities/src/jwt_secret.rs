//! Keys and secrets that sign the tokens of consumers.

use std::fmt;

use schema::{Check, Condition, DecodeError, Field, Map, Pattern, Reader, Rule, Schema};
use uuid::Uuid;

use crate::kind::EntityKind;
use crate::{pem, reading};

/// Algorithms of signatures.
const ALGORITHMS: [&str; 13] = [
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256",
    "PS384", "PS512", "EdDSA",
];

/// Algorithms that cannot do without a public key.
const WITH_PUBLIC_KEY: [&str; 7] = [
    "^RS256$", "^RS384$", "^RS512$", "^PS256$", "^PS384$", "^PS512$", "^EdDSA$",
];

/// A key of a consumer's tokens as the data path sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct JwtSecret {
    /// Id.
    pub id: Uuid,
    /// The value of the claim by which it is found.
    pub key: String,
    /// Shared secret of HMAC algorithms.
    pub secret: Option<String>,
    /// PEM public key of the other algorithms.
    pub rsa_public_key: Option<String>,
    /// Name of the algorithm.
    pub algorithm: String,
    /// Whose it is.
    pub consumer: Uuid,
}

impl fmt::Debug for JwtSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtSecret")
            .field("id", &self.id)
            .field("secret", &"…")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// What a key of tokens is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("jwt_secrets", "jwt_secret", "jwts", describe());
    kind.endpoint_key = Some("key");
    kind.cache_key = &["key"];
    kind.nested = Some(("consumers", "jwt"));
    kind
}

/// What the members mean.
const MEANINGS: [(&str, &str); 5] = [
    ("consumer", "Whose tokens they are."),
    (
        "key",
        "What the `iss` of a token says; made up when it is left out.",
    ),
    (
        "secret",
        "What HS tokens are signed with; made up when it is left out.",
    ),
    (
        "rsa_public_key",
        "PEM public key that other tokens are verified with.",
    ),
    ("algorithm", "How tokens are signed."),
];

fn describe() -> Schema {
    let asymmetric = Rule::MatchAny(
        WITH_PUBLIC_KEY
            .into_iter()
            .map(|pattern| Pattern::new(pattern, pattern))
            .collect(),
        "invalid value",
    );
    let mut key = Condition::required();
    key.rules
        .push(Rule::Custom("pem_public_key", pem::public_key));
    Schema::new("jwt_secrets")
        .field(Field::id())
        .field(Field::created_at())
        .field(
            Field::foreign("consumer", "consumers")
                .required()
                .on_delete("cascade"),
        )
        .field(Field::string("key").auto().unique().optional())
        .field(Field::string("secret").auto().sealed())
        .field(Field::string("rsa_public_key"))
        .field(
            Field::string("algorithm")
                .default("HS256")
                .one_of(ALGORITHMS),
        )
        .field(Field::tags())
        .check(Check::conditional(
            "algorithm",
            Condition::rule(asymmetric),
            "rsa_public_key",
            key,
        ))
        .describe(&MEANINGS)
}

impl TryFrom<&Map> for JwtSecret {
    type Error = DecodeError;

    fn try_from(body: &Map) -> Result<Self, DecodeError> {
        let read = Reader::new("jwt_secrets", body);
        Ok(Self {
            id: reading::id(&read)?,
            key: read.required_text("key")?,
            secret: read.text("secret")?,
            rsa_public_key: read.text("rsa_public_key")?,
            algorithm: read
                .text("algorithm")?
                .unwrap_or_else(|| "HS256".to_owned()),
            consumer: reading::required_foreign(&read, "consumer")?,
        })
    }
}
