//! The certificate that all nodes and the control plane of a hybrid cluster share.

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    PKCS_ECDSA_P384_SHA384, PublicKeyData as _, SigningKey as _,
};
use time::Duration;

use crate::authority::{Issued, issue, now};
use crate::{Error, der, pem};

/// The common name, which nodes also send as SNI in shared mode.
const COMMON_NAME: &str = "kong_clustering";
/// Object identifier of ecdsa-with-SHA384, as an AlgorithmIdentifier.
const ECDSA_WITH_SHA384: [u8; 12] = [
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03,
];
/// Longest validity that is accepted, in days: a hundred years.
const DAYS_MAX: u32 = 36_500;

/// X.509 version of a cluster certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateVersion {
    /// Version 1, without extensions: what the reference's command makes.
    V1,
    /// Version 3, with key usages for both ends: what `openssl req -x509` makes.
    V3,
}

/// Makes a self-signed certificate on secp384r1 with the common name `kong_clustering`.
///
/// `Compat:` the reference's `hybrid gen_cert` makes version 1 without a subject alternative
/// name, valid for 1095 days by default.
///
/// # Errors
///
/// [`Error::Issue`] when `days` is zero or above 36500, or the key cannot be made.
pub fn gen_cluster_certificate(days: u32, version: CertificateVersion) -> Result<Issued, Error> {
    if days == 0 || days > DAYS_MAX {
        return Err(Error::Issue(format!(
            "`{days}` days is not between 1 and {DAYS_MAX}"
        )));
    }
    let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).map_err(issue)?;
    let cert_pem = match version {
        CertificateVersion::V1 => version_1(&key, days)?,
        CertificateVersion::V3 => version_3(&key, days)?,
    };
    Ok(Issued {
        cert_pem,
        key_pem: key.serialize_pem(),
    })
}

fn version_1(key: &KeyPair, days: u32) -> Result<String, Error> {
    let mut serial = [0; 16];
    aws_lc_rs::rand::fill(&mut serial).map_err(|_| issue("no random bytes"))?;
    let name = der::common_name(COMMON_NAME);
    let (start, end) = (now()?, now()? + Duration::days(i64::from(days)));
    let validity = der::sequence(&[&der::date(start), &der::date(end)]);
    let spki = key.subject_public_key_info();
    // Without the version field: that is what makes it version 1 (RFC 5280 4.1.2.1).
    let to_sign = der::sequence(&[
        &der::integer(&serial),
        &ECDSA_WITH_SHA384,
        &name,
        &validity,
        &name,
        &spki,
    ]);
    let signature = key.sign(&to_sign).map_err(issue)?;
    let certificate = der::sequence(&[&to_sign, &ECDSA_WITH_SHA384, &der::bit_string(&signature)]);
    Ok(pem::block("CERTIFICATE", &certificate))
}

fn version_3(key: &KeyPair, days: u32) -> Result<String, Error> {
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, COMMON_NAME);
    params.distinguished_name = name;
    params.not_before = now()?;
    params.not_after = now()? + Duration::days(i64::from(days));
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    Ok(params.self_signed(key).map_err(issue)?.pem())
}
