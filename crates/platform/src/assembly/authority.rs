//! The private authority of the installation, kept in the data folder.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use pki::Authority;

use crate::error::PlatformError;

/// Makes the data folder when it is missing; only its owner may look inside.
pub(super) fn make_folder(folder: &Path) -> Result<(), PlatformError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
        .create(folder)
        .map_err(|source| fault(folder, source))
}

/// Reads the authority, or makes it. Its key is written before its certificate, so that a start
/// that was cut short begins anew instead of finding a certificate without a key.
pub(super) fn open(folder: &Path, base_domain: &str) -> Result<Authority, PlatformError> {
    let (cert_path, key_path) = (folder.join("ca.crt"), folder.join("ca.key"));
    let cert = match std::fs::read_to_string(&cert_path) {
        Ok(cert) => cert,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let authority = Authority::create(&format!("Gatehouse {base_domain}"))?;
            write(&key_path, authority.key_pem(), 0o600)?;
            write(&cert_path, authority.ca_pem(), 0o644)?;
            return Ok(authority);
        }
        Err(error) => return Err(fault(&cert_path, error)),
    };
    let key = std::fs::read_to_string(&key_path).map_err(|error| fault(&key_path, error))?;
    Ok(Authority::load(&cert, &key)?)
}

/// Writes a file whole or not at all.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), PlatformError> {
    let unfinished = path.with_extension("new");
    let written = || {
        drop(std::fs::remove_file(&unfinished));
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&unfinished, path)
    };
    written().map_err(|source| fault(path, source))
}

fn fault(path: &Path, source: std::io::Error) -> PlatformError {
    PlatformError::File {
        path: path.to_owned(),
        source,
    }
}
