//! What a peer presented, read leniently: certificates of version 1 and of version 3.

use rustls_pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use x509_parser::prelude::{FromDer as _, GeneralName, ParsedExtension, X509Certificate};

use crate::{Error, sha256};

/// A certificate that a peer presented, with the facts that policies ask for.
///
/// Reading one proves nothing about its trustworthiness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    der: CertificateDer<'static>,
    fingerprint: [u8; 32],
    version: u32,
    subject: String,
    subject_der: Vec<u8>,
    issuer: String,
    issuer_der: Vec<u8>,
    common_name: Option<String>,
    dns_names: Vec<String>,
    has_alternative_names: bool,
    serial_hex: String,
    not_before: i64,
    not_after: i64,
    is_authority: bool,
    spki: SubjectPublicKeyInfoDer<'static>,
}

impl PeerCertificate {
    /// Reads one certificate.
    ///
    /// # Errors
    ///
    /// [`Error::Certificate`] when the bytes are not one certificate and nothing else.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let (rest, parsed) = X509Certificate::from_der(der)
            .map_err(|error| Error::Certificate(error.to_string()))?;
        if !rest.is_empty() {
            return Err(Error::Certificate(format!(
                "{} bytes follow it",
                rest.len()
            )));
        }
        let common_name = parsed.subject().iter_common_name().next();
        let (dns_names, has_alternative_names) = alternative_names(&parsed);
        Ok(Self {
            der: CertificateDer::from(der.to_vec()),
            fingerprint: sha256(der),
            version: parsed.version().0 + 1,
            subject: parsed.subject().to_string(),
            subject_der: parsed.subject().as_raw().to_vec(),
            issuer: parsed.issuer().to_string(),
            issuer_der: parsed.issuer().as_raw().to_vec(),
            common_name: common_name
                .and_then(|name| name.as_str().ok())
                .map(str::to_owned),
            dns_names,
            has_alternative_names,
            serial_hex: hex::encode(parsed.raw_serial()),
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
            is_authority: parsed.is_ca(),
            spki: SubjectPublicKeyInfoDer::from(parsed.public_key().raw.to_vec()),
        })
    }

    /// Reads the first certificate of PEM text.
    ///
    /// # Errors
    ///
    /// [`Error::Pem`] or [`Error::Certificate`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let certificates = crate::certificates_from_pem(pem)?;
        certificates.first().map_or_else(
            || {
                Err(Error::Pem {
                    wanted: "certificate",
                    detail: String::new(),
                })
            },
            |der| Self::from_der(der),
        )
    }

    /// The certificate itself.
    #[must_use]
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// SHA-256 over the DER, in lower-case hexadecimal: the pin.
    #[must_use]
    pub fn sha256_hex(&self) -> String {
        hex::encode(self.fingerprint)
    }

    /// SHA-256 over the DER: the pin.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// X.509 version: 1, 2 or 3.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The subject's common name, if it has one that is text.
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }

    /// The whole subject for people, such as `CN=kong_clustering`.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The whole issuer for people.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// DNS names of the subject alternative name extension.
    #[must_use]
    pub fn dns_names(&self) -> &[String] {
        &self.dns_names
    }

    /// Whether it has a subject alternative name extension at all.
    #[must_use]
    pub fn has_alternative_names(&self) -> bool {
        self.has_alternative_names
    }

    /// The serial number in lower-case hexadecimal.
    #[must_use]
    pub fn serial_hex(&self) -> &str {
        &self.serial_hex
    }

    /// First second of validity, in Unix time.
    #[must_use]
    pub fn not_before(&self) -> i64 {
        self.not_before
    }

    /// Last second of validity, in Unix time.
    #[must_use]
    pub fn not_after(&self) -> i64 {
        self.not_after
    }

    /// Whether `unix_seconds` lies within its validity.
    #[must_use]
    pub fn is_valid_at(&self, unix_seconds: u64) -> bool {
        let at = i64::try_from(unix_seconds).unwrap_or(i64::MAX);
        (self.not_before..=self.not_after).contains(&at)
    }

    /// Whether it says that it may sign other certificates.
    #[must_use]
    pub fn is_authority(&self) -> bool {
        self.is_authority
    }

    /// The subject's public key.
    #[must_use]
    pub fn spki(&self) -> &SubjectPublicKeyInfoDer<'static> {
        &self.spki
    }

    pub(crate) fn subject_der(&self) -> &[u8] {
        &self.subject_der
    }

    pub(crate) fn issuer_der(&self) -> &[u8] {
        &self.issuer_der
    }
}

fn alternative_names(parsed: &X509Certificate<'_>) -> (Vec<String>, bool) {
    let mut names = Vec::new();
    let mut is_present = false;
    for extension in parsed.extensions() {
        if let ParsedExtension::SubjectAlternativeName(alternative) = extension.parsed_extension() {
            is_present = true;
            for name in &alternative.general_names {
                if let GeneralName::DNSName(dns) = name {
                    names.push((*dns).to_owned());
                }
            }
        }
    }
    (names, is_present)
}
