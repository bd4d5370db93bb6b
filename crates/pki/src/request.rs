//! Keys for certificates of others, and requests for them.

use std::net::IpAddr;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256,
    RsaKeySize,
};

use crate::error::Error;

/// What kind of key a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// On the curve P-256.
    Ecdsa,
    /// RSA of 2048 bits.
    Rsa2048,
    /// RSA of 3072 bits.
    Rsa3072,
    /// RSA of 4096 bits.
    Rsa4096,
}

/// Makes up a private key, PEM. One of RSA takes a while: not on the data path.
///
/// # Errors
///
/// [`Error`] if the machine has no randomness.
pub fn new_key(kind: KeyKind) -> Result<String, Error> {
    let rsa = |size| KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, size);
    let pair = match kind {
        KeyKind::Ecdsa => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        KeyKind::Rsa2048 => rsa(RsaKeySize::_2048),
        KeyKind::Rsa3072 => rsa(RsaKeySize::_3072),
        KeyKind::Rsa4096 => rsa(RsaKeySize::_4096),
    };
    pair.map(|pair| pair.serialize_pem()).map_err(issue)
}

/// A request for a certificate with one name, DER. The common name of an address is left out
/// unless `names_address`.
///
/// # Errors
///
/// [`Error`] if the name or the key is none.
pub fn certificate_request(
    name: &str,
    key_pem: &str,
    names_address: bool,
) -> Result<Vec<u8>, Error> {
    let key = KeyPair::from_pem(key_pem).map_err(issue)?;
    let mut params = CertificateParams::new(vec![name.to_owned()]).map_err(issue)?;
    params.distinguished_name = DistinguishedName::new();
    if names_address || name.parse::<IpAddr>().is_err() {
        params.distinguished_name.push(DnType::CommonName, name);
    }
    let request = params.serialize_request(&key).map_err(issue)?;
    Ok(request.der().to_vec())
}

fn issue(error: impl std::fmt::Display) -> Error {
    Error::Issue(error.to_string())
}
