//! Groups of consumers that share the plugins configured for them.
//!
//! Who is in a group is told by [`crate::GroupMembership`] rows, not by the group.

use schema::{DecodeError, Field, Map, Reader, Schema};
use uuid::Uuid;

use crate::kind::EntityKind;
use crate::reading;

/// A group of consumers as the data path sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerGroup {
    /// Id.
    pub id: Uuid,
    /// Name, unique.
    pub name: String,
    /// Tags.
    pub tags: Vec<String>,
}

/// What a group is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new(
        "consumer_groups",
        "consumer_group",
        "consumer_groups",
        describe(),
    );
    kind.endpoint_key = Some("name");
    kind.extension = true;
    kind
}

fn describe() -> Schema {
    Schema::new("consumer_groups")
        .field(Field::id())
        .field(Field::created_at())
        .field(Field::updated_at())
        .field(
            Field::string("name")
                .required()
                .unique()
                .describe("Name of the group, by which paths and files address it."),
        )
        .field(Field::tags())
}

impl TryFrom<&Map> for ConsumerGroup {
    type Error = DecodeError;

    fn try_from(body: &Map) -> Result<Self, DecodeError> {
        let read = Reader::new("consumer_groups", body);
        Ok(Self {
            id: reading::id(&read)?,
            name: read.required_text("name")?,
            tags: read.texts("tags")?,
        })
    }
}
