//! Checks of PEM texts, on top of `pki`.

use pki::PeerCertificate;
use schema::{Failure, Map};
use serde_json::Value;

/// DER of the object identifier of RSA keys.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// A chain of certificates, leaf first.
///
/// # Errors
///
/// The reference's text, with this program's reason.
pub(crate) fn certificate(value: &Value) -> Result<(), String> {
    leaf(value.as_str().unwrap_or_default())
        .map(|_| ())
        .map_err(|why| format!("invalid certificate: x509.new: {why}"))
}

/// A private key.
///
/// # Errors
///
/// The reference's text, with this program's reason.
pub(crate) fn key(value: &Value) -> Result<(), String> {
    pki::private_key_from_pem(value.as_str().unwrap_or_default().as_bytes())
        .map(|_| ())
        .map_err(|why| format!("invalid key: pkey.new:load_key: {why}"))
}

/// A public key. Only its frame is judged here; using it is the plugins' work.
///
/// # Errors
///
/// The reference's text.
pub(crate) fn public_key(value: &Value) -> Result<(), String> {
    let text = value.as_str().unwrap_or_default().trim();
    let framed = text.starts_with("-----BEGIN ") && text.contains("-----END ");
    let body: String = text
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/= ".contains(&byte);
    if framed && !body.is_empty() && body.bytes().all(base64) {
        return Ok(());
    }
    Err("invalid key".to_owned())
}

fn leaf(text: &str) -> Result<PeerCertificate, pki::Error> {
    let chain = pki::certificates_from_pem(text.as_bytes())?;
    let first = chain.first().map_or(&[][..], |der| der.as_ref());
    PeerCertificate::from_der(first)
}

/// Whether a certificate and a key belong together.
pub(crate) fn pair(
    body: &Map,
    cert_field: &str,
    key_field: &str,
    message: &str,
) -> Result<(), Failure> {
    let (Some(cert), Some(key)) = (plain(body, cert_field), plain(body, key_field)) else {
        return Ok(());
    };
    match pki::certified_key(cert.as_bytes(), key.as_bytes()) {
        Ok(_) => Ok(()),
        Err(pki::Error::Key(why)) if !why.contains("another certificate") => Err(Failure::field(
            key_field,
            format!("invalid key: pkey.new:load_key: {why}"),
        )),
        Err(_) => Err(Failure::entity(message)),
    }
}

/// Whether the two certificates have keys of different types.
pub(crate) fn different_types(body: &Map) -> Result<(), Failure> {
    let (Some(first), Some(second)) = (plain(body, "cert"), plain(body, "cert_alt")) else {
        return Ok(());
    };
    let (Ok(first), Ok(second)) = (leaf(first), leaf(second)) else {
        return Ok(());
    };
    if is_rsa(&first) == is_rsa(&second) {
        return Err(Failure::entity(
            "certificate and alternative certificate need to have different type (e.g. RSA and \
             ECDSA), the provided certificates were both of the same type",
        ));
    }
    Ok(())
}

fn is_rsa(certificate: &PeerCertificate) -> bool {
    certificate
        .spki()
        .as_ref()
        .windows(RSA.len())
        .any(|window| window == RSA)
}

/// The text of a member, unless it stands for a secret kept elsewhere.
fn plain<'a>(body: &'a Map, field: &str) -> Option<&'a str> {
    body.get(field)
        .and_then(Value::as_str)
        .filter(|text| !text.starts_with("{vault://"))
}
