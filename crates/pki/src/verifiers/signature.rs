//! Signatures checked with nothing but the public key of a certificate, because webpki refuses
//! to read certificates of version 1.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved};
use rustls_pki_types::SignatureVerificationAlgorithm;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::{PeerCertificate, crypto_provider};

/// Checks a signature of a TLS 1.2 handshake, where a scheme does not fix the curve.
pub(super) fn verify_tls12(
    message: &[u8],
    certificate: &[u8],
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    verify(message, certificate, signed, usize::MAX)
}

/// Checks a signature of a TLS 1.3 handshake, where a scheme fixes the curve.
pub(super) fn verify_tls13(
    message: &[u8],
    certificate: &[u8],
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    use rustls::SignatureScheme as S;
    let is_of_tls13 = !matches!(
        signed.scheme,
        S::RSA_PKCS1_SHA1 | S::RSA_PKCS1_SHA256 | S::RSA_PKCS1_SHA384 | S::RSA_PKCS1_SHA512
    );
    if !is_of_tls13 {
        return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
    }
    verify(message, certificate, signed, 1)
}

fn verify(
    message: &[u8],
    certificate: &[u8],
    signed: &DigitallySignedStruct,
    algorithms_max: usize,
) -> Result<HandshakeSignatureValid, Error> {
    let certificate = PeerCertificate::from_der(certificate)
        .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
    let supported = crypto_provider().signature_verification_algorithms;
    let candidates = supported
        .mapping
        .iter()
        .find(|(scheme, _)| *scheme == signed.scheme)
        .map(|(_, algorithms)| *algorithms)
        .ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
    let is_valid = candidates
        .iter()
        .take(algorithms_max)
        .any(|algorithm| is_signed(*algorithm, &certificate, message, signed.signature()));
    if is_valid {
        Ok(HandshakeSignatureValid::assertion())
    } else {
        Err(Error::InvalidCertificate(CertificateError::BadSignature))
    }
}

fn is_signed(
    algorithm: &dyn SignatureVerificationAlgorithm,
    signer: &PeerCertificate,
    message: &[u8],
    signature: &[u8],
) -> bool {
    webpki::RawPublicKeyEntity::try_from(signer.spki())
        .is_ok_and(|key| key.verify_signature(algorithm, message, signature).is_ok())
}

/// Whether the key of `authority` signed `certificate`.
pub(crate) fn is_issued_by(certificate: &PeerCertificate, authority: &PeerCertificate) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate.der()) else {
        return false;
    };
    let message = parsed.tbs_certificate.as_ref();
    let signature = parsed.signature_value.data.as_ref();
    let all = crypto_provider().signature_verification_algorithms.all;
    let identifier = parsed.signature_algorithm.algorithm.as_bytes();
    all.iter()
        // The first bytes of an AlgorithmIdentifier's content are the tag and length of the OID.
        .filter(|algorithm| {
            algorithm
                .signature_alg_id()
                .as_ref()
                .get(2..)
                .is_some_and(|id| id.starts_with(identifier))
        })
        .any(|algorithm| is_signed(*algorithm, authority, message, signature))
}
