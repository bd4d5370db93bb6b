//! The last accepted configuration on disk.
//!
//! Layout of `<prefix>/config.cache`: eight bytes of magic, the format version (u32, little
//! endian), the SHA-256 of what follows, then sealed bytes. Sealed are: length of the hash
//! (u32), the hash, one byte for the kind of payload, the payload as it was received. The file is
//! written beside its place, flushed, and renamed, so that it is always whole: the old one or
//! the new one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use pki::{Sealer, sha256};

const MAGIC: &[u8; 8] = b"GHCONFIG";

/// Version of the layout. An older program refuses a newer one and fetches afresh.
const FORMAT: u32 = 1;

const HEADER_LENGTH: usize = 8 + 4 + 32;

/// The place where a configuration is kept, and the key that seals it.
#[derive(Debug)]
pub struct Cache {
    path: PathBuf,
    sealer: Sealer,
}

/// A configuration as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What its origin calls it.
    pub hash: String,
    /// Its text.
    pub payload: Payload,
}

/// Text of a configuration, as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// A declarative document.
    Document(Vec<u8>),
    /// A table of the hybrid protocol.
    Table(Vec<u8>),
}

/// Why the kept configuration cannot be used or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// The bytes are not those that were written.
    #[error("`{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: &'static str,
    },
    /// The system refused to read or write.
    #[error("cannot {action} `{}`: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It was written by a newer program.
    #[error("`{}` has format {found}, this program reads {FORMAT}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Version found.
        found: u32,
    },
    /// It was sealed with another key, or sealing failed.
    #[error("`{}` cannot be sealed or opened with this node's key: {source}", path.display())]
    Seal {
        /// The file.
        path: PathBuf,
        /// What the key says.
        source: pki::Error,
    },
}

impl Cache {
    /// Keeps a configuration at `path`, sealed.
    #[must_use]
    pub const fn new(path: PathBuf, sealer: Sealer) -> Self {
        Self { path, sealer }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a configuration in place of the last one, durably.
    ///
    /// # Errors
    ///
    /// The last one is still there and whole then.
    pub fn write(&self, kept: &Kept) -> Result<(), CacheError> {
        let sealed = self.seal(kept)?;
        let beside = self.path.with_extension("cache.new");
        let written = write_durably(&beside, &sealed);
        let renamed = written.and_then(|()| fs::rename(&beside, &self.path));
        if renamed.is_err() {
            // What could not be written whole only takes room on a full disk.
            drop(fs::remove_file(&beside));
        }
        renamed
            .and_then(|()| flush_folder(&self.path))
            .map_err(|source| self.file("write", source))
    }

    /// Reads the last configuration; `None` if none was kept.
    ///
    /// # Errors
    ///
    /// It cannot be read or is not what was written.
    pub fn read(&self) -> Result<Option<Kept>, CacheError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(self.file("read", source)),
        };
        let sealed = self.unwrap(&bytes)?;
        let plain = self
            .sealer
            .open(sealed, MAGIC)
            .map_err(|source| self.locked(source))?;
        self.parse(&plain).map(Some)
    }

    /// Moves an unusable file aside, where it can be looked at, and says where.
    pub fn set_aside(&self) -> Option<PathBuf> {
        let aside = self.path.with_extension("cache.damaged");
        fs::rename(&self.path, &aside).ok().map(|()| aside)
    }

    fn seal(&self, kept: &Kept) -> Result<Vec<u8>, CacheError> {
        let (kind, payload) = match &kept.payload {
            Payload::Document(payload) => (0, payload),
            Payload::Table(payload) => (1, payload),
        };
        let mut plain = Vec::with_capacity(kept.hash.len() + payload.len() + 5);
        let hash_length = u32::try_from(kept.hash.len()).unwrap_or(u32::MAX);
        plain.extend_from_slice(&hash_length.to_le_bytes());
        plain.extend_from_slice(kept.hash.as_bytes());
        plain.push(kind);
        plain.extend_from_slice(payload);
        let sealed = self
            .sealer
            .seal(&plain, MAGIC)
            .map_err(|source| self.locked(source))?;
        let mut bytes = Vec::with_capacity(HEADER_LENGTH + sealed.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&sha256(&sealed));
        bytes.extend_from_slice(&sealed);
        Ok(bytes)
    }

    /// Checks everything outside the seal and gives the sealed part.
    fn unwrap<'b>(&self, bytes: &'b [u8]) -> Result<&'b [u8], CacheError> {
        let (magic, rest) = bytes
            .split_first_chunk::<8>()
            .ok_or_else(|| self.damaged("it is too short"))?;
        if magic != MAGIC {
            return Err(self.damaged("it does not begin as such a file does"));
        }
        let (format, rest) = rest
            .split_first_chunk::<4>()
            .ok_or_else(|| self.damaged("it is too short"))?;
        let found = u32::from_le_bytes(*format);
        if found != FORMAT {
            let path = self.path.clone();
            return Err(CacheError::Format { path, found });
        }
        let (sum, sealed) = rest
            .split_first_chunk::<32>()
            .ok_or_else(|| self.damaged("it is too short"))?;
        if *sum != sha256(sealed) {
            return Err(self.damaged("its checksum does not fit"));
        }
        Ok(sealed)
    }

    fn parse(&self, plain: &[u8]) -> Result<Kept, CacheError> {
        let short = || self.damaged("its content is too short");
        let (length, rest) = plain.split_first_chunk::<4>().ok_or_else(short)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| short())?;
        let (hash, rest) = rest.split_at_checked(length).ok_or_else(short)?;
        let (kind, payload) = rest.split_first().ok_or_else(short)?;
        let hash = std::str::from_utf8(hash).map_err(|_| self.damaged("its hash is no text"))?;
        let payload = payload.to_vec();
        Ok(Kept {
            hash: hash.to_owned(),
            payload: match kind {
                0 => Payload::Document(payload),
                1 => Payload::Table(payload),
                _ => return Err(self.damaged("its kind is unknown")),
            },
        })
    }

    fn damaged(&self, reason: &'static str) -> CacheError {
        let path = self.path.clone();
        CacheError::Damaged { path, reason }
    }

    fn file(&self, action: &'static str, source: io::Error) -> CacheError {
        CacheError::File {
            action,
            path: self.path.clone(),
            source,
        }
    }

    fn locked(&self, source: pki::Error) -> CacheError {
        CacheError::Seal {
            path: self.path.clone(),
            source,
        }
    }
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a rename in a folder durable.
fn flush_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
