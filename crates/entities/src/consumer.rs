//! Consumers: who uses the services.

use schema::{Check, DecodeError, Field, Map, Reader, Schema};
use uuid::Uuid;

use crate::kind::EntityKind;
use crate::reading;

/// A consumer as the data path sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// Id.
    pub id: Uuid,
    /// Name, unique.
    pub username: Option<String>,
    /// Id in the owner's own system, unique.
    pub custom_id: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
}

/// What a consumer is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("consumers", "consumer", "consumers", describe());
    kind.endpoint_key = Some("username");
    kind
}

/// What the members mean.
const MEANINGS: [(&str, &str); 2] = [
    (
        "username",
        "Name, by which paths and files address the consumer.",
    ),
    ("custom_id", "Id of the consumer in a system of its owner."),
];

fn describe() -> Schema {
    Schema::new("consumers")
        .field(Field::id())
        .field(Field::created_at())
        .field(Field::updated_at())
        .field(Field::string("username").unique())
        .field(Field::string("custom_id").unique())
        .field(Field::tags())
        .check(Check::AtLeastOneOf(vec!["custom_id", "username"]))
        .describe(&MEANINGS)
}

impl TryFrom<&Map> for Consumer {
    type Error = DecodeError;

    fn try_from(body: &Map) -> Result<Self, DecodeError> {
        let read = Reader::new("consumers", body);
        Ok(Self {
            id: reading::id(&read)?,
            username: read.text("username")?,
            custom_id: read.text("custom_id")?,
            tags: read.texts("tags")?,
        })
    }
}
