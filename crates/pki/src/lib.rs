//! Certificates and keys: reading them, issuing them, verifying peers with them, and sealing
//! secrets for the disk.
//!
//! | need | item |
//! | --- | --- |
//! | a private CA, server and client certificates | [`Authority`] |
//! | the shared certificate of a hybrid cluster | [`gen_cluster_certificate`] |
//! | reading what a peer presented, version 1 included | [`PeerCertificate`] |
//! | checking a chain, partial chains included | [`verify_chain`], [`chain_verifies_to`] |
//! | rustls verifiers | [`verifiers`] |
//! | trust anchors | [`Roots`] |
//! | a certificate with its key for rustls | [`certified_key`], [`CertifiedPair`] |
//! | a key and a request for a certificate of another authority | [`new_key`], [`certificate_request`] |
//! | a setting that is a path, PEM or base64 | [`pem_or_path_or_base64`] |
//! | encrypting what is written to disk | [`Sealer`] |
//!
//! Deliberately not here: sockets, policies about who may connect, and where files lie.

mod authority;
mod certified;
mod chain;
mod cluster;
mod der;
mod error;
mod hash;
mod peer;
mod pem;
mod provider;
mod request;
mod roots;
mod sealer;
pub mod verifiers;

pub use authority::{Authority, Issued};
pub use certified::{CertifiedPair, certified_key, keys_pair};
pub use chain::{ChainError, Purpose, chain_verifies_to, verify_chain};
pub use cluster::{CertificateVersion, gen_cluster_certificate};
pub use error::Error;
pub use hash::{hash_secret, sha1, sha256};
pub use peer::PeerCertificate;
pub use pem::{
    certificate_to_pem, certificates_from_pem, pem_or_path_or_base64, private_key_from_pem,
};
pub use provider::crypto_provider;
pub use request::{KeyKind, certificate_request, new_key};
pub use roots::Roots;
pub use sealer::Sealer;
