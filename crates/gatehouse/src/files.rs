//! Files that appear whole or not at all, with the mode they need from the first moment.

use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use crate::failure::Failure;

/// Mode of files for everybody to read.
pub(crate) const PUBLIC: u32 = 0o644;
/// Mode of files that hold secrets.
pub(crate) const PRIVATE: u32 = 0o600;

/// Writes a file that must not exist yet.
pub(crate) fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), Failure> {
    let open = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path);
    let mut file = open.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::new(format!(
            "`{}` exists already and is not overwritten; remove it or name another file",
            path.display()
        )),
        _ => fault("write", path, &error),
    })?;
    // The mode again, because the user's mask may have narrowed it.
    let mode = std::fs::Permissions::from_mode(mode);
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.set_permissions(mode))
        .and_then(|()| file.sync_all());
    written.map_err(|error| fault("write", path, &error))
}

/// Writes a file, replacing an earlier one in one step.
#[cfg(feature = "platform-side")]
pub(crate) fn replace(path: &Path, mode: u32, text: &str) -> Result<(), Failure> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", clock::random_alphanumeric(8)));
    let temporary = Path::new(&temporary);
    write_new(temporary, mode, text)?;
    std::fs::rename(temporary, path).map_err(|error| {
        drop(std::fs::remove_file(temporary));
        fault("write", path, &error)
    })
}

/// Makes a folder for its owner only, and what is missing above it.
#[cfg(feature = "platform-side")]
pub(crate) fn make_folder(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| fault("make the folder", path, &error))
}

/// Reads a whole file of text.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| fault("read", path, &error))
}

/// Reads a whole file.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| fault("read", path, &error))
}

fn fault(action: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot {action} `{}`: {error}", path.display()))
}
