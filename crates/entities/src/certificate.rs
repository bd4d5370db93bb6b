//! Certificates that the node shows.

use std::fmt;

use schema::{Check, DecodeError, Field, Map, Reader, Schema, validators};
use uuid::Uuid;

use crate::kind::EntityKind;
use crate::reading;

/// A certificate with its key as the data path sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Id.
    pub id: Uuid,
    /// PEM chain, leaf first.
    pub cert: String,
    /// PEM private key, a secret.
    pub key: String,
    /// A second chain of another key type.
    pub cert_alt: Option<String>,
    /// Its key.
    pub key_alt: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("id", &self.id)
            .field("key", &"…")
            .finish_non_exhaustive()
    }
}

/// What a certificate is.
pub(crate) fn kind() -> EntityKind {
    EntityKind::new("certificates", "certificate", "certificates", describe())
}

fn describe() -> Schema {
    let snis = Field::string("").custom("wildcard_host", validators::wildcard_host);
    Schema::new("certificates")
        .field(Field::id())
        .field(Field::created_at())
        .field(Field::updated_at())
        .field(Field::string("cert").required().referenceable())
        .field(Field::string("key").required().referenceable().encrypted())
        .field(Field::string("cert_alt").optional().referenceable())
        .field(
            Field::string("key_alt")
                .optional()
                .referenceable()
                .encrypted(),
        )
        .field(Field::tags())
        .field(Field::array("snis", snis).optional().transient())
        .check(Check::MutuallyRequired(vec!["cert_alt", "key_alt"]))
}

impl TryFrom<&Map> for Certificate {
    type Error = DecodeError;

    fn try_from(body: &Map) -> Result<Self, DecodeError> {
        let read = Reader::new("certificates", body);
        Ok(Self {
            id: reading::id(&read)?,
            cert: read.required_text("cert")?,
            key: read.required_text("key")?,
            cert_alt: read.text("cert_alt")?,
            key_alt: read.text("key_alt")?,
            tags: read.texts("tags")?,
        })
    }
}
