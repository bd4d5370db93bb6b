//! Certificates that the node shows.

use std::fmt;

use schema::{Check, CustomCheck, DecodeError, Failure, Field, Map, Reader, Schema, validators};
use uuid::Uuid;

use crate::kind::EntityKind;
use crate::{pem, reading};

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

/// What the members mean.
const MEANINGS: [(&str, &str); 5] = [
    ("cert", "PEM chain, the own certificate first."),
    ("key", "PEM private key of the certificate."),
    (
        "cert_alt",
        "A second chain for the same names, with a key of another type.",
    ),
    ("key_alt", "PEM private key of the second chain."),
    (
        "snis",
        "Names the certificate is shown for; each becomes an SNI entity.",
    ),
];

fn describe() -> Schema {
    let snis = Field::string("").custom("wildcard_host", validators::wildcard_host);
    Schema::new("certificates")
        .field(Field::id())
        .field(Field::created_at())
        .field(Field::updated_at())
        .field(cert("cert").required().referenceable())
        .field(key("key").required().referenceable().encrypted())
        .field(cert("cert_alt").optional().referenceable())
        .field(key("key_alt").optional().referenceable().encrypted())
        .field(Field::tags())
        .field(Field::array("snis", snis).optional().transient())
        .check(Check::MutuallyRequired(vec!["cert_alt", "key_alt"]))
        .check(pairs("cert_key_match", &["cert", "key"], cert_matches))
        .check(pairs(
            "cert_alt_key_alt_match",
            &["cert_alt", "key_alt"],
            alternative_matches,
        ))
        .check(pairs(
            "different_key_types",
            &["cert", "cert_alt"],
            pem::different_types,
        ))
        .describe(&MEANINGS)
}

fn cert(name: &'static str) -> Field {
    Field::string(name).custom("certificate", pem::certificate)
}

fn key(name: &'static str) -> Field {
    Field::string(name).custom("key", pem::key)
}

fn pairs(
    name: &'static str,
    fields: &'static [&'static str],
    run: fn(&Map) -> Result<(), Failure>,
) -> Check {
    Check::Custom(CustomCheck {
        name,
        fields,
        published: fields,
        run_with_missing_fields: false,
        run_with_invalid_fields: false,
        run,
    })
}

fn cert_matches(body: &Map) -> Result<(), Failure> {
    pem::pair(body, "cert", "key", "certificate does not match key")
}

fn alternative_matches(body: &Map) -> Result<(), Failure> {
    pem::pair(
        body,
        "cert_alt",
        "key_alt",
        "alternative certificate does not match key",
    )
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
