//! Certificates of authorities that the node trusts.

use pki::PeerCertificate;
use schema::{Check, CustomCheck, DecodeError, Failure, Field, Map, Reader, Schema};
use serde_json::Value;
use uuid::Uuid;

use crate::kind::EntityKind;
use crate::{pem, reading};

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

/// What the members mean.
const MEANINGS: [(&str, &str); 2] = [
    ("cert", "PEM certificate of one authority."),
    (
        "cert_digest",
        "SHA-256 of the certificate in hexadecimal; worked out from it.",
    ),
];

fn describe() -> Schema {
    Schema::new("ca_certificates")
        .field(Field::id())
        .field(Field::created_at())
        .field(Field::updated_at())
        .field(
            Field::string("cert")
                .required()
                .custom("certificate", pem::certificate),
        )
        .field(Field::string("cert_digest").unique())
        .field(Field::tags())
        .check(authority())
        .describe(&MEANINGS)
}

fn authority() -> Check {
    Check::Custom(CustomCheck {
        name: "single_valid_ca_certificate",
        fields: &["cert"],
        published: &["cert"],
        run_with_missing_fields: false,
        run_with_invalid_fields: false,
        run: check_authority,
    })
}

fn check_authority(body: &Map) -> Result<(), Failure> {
    let text = body.get("cert").and_then(Value::as_str).unwrap_or_default();
    let Ok(chain) = pki::certificates_from_pem(text.as_bytes()) else {
        return Ok(());
    };
    let [only] = &chain[..] else {
        return Err(Failure::entity(
            "please submit only one certificate at a time",
        ));
    };
    let Ok(certificate) = PeerCertificate::from_der(only) else {
        return Ok(());
    };
    let now = i64::try_from(clock::unix_seconds()).unwrap_or(i64::MAX);
    if certificate.not_after() < now {
        return Err(Failure::entity(
            "certificate expired, \"Not After\" time is in the past",
        ));
    }
    if !certificate.is_authority() {
        return Err(Failure::entity(
            "certificate does not appear to be a CA because it is missing the \"CA\" basic \
             constraint",
        ));
    }
    Ok(())
}

/// The digest always follows the certificate, whatever was sent.
pub(crate) fn set_digest(body: &mut Map) {
    let text = body.get("cert").and_then(Value::as_str).unwrap_or_default();
    if let Ok(certificate) = PeerCertificate::from_pem(text.as_bytes()) {
        body.insert(
            "cert_digest".to_owned(),
            Value::String(certificate.sha256_hex()),
        );
    }
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
