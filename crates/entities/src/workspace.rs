//! Workspaces: the rooms entities live in; here there is one, `default`.

use schema::{DecodeError, Field, Map, Reader, Schema};
use uuid::Uuid;

use crate::kind::EntityKind;
use crate::reading;

/// Names that would shadow a kind of entity.
const RESERVED: [&str; 17] = [
    "workspaces",
    "consumers",
    "certificates",
    "services",
    "routes",
    "snis",
    "upstreams",
    "targets",
    "plugins",
    "tags",
    "ca_certificates",
    "clustering_data_planes",
    "parameters",
    "vaults",
    "key_sets",
    "keys",
    "filter_chains",
];

/// A workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Id.
    pub id: Uuid,
    /// Name, unique.
    pub name: String,
    /// For people.
    pub comment: Option<String>,
}

/// What a workspace is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("workspaces", "workspace", "workspaces", describe());
    kind.endpoint_key = Some("name");
    kind.cache_key = &["name"];
    kind.workspaced = false;
    kind.in_admin_api = false;
    kind
}

/// What the members mean.
const MEANINGS: [(&str, &str); 4] = [
    (
        "name",
        "Name, by which paths and files address it; no kind of entity may be called so.",
    ),
    ("comment", "For people."),
    ("meta", "For tools that draw workspaces."),
    ("config", "Settings of the workspace."),
];

fn describe() -> Schema {
    Schema::new("workspaces")
        .field(Field::id())
        .field(
            Field::string("name")
                .required()
                .unique()
                .utf8_name()
                .not_one_of(RESERVED),
        )
        .field(Field::string("comment"))
        .field(Field::created_at())
        .field(Field::updated_at())
        .field(Field::record("meta", Schema::record([])).required())
        .field(Field::record("config", Schema::record([])).required())
        .describe(&MEANINGS)
}

impl TryFrom<&Map> for Workspace {
    type Error = DecodeError;

    fn try_from(body: &Map) -> Result<Self, DecodeError> {
        let read = Reader::new("workspaces", body);
        Ok(Self {
            id: reading::id(&read)?,
            name: read.required_text("name")?,
            comment: read.text("comment")?,
        })
    }
}
