//! Names and passwords by which consumers are known.

use std::fmt;

use schema::{Check, CustomCheck, DecodeError, Failure, Field, Map, Reader, Schema};
use serde_json::Value;
use uuid::Uuid;

use crate::kind::EntityKind;
use crate::reading;

/// What is said when a password comes without its owner, who is part of the hash.
pub(crate) const OWNER_NEEDED: &str =
    "all or none of these fields must be set: 'password', 'consumer.id'";

/// A name with a password as the data path sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct BasicauthCredential {
    /// Id.
    pub id: Uuid,
    /// Name, unique.
    pub username: String,
    /// Hex SHA-1 of the password followed by the consumer's id.
    pub password: String,
    /// Whose it is.
    pub consumer: Uuid,
}

impl fmt::Debug for BasicauthCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicauthCredential")
            .field("id", &self.id)
            .field("username", &self.username)
            .field("password", &"…")
            .finish_non_exhaustive()
    }
}

/// What a name with a password is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new(
        "basicauth_credentials",
        "basicauth_credential",
        "basic-auths",
        describe(),
    );
    kind.endpoint_key = Some("username");
    kind.cache_key = &["username"];
    kind.nested = Some(("consumers", "basic-auth"));
    kind
}

/// What the members mean.
const MEANINGS: [(&str, &str); 3] = [
    ("consumer", "Who signs in so."),
    ("username", "Name to sign in with."),
    ("password", "Password; kept and shown as a hash."),
];

fn describe() -> Schema {
    Schema::new("basicauth_credentials")
        .field(Field::id())
        .field(Field::created_at())
        .field(
            Field::foreign("consumer", "consumers")
                .required()
                .on_delete("cascade"),
        )
        .field(Field::string("username").required().unique())
        .field(Field::string("password").required().encrypted())
        .field(Field::tags())
        .check(Check::Custom(CustomCheck {
            name: "password_with_owner",
            fields: &["password"],
            published: &[],
            run_with_missing_fields: true,
            run_with_invalid_fields: false,
            run: password_with_owner,
        }))
        .describe(&MEANINGS)
}

fn password_with_owner(body: &Map) -> Result<(), Failure> {
    let given = body.get("password").and_then(Value::as_str).is_some();
    if given && owner(body).is_none() {
        return Err(Failure::entity(OWNER_NEEDED));
    }
    Ok(())
}

/// The id of the consumer in a body.
pub(crate) fn owner(body: &Map) -> Option<&str> {
    body.get("consumer")?.get("id")?.as_str()
}

/// Replaces the password by its hash.
///
/// Compat: SHA-1 over password and consumer id is what the reference stores and what its nodes
/// compare with; nothing stronger would be understood.
pub(crate) fn hash_password(body: &mut Map) {
    let Some(owner) = owner(body) else { return };
    let Some(password) = body.get("password").and_then(Value::as_str) else {
        return;
    };
    let digest = pki::sha1(format!("{password}{owner}").as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    body.insert("password".to_owned(), Value::String(hex));
}

impl TryFrom<&Map> for BasicauthCredential {
    type Error = DecodeError;

    fn try_from(body: &Map) -> Result<Self, DecodeError> {
        let read = Reader::new("basicauth_credentials", body);
        Ok(Self {
            id: reading::id(&read)?,
            username: read.required_text("username")?,
            password: read.required_text("password")?,
            consumer: reading::required_foreign(&read, "consumer")?,
        })
    }
}
