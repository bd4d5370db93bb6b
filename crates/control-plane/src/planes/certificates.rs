//! Registered client certificates of a control plane.

use pki::PeerCertificate;
use serde::{Deserialize, Serialize};
use store::{RecordOperation, StoreError};
use uuid::Uuid;

use super::{Planes, records};
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
        let rows: Vec<(Uuid, Row)> = self.inner.records.list(SPACE, Some(control_plane)).await?;
        let mut pins = rows
            .into_iter()
            .map(|(_, row)| pinned(row))
            .collect::<Result<Vec<_>, _>>()?;
        pins.sort_by_key(|pin| (pin.created_at, pin.id));
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
        let _turn = self.inner.writing.lock().await;
        if self.inner.records.count(SPACE, control_plane).await? >= MAX_CERTIFICATES as u64 {
            let reason = format!("the control plane has {MAX_CERTIFICATES} certificates already");
            let fault = InvalidParameter::body("cert", "max", reason);
            return Err(PlaneError::Invalid(vec![fault.maximum(MAX_CERTIFICATES)]));
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
        let _turn = self.inner.writing.lock().await;
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
        let _turn = self.inner.writing.lock().await;
        self.certificate_row(control_plane, id).await?;
        self.inner.records.delete(SPACE, id).await?;
        self.revoked(control_plane, id);
        Ok(())
    }

    async fn certificate_row(&self, control_plane: Uuid, id: Uuid) -> Result<Row, PlaneError> {
        let row: Option<Row> = self.inner.records.get(SPACE, id).await?;
        row.filter(|row| row.control_plane == control_plane)
            .ok_or(PlaneError::NotFound {
                noun: "data plane certificate",
                id,
            })
    }

    async fn store_certificate(&self, row: Row) -> Result<Pinned, PlaneError> {
        let digest = first(&row)?.sha256_hex();
        let (id, owner) = (row.id, row.control_plane);
        let unique = vec![("sha256", format!("{owner}/{digest}"))];
        let put = records::put_unique(SPACE, id, owner, &row, unique)?;
        match self.inner.records.put(put).await {
            Err(PlaneError::Store(StoreError::Unique { .. })) => {
                let reason = "the control plane has this certificate already";
                let fault = InvalidParameter::body("cert", "invalid", reason);
                Err(PlaneError::Invalid(vec![fault]))
            }
            Err(other) => Err(other),
            Ok(()) => pinned(row),
        }
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
        found.push(fault.maximum(MAX_CERTIFICATE_TEXT));
    } else if let Err(error) = read_pem(cert) {
        let reason = format!("must be a certificate in PEM: {error}");
        found.push(InvalidParameter::body("cert", "invalid", reason));
    }
    if title.chars().count() > TITLE_LENGTH {
        let reason = format!("must have {TITLE_LENGTH} characters or fewer");
        let fault = InvalidParameter::body("title", "max_length", reason);
        found.push(fault.maximum(TITLE_LENGTH));
    }
    if found.is_empty() {
        Ok(())
    } else {
        Err(PlaneError::Invalid(found))
    }
}

/// The removal of every certificate of a control plane.
pub(super) const fn all_of(control_plane: Uuid) -> RecordOperation {
    RecordOperation::DeleteOwned {
        space: SPACE,
        owner: control_plane,
    }
}

fn pinned(row: Row) -> Result<Pinned, PlaneError> {
    let certificate = first(&row)?;
    Ok(Pinned {
        id: row.id,
        sha256: certificate.sha256_hex(),
        der: certificate.der().to_vec(),
        cert: row.cert,
        title: row.title,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

fn first(row: &Row) -> Result<PeerCertificate, PlaneError> {
    let damaged =
        |error| PlaneError::Damaged(format!("the stored certificate `{}`: {error}", row.id));
    read_pem(&row.cert).map_err(damaged)
}

/// The first certificate of a PEM text. Uploads made by shell scripts carry line ends as the two
/// characters `\n`; they are read too.
fn read_pem(text: &str) -> Result<PeerCertificate, pki::Error> {
    PeerCertificate::from_pem(text.replace("\\n", "\n").as_bytes())
}
