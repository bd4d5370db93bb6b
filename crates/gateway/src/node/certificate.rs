//! The certificate that clients are shown when no other fits.
//!
//! Compat: below the prefix, `ssl/kong-default.crt` and `.key`, made at the first start. It
//! proves nothing to anybody; set `ssl_cert` for a real one.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use conf::Settings;
use pki::{Authority, CertifiedPair, certified_key};

use super::error::NodeError;

/// The node's own certificate: the kept one, else a new one; `None` if no listener needs one.
pub(super) fn default_certificate(
    settings: &Settings,
) -> Result<Option<Arc<CertifiedPair>>, NodeError> {
    let needs = |listens: &[conf::Listen]| listens.iter().any(|listen| listen.ssl);
    let is_needed = needs(&settings.proxy_listen)
        || needs(&settings.status_listen)
        || needs(&settings.admin_listen);
    if !is_needed {
        return Ok(None);
    }
    let folder = settings.prefix.join("ssl");
    let (certificate, key) = match read(&folder) {
        Ok(kept) => kept,
        Err(_) => make(&folder)?,
    };
    let pair = match certified_key(certificate.as_bytes(), key.as_bytes()) {
        Ok(pair) => pair,
        Err(error) => {
            tracing::warn!(%error, "the kept default certificate cannot be used; making a new one");
            let (certificate, key) = make(&folder)?;
            certified_key(certificate.as_bytes(), key.as_bytes()).map_err(NodeError::Certificate)?
        }
    };
    Ok(Some(Arc::new(CertifiedPair::new(pair, None))))
}

const CERTIFICATE_FILE: &str = "kong-default.crt";
const KEY_FILE: &str = "kong-default.key";

fn read(folder: &Path) -> io::Result<(String, String)> {
    Ok((
        fs::read_to_string(folder.join(CERTIFICATE_FILE))?,
        fs::read_to_string(folder.join(KEY_FILE))?,
    ))
}

/// Makes a certificate and keeps it; one that cannot be kept serves until the end.
fn make(folder: &Path) -> Result<(String, String), NodeError> {
    let authority = Authority::create("Gatehouse default").map_err(NodeError::Certificate)?;
    let issued = authority
        .issue_server(&["localhost"])
        .map_err(NodeError::Certificate)?;
    let kept = fs::create_dir_all(folder)
        .and_then(|()| write_private(&folder.join(KEY_FILE), &issued.key_pem))
        .and_then(|()| fs::write(folder.join(CERTIFICATE_FILE), &issued.cert_pem));
    if let Err(error) = kept {
        tracing::warn!(%error, "the default certificate cannot be kept; the next start makes another");
    }
    Ok((issued.cert_pem, issued.key_pem))
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}
