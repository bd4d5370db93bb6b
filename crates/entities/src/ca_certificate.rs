//! Certificates of authorities that the node trusts.

use schema::{DecodeError, Field, Map, Reader, Schema};
use uuid::Uuid;

use crate::kind::EntityKind;
use crate::reading;

/// A trusted certificate as the data path sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaCertificate {
    /// Id.
    pub id: Uuid,
    /// PEM of exactly one certificate.
    pub cert: String,
    /// SHA-256 of its DER, hex.
    pub cert_digest: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
}

/// What a trusted certificate is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new(
        "ca_certificates",
        "ca_certificate",
        "ca_certificates",
        describe(),
    );
    kind.workspaced = false;
    kind
}

fn describe() -> Schema {
    Schema::new("ca_certificates")
        .field(Field::id())
        .field(Field::created_at())
        .field(Field::updated_at())
        .field(Field::string("cert").required())
        .field(Field::string("cert_digest").unique())
        .field(Field::tags())
}

impl TryFrom<&Map> for CaCertificate {
    type Error = DecodeError;

    fn try_from(body: &Map) -> Result<Self, DecodeError> {
        let read = Reader::new("ca_certificates", body);
        Ok(Self {
            id: reading::id(&read)?,
            cert: read.required_text("cert")?,
            cert_digest: read.text("cert_digest")?,
            tags: read.texts("tags")?,
        })
    }
}
