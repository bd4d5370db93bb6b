//! Parameters of a cluster, by key; internal.

use schema::{DecodeError, Field, Map, Reader, Schema};

use crate::kind::EntityKind;

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Key, unique.
    pub key: String,
    /// Value.
    pub value: String,
}

/// What a parameter is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("parameters", "parameter", "parameters", describe());
    kind.cache_key = &["key"];
    kind.primary_key = "key";
    kind.workspaced = false;
    kind.in_admin_api = false;
    kind
}

/// What the members mean.
const MEANINGS: [(&str, &str); 2] = [("key", "Name of the parameter."), ("value", "Its value.")];

fn describe() -> Schema {
    Schema::new("parameters")
        .field(Field::created_at())
        .field(Field::string("key").required().unique())
        .field(Field::string("value").required())
        .describe(&MEANINGS)
}

impl TryFrom<&Map> for Parameter {
    type Error = DecodeError;

    fn try_from(body: &Map) -> Result<Self, DecodeError> {
        let read = Reader::new("parameters", body);
        Ok(Self {
            key: read.required_text("key")?,
            value: read.required_text("value")?,
        })
    }
}
