//! Names and secrets with which consumers sign requests.

use std::fmt;

use schema::{DecodeError, Field, Map, Reader, Schema};
use uuid::Uuid;

use crate::kind::EntityKind;
use crate::reading;

/// A name with a secret as the data path sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct HmacauthCredential {
    /// Id.
    pub id: Uuid,
    /// Name, unique.
    pub username: String,
    /// The secret.
    pub secret: String,
    /// Whose it is.
    pub consumer: Uuid,
}

impl fmt::Debug for HmacauthCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HmacauthCredential")
            .field("id", &self.id)
            .field("username", &self.username)
            .field("secret", &"…")
            .finish_non_exhaustive()
    }
}

/// What a name with a secret is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new(
        "hmacauth_credentials",
        "hmacauth_credential",
        "hmac-auths",
        describe(),
    );
    kind.endpoint_key = Some("username");
    kind.cache_key = &["username"];
    kind.nested = Some(("consumers", "hmac-auth"));
    kind
}

/// What the members mean.
const MEANINGS: [(&str, &str); 3] = [
    ("consumer", "Who signs so."),
    ("username", "Name that requests show."),
    (
        "secret",
        "What requests are signed with; made up when it is left out.",
    ),
];

fn describe() -> Schema {
    Schema::new("hmacauth_credentials")
        .field(Field::id())
        .field(Field::created_at())
        .field(
            Field::foreign("consumer", "consumers")
                .required()
                .on_delete("cascade"),
        )
        .field(Field::string("username").required().unique())
        .field(Field::string("secret").auto().sealed())
        .field(Field::tags())
        .describe(&MEANINGS)
}

impl TryFrom<&Map> for HmacauthCredential {
    type Error = DecodeError;

    fn try_from(body: &Map) -> Result<Self, DecodeError> {
        let read = Reader::new("hmacauth_credentials", body);
        Ok(Self {
            id: reading::id(&read)?,
            username: read.required_text("username")?,
            secret: read.required_text("secret")?,
            consumer: reading::required_foreign(&read, "consumer")?,
        })
    }
}
