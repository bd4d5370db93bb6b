//! Which consumers are in which groups: one row for a consumer in a group.
//!
//! The APIs show memberships below groups and consumers and never as rows; files and the wire
//! carry the rows.

use schema::{DecodeError, Field, Map, Reader, Schema};
use uuid::Uuid;

use crate::kind::EntityKind;
use crate::reading;

/// A consumer in a group as the data path sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMembership {
    /// Id.
    pub id: Uuid,
    /// The group.
    pub group: Uuid,
    /// The consumer.
    pub consumer: Uuid,
}

/// What a membership is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new(
        "consumer_group_consumers",
        "consumer_group_consumer",
        "consumer_group_consumers",
        describe(),
    );
    kind.cache_key = &["consumer_group", "consumer"];
    kind.nested = Some(("consumer_groups", "consumers"));
    kind.in_admin_api = false;
    kind.extension = true;
    kind
}

fn describe() -> Schema {
    let end = |name, entity| Field::foreign(name, entity).required().on_delete("cascade");
    Schema::new("consumer_group_consumers")
        .field(Field::id())
        .field(Field::created_at())
        .field(end("consumer_group", "consumer_groups").describe("The group."))
        .field(end("consumer", "consumers").describe("The consumer in it."))
}

impl TryFrom<&Map> for GroupMembership {
    type Error = DecodeError;

    fn try_from(body: &Map) -> Result<Self, DecodeError> {
        let read = Reader::new("consumer_group_consumers", body);
        Ok(Self {
            id: reading::id(&read)?,
            group: reading::required_foreign(&read, "consumer_group")?,
            consumer: reading::required_foreign(&read, "consumer")?,
        })
    }
}
