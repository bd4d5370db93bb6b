//! Registered client certificates of a control plane.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::records::Unique;
use super::{Planes, read, write};
use crate::error::{InvalidParameter, PlaneError};
use crate::model::{Pinned, PlaneEvent};

/// Certificates per control plane.
///
/// Compat: the reference's limit.
pub const MAX_CERTIFICATES: usize = 32;
/// Characters of one uploaded certificate text.
const MAX_CERTIFICATE_TEXT: usize = 64 * 1024;
const TITLE_LENGTH: usize = 256;

const SPACE: &str = "dp_client_certificate";

#[derive(Serialize, Deserialize)]
struct Row {
    id: Uuid,
    control_plane: Uuid,
    cert: String,
    title: String,
    created_at: u64,
    updated_at: u64,
}

impl Planes {
    /// The certificates registered with a control plane, oldest first.
    ///
    /// # Errors
    ///
    /// Only when the records cannot be read.
    pub async fn pinned(&self, control_plane: Uuid) -> Result<Vec<Pinned>, PlaneError> {
        let rows = self.inner.records.list(SPACE, control_plane).await?;
        let mut pins = rows
            .into_iter()
            .map(|row| read(row).and_then(pinned))
            .collect::<Result<Vec<_>, _>>()?;
        pins.sort_by(|a, b| (a.created_at, a.id).cmp(&(b.created_at, b.id)));
        Ok(pins)
    }

    /// One registered certificate.
    ///
    /// # Errors
    ///
    /// [`PlaneError::NotFound`] when the control plane has none with this id.
    pub async fn pinned_by_id(&self, control_plane: Uuid, id: Uuid) -> Result<Pinned, PlaneError> {
        let row = self.certificate_row(control_plane, id).await?;
        pinned(row)
    }

    /// Registers a certificate (PEM).
    ///
    /// # Errors
    ///
    /// [`PlaneError::Invalid`]: unreadable text, registered already, or 32 exist.
    pub async fn pin(
        &self,
        control_plane: Uuid,
        cert: &str,
        title: &str,
    ) -> Result<Pinned, PlaneError> {
        check(cert, title)?;
        if self.inner.records.list(SPACE, control_plane).await?.len() >= MAX_CERTIFICATES {
            let reason = format!("the control plane has {MAX_CERTIFICATES} certificates already");
            let fault = InvalidParameter::body("cert", "max", reason);
            return Err(PlaneError::Invalid(vec![
                fault.maximum(MAX_CERTIFICATES as u64),
            ]));
        }
        let now = clock::unix_seconds();
        self.store_certificate(Row {
            id: clock::new_uuid(),
            control_plane,
            cert: cert.to_owned(),
            title: title.to_owned(),
            created_at: now,
            updated_at: now,
        })
        .await
    }

    /// Replaces a registered certificate. Connections that used the old one end.
    ///
    /// # Errors
    ///
    /// As [`Planes::pin`], and [`PlaneError::NotFound`].
    pub async fn replace_pinned(
        &self,
        control_plane: Uuid,
        id: Uuid,
        cert: &str,
        title: &str,
    ) -> Result<Pinned, PlaneError> {
        check(cert, title)?;
        let before = self.pinned_by_id(control_plane, id).await?;
        let after = self
            .store_certificate(Row {
                id,
                control_plane,
                cert: cert.to_owned(),
                title: title.to_owned(),
                created_at: before.created_at,
                updated_at: clock::unix_seconds(),
            })
            .await?;
        if after.sha256 != before.sha256 {
            self.revoked(control_plane, id);
        }
        Ok(after)
    }

    /// Removes a registered certificate. Connections that used it end.
    ///
    /// # Errors
    ///
    /// [`PlaneError::NotFound`].
    pub async fn unpin(&self, control_plane: Uuid, id: Uuid) -> Result<(), PlaneError> {
        self.certificate_row(control_plane, id).await?;
        self.inner.records.delete(SPACE, id).await?;
        self.revoked(control_plane, id);
        Ok(())
    }

    pub(super) async fn drop_certificates(&self, control_plane: Uuid) -> Result<(), PlaneError> {
        for pin in self.pinned(control_plane).await? {
            self.inner.records.delete(SPACE, pin.id).await?;
        }
        Ok(())
    }

    async fn certificate_row(&self, control_plane: Uuid, id: Uuid) -> Result<Row, PlaneError> {
        let row: Option<Row> = self
            .inner
            .records
            .get(SPACE, id)
            .await?
            .map(read)
            .transpose()?;
        row.filter(|row| row.control_plane == control_plane)
            .ok_or(PlaneError::NotFound {
                noun: "data plane certificate",
                id,
            })
    }

    async fn store_certificate(&self, row: Row) -> Result<Pinned, PlaneError> {
        let (body, owner) = (write(&row)?, row.control_plane);
        let pin = pinned(row)?;
        let unique = vec![("sha256", format!("{owner}/{}", pin.sha256))];
        self.inner
            .records
            .put(SPACE, pin.id, owner, body, unique)
            .await?
            .map_err(|Unique| {
                let reason = "the control plane has this certificate already";
                PlaneError::Invalid(vec![InvalidParameter::body("cert", "invalid", reason)])
            })?;
        Ok(pin)
    }

    fn revoked(&self, control_plane: Uuid, certificate: Uuid) {
        self.tell(PlaneEvent::CertificateRevoked {
            control_plane,
            certificate,
        });
    }
}

fn check(cert: &str, title: &str) -> Result<(), PlaneError> {
    let mut found = Vec::new();
    if cert.is_empty() {
        found.push(InvalidParameter::body("cert", "required", "must be given"));
    } else if cert.len() > MAX_CERTIFICATE_TEXT {
        let reason = format!("must have {MAX_CERTIFICATE_TEXT} characters or fewer");
        let fault = InvalidParameter::body("cert", "max_length", reason);
        found.push(fault.maximum(MAX_CERTIFICATE_TEXT as u64));
    } else if first_der(cert).is_none() {
        let reason = "must be a certificate in PEM (`-----BEGIN CERTIFICATE-----`)";
        found.push(InvalidParameter::body("cert", "invalid", reason));
    }
    if title.chars().count() > TITLE_LENGTH {
        let reason = format!("must have {TITLE_LENGTH} characters or fewer");
        let fault = InvalidParameter::body("title", "max_length", reason);
        found.push(fault.maximum(TITLE_LENGTH as u64));
    }
    if found.is_empty() {
        Ok(())
    } else {
        Err(PlaneError::Invalid(found))
    }
}

fn pinned(row: Row) -> Result<Pinned, PlaneError> {
    let der = first_der(&row.cert).ok_or_else(|| {
        PlaneError::Unavailable(format!("the stored certificate `{}` is unreadable", row.id))
    })?;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der);
    Ok(Pinned {
        id: row.id,
        cert: row.cert,
        sha256: hex::encode(digest),
        der,
        title: row.title,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// The first certificate of a PEM text. Uploads made by shell scripts carry `\n` as two
/// characters; they are read too.
fn first_der(text: &str) -> Option<Vec<u8>> {
    let text = text.replace("\\n", "\n");
    let der = CertificateDer::pem_slice_iter(text.as_bytes())
        .next()?
        .ok()?;
    x509_parser::parse_x509_certificate(&der).ok()?;
    Some(der.to_vec())
}
