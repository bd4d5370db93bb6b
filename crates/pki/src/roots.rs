//! Trust anchors for verifying servers.

use rustls::RootCertStore;
use rustls_pki_types::{CertificateDer, TrustAnchor};

use crate::{Error, PeerCertificate, certificates_from_pem};

/// A set of trust anchors, each with its validity, so that an expired authority vouches for
/// nobody.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    anchors: Vec<Anchor>,
}

#[derive(Clone, Debug)]
struct Anchor {
    anchor: TrustAnchor<'static>,
    subject: Vec<u8>,
    not_before: i64,
    not_after: i64,
}

impl Roots {
    /// The empty set, which trusts nobody.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The operating system's anchors (honouring `SSL_CERT_FILE` and `SSL_CERT_DIR`). Single
    /// damaged certificates are skipped.
    ///
    /// # Errors
    ///
    /// [`Error::Roots`] when the system has none.
    pub fn system() -> Result<Self, Error> {
        let loaded = rustls_native_certs::load_native_certs();
        let mut roots = Self::empty();
        for certificate in &loaded.certs {
            if let Err(error) = roots.add_der(certificate) {
                tracing::debug!(%error, "skipped a certificate of the system's trust store");
            }
        }
        if roots.is_empty() {
            let reasons: Vec<String> = loaded.errors.iter().map(ToString::to_string).collect();
            let reason = if reasons.is_empty() {
                "the system's trust store is empty; install the package ca-certificates or name \
                 a bundle"
                    .to_owned()
            } else {
                reasons.join("; ")
            };
            return Err(Error::Roots(reason));
        }
        Ok(roots)
    }

    /// All certificates of PEM text as anchors.
    ///
    /// # Errors
    ///
    /// [`Error::Pem`] or [`Error::Certificate`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let mut roots = Self::empty();
        roots.add_pem(pem)?;
        Ok(roots)
    }

    /// Adds all certificates of PEM text.
    ///
    /// # Errors
    ///
    /// [`Error::Pem`] or [`Error::Certificate`].
    pub fn add_pem(&mut self, pem: &[u8]) -> Result<(), Error> {
        for certificate in certificates_from_pem(pem)? {
            self.add_der(&certificate)?;
        }
        Ok(())
    }

    /// Adds one certificate.
    ///
    /// # Errors
    ///
    /// [`Error::Certificate`] when it is not well-formed.
    pub fn add_der(&mut self, der: &[u8]) -> Result<(), Error> {
        let parsed = PeerCertificate::from_der(der)?;
        let certificate = CertificateDer::from(der);
        let anchor = webpki::anchor_from_trusted_cert(&certificate)
            .map_err(|error| Error::Certificate(error.to_string()))?
            .to_owned();
        self.anchors.push(Anchor {
            anchor,
            subject: parsed.subject_der().to_vec(),
            not_before: parsed.not_before(),
            not_after: parsed.not_after(),
        });
        Ok(())
    }

    /// Adds all anchors of `other`.
    pub fn extend(&mut self, other: Self) {
        self.anchors.extend(other.anchors);
    }

    /// Number of anchors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.anchors.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// All anchors in the form of rustls, whatever their dates.
    #[must_use]
    pub fn to_store(&self) -> RootCertStore {
        self.anchors
            .iter()
            .map(|anchor| anchor.anchor.clone())
            .collect()
    }

    /// The anchors that are valid at `unix_seconds`; `None` when all are, to save the copy.
    pub(crate) fn store_at(&self, unix_seconds: u64) -> Option<RootCertStore> {
        let at = i64::try_from(unix_seconds).unwrap_or(i64::MAX);
        let is_valid = |anchor: &&Anchor| (anchor.not_before..=anchor.not_after).contains(&at);
        if self.anchors.iter().all(|anchor| is_valid(&anchor)) {
            return None;
        }
        Some(
            self.anchors
                .iter()
                .filter(is_valid)
                .map(|anchor| anchor.anchor.clone())
                .collect(),
        )
    }

    /// Whether an anchor with one of these subjects exists, but outside its validity.
    pub(crate) fn has_outdated(&self, subjects: &[Vec<u8>], unix_seconds: u64) -> bool {
        let at = i64::try_from(unix_seconds).unwrap_or(i64::MAX);
        self.anchors.iter().any(|anchor| {
            !(anchor.not_before..=anchor.not_after).contains(&at)
                && subjects.contains(&anchor.subject)
        })
    }
}
