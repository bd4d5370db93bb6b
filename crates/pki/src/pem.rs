//! PEM text: reading certificates and keys out of it, and settings that may be a path, PEM or
//! base64 of PEM.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::Error;

/// Largest PEM file that is read.
const PEM_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Resolves a setting that holds certificates or a key to PEM bytes.
///
/// `Compat:` tried in this order: PEM text itself (also with `\n` written as two characters, as
/// environment files do), the path of an existing file, base64 of PEM text.
///
/// # Errors
///
/// [`Error::NotPem`] when it is none of these, [`Error::File`] when the file cannot be read.
pub fn pem_or_path_or_base64(text: &str) -> Result<Vec<u8>, Error> {
    let trimmed = text.trim();
    if trimmed.contains("-----BEGIN ") {
        let is_one_line = !trimmed.contains('\n') && trimmed.contains("\\n");
        let pem = if is_one_line {
            trimmed.replace("\\n", "\n")
        } else {
            trimmed.to_owned()
        };
        return Ok(pem.into_bytes());
    }
    if let Some(bytes) = read_file(trimmed)? {
        return Ok(bytes);
    }
    let packed: String = trimmed
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .collect();
    match STANDARD.decode(packed) {
        Ok(bytes) if find(&bytes, b"-----BEGIN ") => Ok(bytes),
        _ => Err(Error::NotPem {
            value: shorten(trimmed),
        }),
    }
}

fn read_file(text: &str) -> Result<Option<Vec<u8>>, Error> {
    // No file system has longer paths; base64 of a certificate is always longer.
    if text.is_empty() || text.len() > 4096 {
        return Ok(None);
    }
    let path = Path::new(text);
    let Ok(metadata) = std::fs::metadata(path) else {
        return Ok(None);
    };
    if !metadata.is_file() {
        return Ok(None);
    }
    if metadata.len() > PEM_BYTES_MAX {
        let reason = std::io::Error::other(format!("it is larger than {PEM_BYTES_MAX} bytes"));
        return Err(Error::file("read", path, reason));
    }
    std::fs::read(path)
        .map(Some)
        .map_err(|source| Error::file("read", path, source))
}

fn find(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// All certificates of PEM text, in order.
///
/// # Errors
///
/// [`Error::Pem`] when there is none or the text is damaged.
pub fn certificates_from_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let wanted = "certificate";
    let certificates = parsed.map_err(|error| Error::Pem {
        wanted,
        detail: format!(": {error}"),
    })?;
    if certificates.is_empty() {
        return Err(Error::Pem {
            wanted,
            detail: String::new(),
        });
    }
    Ok(certificates)
}

/// The first private key of PEM text (PKCS#8, PKCS#1 or SEC1).
///
/// # Errors
///
/// [`Error::Pem`] when there is none or the text is damaged.
pub fn private_key_from_pem(pem: &[u8]) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| {
        let detail = match error {
            rustls_pki_types::pem::Error::NoItemsFound => String::new(),
            other => format!(": {other}"),
        };
        Error::Pem {
            wanted: "private key",
            detail,
        }
    })
}

/// One certificate as PEM text.
#[must_use]
pub fn certificate_to_pem(der: &[u8]) -> String {
    block("CERTIFICATE", der)
}

pub(crate) fn block(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, next) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = next;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}
