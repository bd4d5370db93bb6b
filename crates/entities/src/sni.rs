//! Server names that choose a certificate.

use schema::{DecodeError, Field, Map, Reader, Schema, validators};
use uuid::Uuid;

use crate::kind::EntityKind;
use crate::reading;

/// A server name as the data path sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sni {
    /// Id.
    pub id: Uuid,
    /// Host name, perhaps with a `*` as first or last label.
    pub name: String,
    /// The certificate it chooses.
    pub certificate: Uuid,
    /// Tags.
    pub tags: Vec<String>,
}

/// What a server name is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("snis", "sni", "snis", describe());
    kind.endpoint_key = Some("name");
    kind.owned_by = &["certificate"];
    kind.nested = Some(("certificates", "snis"));
    kind
}

/// What the members mean.
const MEANINGS: [(&str, &str); 2] = [
    (
        "name",
        "Server name of TLS; `*` may stand for the first or the last label.",
    ),
    ("certificate", "The certificate that is shown for the name."),
];

fn describe() -> Schema {
    Schema::new("snis")
        .field(Field::id())
        .field(
            Field::string("name")
                .required()
                .unique_across_workspaces()
                .custom("wildcard_host", validators::wildcard_host),
        )
        .field(Field::created_at())
        .field(Field::updated_at())
        .field(Field::tags())
        .field(Field::foreign("certificate", "certificates").required())
        .describe(&MEANINGS)
}

impl TryFrom<&Map> for Sni {
    type Error = DecodeError;

    fn try_from(body: &Map) -> Result<Self, DecodeError> {
        let read = Reader::new("snis", body);
        Ok(Self {
            id: reading::id(&read)?,
            name: read.required_text("name")?,
            certificate: reading::required_foreign(&read, "certificate")?,
            tags: read.texts("tags")?,
        })
    }
}
