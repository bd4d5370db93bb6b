//! Certificates that a test makes itself: authorities, leaves, expired ones.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, date_time_ymd,
};

use crate::Identity;

/// A private authority.
#[derive(Debug)]
pub struct TestAuthority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl TestAuthority {
    /// Makes an authority with the common name `name`.
    ///
    /// # Panics
    ///
    /// Panics when the certificate cannot be made.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.distinguished_name = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a certificate");
        Self {
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        }
    }

    /// The authority's certificate.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Issues a client certificate.
    ///
    /// # Panics
    ///
    /// Panics when the certificate cannot be made.
    #[must_use]
    pub fn client(&self, name: &str) -> Identity {
        self.issue(name, |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        })
    }

    /// Issues a client certificate that ended in 2021.
    ///
    /// # Panics
    ///
    /// Panics when the certificate cannot be made.
    #[must_use]
    pub fn expired_client(&self, name: &str) -> Identity {
        self.issue(name, |params| {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        })
    }

    /// Issues a server certificate for `names`.
    ///
    /// # Panics
    ///
    /// Panics when a name is not one or the certificate cannot be made.
    #[must_use]
    pub fn server(&self, names: &[&str]) -> Identity {
        let alternatives =
            CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>())
                .expect("host names")
                .subject_alt_names;
        self.issue(names[0], |params| params.subject_alt_names = alternatives)
    }

    fn issue(&self, name: &str, adjust: impl FnOnce(&mut CertificateParams)) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.distinguished_name = named(name);
        adjust(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}
