//! Certificates with their keys, in the form that rustls serves.

use std::sync::Arc;

use rustls::SignatureAlgorithm;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::sign::CertifiedKey;

use crate::{Error, certificates_from_pem, crypto_provider, private_key_from_pem};

/// Builds what rustls serves from a chain (leaf first) and its key, both PEM.
///
/// # Errors
///
/// [`Error::Pem`] when either is missing, [`Error::Key`] when the key is of an unsupported kind or
/// belongs to another certificate.
pub fn certified_key(cert_pem: &[u8], key_pem: &[u8]) -> Result<Arc<CertifiedKey>, Error> {
    let chain = certificates_from_pem(cert_pem)?;
    let key_der = private_key_from_pem(key_pem)?;
    let key = crypto_provider()
        .key_provider
        .load_private_key(key_der)
        .map_err(|error| Error::Key(error.to_string()))?;
    if let (Some(leaf), Some(of_key)) = (chain.first(), key.public_key()) {
        let leaf = crate::PeerCertificate::from_der(leaf)?;
        // rustls' own comparison cannot read certificates of version 1.
        if leaf.spki().as_ref() != of_key.as_ref() {
            return Err(Error::Key("it belongs to another certificate".to_owned()));
        }
    }
    Ok(Arc::new(CertifiedKey::new(chain, key)))
}

/// Whether a public and a private key, both PEM, belong together; `None` when one of them is of a
/// kind or form about which this cannot be told.
#[must_use]
pub fn keys_pair(public_pem: &[u8], private_pem: &[u8]) -> Option<bool> {
    let public = SubjectPublicKeyInfoDer::from_pem_slice(public_pem).ok()?;
    let private = private_key_from_pem(private_pem).ok()?;
    let key = crypto_provider()
        .key_provider
        .load_private_key(private)
        .ok()?;
    Some(key.public_key()?.as_ref() == public.as_ref())
}

/// A certificate and, optionally, a second one of another key kind for the same names
/// (`cert`/`key` and `cert_alt`/`key_alt` of a certificate entity).
#[derive(Clone, Debug)]
pub struct CertifiedPair {
    primary: Arc<CertifiedKey>,
    alternative: Option<Arc<CertifiedKey>>,
}

impl CertifiedPair {
    /// Pairs them.
    #[must_use]
    pub fn new(primary: Arc<CertifiedKey>, alternative: Option<Arc<CertifiedKey>>) -> Self {
        Self {
            primary,
            alternative,
        }
    }

    /// The one that a client can verify, by the signature schemes it offers. ECDSA comes first
    /// where both fit, because it is cheaper to sign with.
    #[must_use]
    pub fn choose(&self, offered: &[rustls::SignatureScheme]) -> &Arc<CertifiedKey> {
        let Some(alternative) = &self.alternative else {
            return &self.primary;
        };
        let fits = |pair: &CertifiedKey| pair.key.choose_scheme(offered).is_some();
        match (fits(&self.primary), fits(alternative)) {
            (false, true) => alternative,
            (true, true) if alternative.key.algorithm() == SignatureAlgorithm::ECDSA => alternative,
            _ => &self.primary,
        }
    }
}
