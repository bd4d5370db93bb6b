//! Keys by which consumers are known.

use std::fmt;

use schema::{DecodeError, Field, Map, Reader, Schema};
use uuid::Uuid;

use crate::kind::EntityKind;
use crate::reading;

/// A key of a consumer as the data path sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyauthCredential {
    /// Id.
    pub id: Uuid,
    /// The key, a secret.
    pub key: String,
    /// Whose it is.
    pub consumer: Uuid,
    /// Second since 1970 at which it ends; `None` is never.
    pub expires_at: Option<u64>,
    /// Tags.
    pub tags: Vec<String>,
}

impl fmt::Debug for KeyauthCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyauthCredential")
            .field("id", &self.id)
            .field("key", &"…")
            .field("consumer", &self.consumer)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// What a key is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new(
        "keyauth_credentials",
        "keyauth_credential",
        "key-auths",
        describe(),
    );
    kind.endpoint_key = Some("key");
    kind.cache_key = &["key"];
    kind.nested = Some(("consumers", "key-auth"));
    kind.has_ttl = true;
    kind
}

/// What the members mean.
const MEANINGS: [(&str, &str); 2] = [
    ("consumer", "Whose key it is."),
    ("key", "What requests show; made up when it is left out."),
];

fn describe() -> Schema {
    Schema::new("keyauth_credentials")
        .field(Field::id())
        .field(Field::created_at())
        .field(
            Field::foreign("consumer", "consumers")
                .required()
                .on_delete("cascade"),
        )
        .field(Field::string("key").auto().unique().optional().sealed())
        .field(Field::tags())
        .describe(&MEANINGS)
}

impl TryFrom<&Map> for KeyauthCredential {
    type Error = DecodeError;

    fn try_from(body: &Map) -> Result<Self, DecodeError> {
        let read = Reader::new("keyauth_credentials", body);
        Ok(Self {
            id: reading::id(&read)?,
            key: read.required_text("key")?,
            consumer: reading::required_foreign(&read, "consumer")?,
            expires_at: read.integer("ttl")?,
            tags: read.texts("tags")?,
        })
    }
}
