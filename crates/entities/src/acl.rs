//! Groups that consumers belong to.

use schema::{DecodeError, Field, Map, Reader, Schema};
use uuid::Uuid;

use crate::kind::EntityKind;
use crate::reading;

/// A group of a consumer as the data path sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acl {
    /// Id.
    pub id: Uuid,
    /// The consumer.
    pub consumer: Uuid,
    /// The group.
    pub group: String,
}

/// What a group is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("acls", "acl", "acls", describe());
    kind.cache_key = &["consumer", "group"];
    kind.nested = Some(("consumers", "acls"));
    kind
}

/// What the members mean.
const MEANINGS: [(&str, &str); 2] = [
    ("consumer", "Who is in the group."),
    ("group", "Name of the group."),
];

fn describe() -> Schema {
    Schema::new("acls")
        .field(Field::id())
        .field(Field::created_at())
        .field(
            Field::foreign("consumer", "consumers")
                .required()
                .on_delete("cascade"),
        )
        .field(Field::string("group").required())
        .field(Field::tags())
        .describe(&MEANINGS)
}

impl TryFrom<&Map> for Acl {
    type Error = DecodeError;

    fn try_from(body: &Map) -> Result<Self, DecodeError> {
        let read = Reader::new("acls", body);
        Ok(Self {
            id: reading::id(&read)?,
            consumer: reading::required_foreign(&read, "consumer")?,
            group: read.required_text("group")?,
        })
    }
}
