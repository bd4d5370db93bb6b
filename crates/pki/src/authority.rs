//! A private certificate authority (ECDSA P-256) and what it issues.

use std::fmt;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls_pki_types::UnixTime;
use time::{Duration, OffsetDateTime};

use crate::{Error, certificates_from_pem};

/// Days that an authority is valid.
const AUTHORITY_DAYS: i64 = 3650;
/// Days that a server's certificate is valid: the most that common clients accept.
const SERVER_DAYS: i64 = 397;
/// Days that a client's certificate is valid, as the reference's cluster certificates are.
const CLIENT_DAYS: i64 = 1095;
/// Certificates begin this long before they are made, for clocks that are behind.
const BACKDATE: Duration = Duration::minutes(10);

/// A certificate and its key, as PEM text.
#[derive(Clone)]
pub struct Issued {
    /// The certificate, and after it those that lead to the authority (which is included).
    pub cert_pem: String,
    /// The private key, PKCS#8.
    pub key_pem: String,
}

impl fmt::Debug for Issued {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cert_pem,
            key_pem: _,
        } = self;
        out.debug_struct("Issued")
            .field("cert_pem", cert_pem)
            .field("key_pem", &"[hidden]")
            .finish()
    }
}

/// A private certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    cert_pem: String,
    key_pem: String,
}

impl fmt::Debug for Authority {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Authority")
            .field("cert_pem", &self.cert_pem)
            .finish_non_exhaustive()
    }
}

impl Authority {
    /// Makes a new authority, self-signed, valid for ten years.
    ///
    /// # Errors
    ///
    /// [`Error::Issue`] when the key or the certificate cannot be made.
    pub fn create(common_name: &str) -> Result<Self, Error> {
        let key = KeyPair::generate().map_err(issue)?;
        let mut params = params(common_name, AUTHORITY_DAYS)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).map_err(issue)?;
        let (cert_pem, key_pem) = (certificate.pem(), key.serialize_pem());
        Ok(Self {
            issuer: Issuer::new(params, key),
            cert_pem,
            key_pem,
        })
    }

    /// Takes an authority up again from what [`Self::ca_pem`] and [`Self::key_pem`] gave.
    ///
    /// # Errors
    ///
    /// [`Error::Pem`], [`Error::Certificate`] or [`Error::Key`] when either is damaged, and
    /// [`Error::Key`] when they do not belong together.
    pub fn load(cert_pem: &str, key_pem: &str) -> Result<Self, Error> {
        crate::certified_key(cert_pem.as_bytes(), key_pem.as_bytes())?;
        let key = KeyPair::from_pem(key_pem).map_err(|error| Error::Key(error.to_string()))?;
        let certificates = certificates_from_pem(cert_pem.as_bytes())?;
        let missing = || Error::Pem {
            wanted: "certificate",
            detail: String::new(),
        };
        let first = certificates.first().ok_or_else(missing)?;
        let issuer = Issuer::from_ca_cert_der(first, key)
            .map_err(|error| Error::Certificate(error.to_string()))?;
        Ok(Self {
            issuer,
            cert_pem: cert_pem.to_owned(),
            key_pem: key_pem.to_owned(),
        })
    }

    /// The authority's certificate as PEM text: what clients have to trust.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.cert_pem
    }

    /// The authority's private key as PEM text. Keep it sealed or in a file of mode 0600.
    #[must_use]
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// Issues a server's certificate for `names` (DNS names, wildcards or IP addresses).
    ///
    /// # Errors
    ///
    /// [`Error::Issue`] when `names` is empty or holds what is not a name.
    pub fn issue_server<S: AsRef<str>>(&self, names: &[S]) -> Result<Issued, Error> {
        let Some(first) = names.first() else {
            return Err(Error::Issue(
                "a server's certificate needs a name".to_owned(),
            ));
        };
        let mut params = params(first.as_ref(), SERVER_DAYS)?;
        let owned: Vec<String> = names.iter().map(|name| name.as_ref().to_owned()).collect();
        params.subject_alt_names = CertificateParams::new(owned)
            .map_err(issue)?
            .subject_alt_names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(params)
    }

    /// Issues a client's certificate with the common name `common_name`.
    ///
    /// # Errors
    ///
    /// [`Error::Issue`] when it cannot be made.
    pub fn issue_client(&self, common_name: &str) -> Result<Issued, Error> {
        let mut params = params(common_name, CLIENT_DAYS)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(params)
    }

    fn issue(&self, mut params: CertificateParams) -> Result<Issued, Error> {
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(issue)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(issue)?;
        let cert_pem = format!("{}{}", certificate.pem(), self.cert_pem);
        Ok(Issued {
            cert_pem,
            key_pem: key.serialize_pem(),
        })
    }
}

fn params(common_name: &str, days: i64) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Gatehouse");
    name.push(DnType::CommonName, common_name);
    params.distinguished_name = name;
    params.not_before = now()? - BACKDATE;
    params.not_after = now()? + Duration::days(days);
    Ok(params)
}

/// The time by the clock that TLS verification uses, so that both agree.
pub(crate) fn now() -> Result<OffsetDateTime, Error> {
    let seconds = i64::try_from(UnixTime::now().as_secs()).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(seconds).map_err(issue)
}

pub(crate) fn issue(error: impl fmt::Display) -> Error {
    Error::Issue(error.to_string())
}
