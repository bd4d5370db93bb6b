//! Encrypting what is written to disk: AES-256-GCM with a key in a file of mode 0600.
//!
//! Sealed bytes: one byte of format (1), 12 bytes of nonce, then ciphertext and tag. The context
//! (`aad`) is not stored; opening needs the same one, so a sealed value cannot be moved to
//! another row.

use std::fmt;
use std::io::Write as _;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, RandomizedNonceKey};

use crate::Error;

const FORMAT: u8 = 1;
const KEY_LENGTH: usize = 32;
const TAG_LENGTH: usize = 16;

/// Seals and opens bytes with one key.
pub struct Sealer {
    key: RandomizedNonceKey,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Sealer([hidden])")
    }
}

impl Sealer {
    /// Makes a new key and keeps it at `path`, readable by the owner only.
    ///
    /// The file appears whole or not at all, and an existing file is never overwritten.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when the file exists already or cannot be written.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let mut key = [0; KEY_LENGTH];
        aws_lc_rs::rand::fill(&mut key)
            .map_err(|_| Error::file("create", path, std::io::Error::other("no random bytes")))?;
        write_new(path, &key).map_err(|source| Error::file("create", path, source))?;
        Self::from_key(&key)
    }

    /// Takes up the key at `path`.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when it cannot be read, [`Error::SealingKey`] when it is not a key.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let key = std::fs::read(path).map_err(|source| Error::file("read", path, source))?;
        let length = key.len();
        let key = <[u8; KEY_LENGTH]>::try_from(key).map_err(|_| Error::SealingKey {
            path: path.to_owned(),
            length,
        })?;
        Self::from_key(&key)
    }

    /// Takes up the key at `path`, or makes one when there is no file.
    ///
    /// # Errors
    ///
    /// As [`Self::load`] and [`Self::create`].
    pub fn open_or_create(path: &Path) -> Result<Self, Error> {
        if path.exists() {
            Self::load(path)
        } else {
            Self::create(path)
        }
    }

    /// Uses a key that is kept elsewhere.
    ///
    /// # Errors
    ///
    /// [`Error::Sealed`] when the cryptography library refuses it.
    pub fn from_key(key: &[u8; KEY_LENGTH]) -> Result<Self, Error> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| Error::Sealed)?;
        Ok(Self { key })
    }

    /// Encrypts `plain` for the context `aad`.
    ///
    /// # Errors
    ///
    /// [`Error::Sealed`] when the library fails, which needs more than 64 GiB of input.
    pub fn seal(&self, plain: &[u8], aad: &[u8]) -> Result<Vec<u8>, Error> {
        let mut body = Vec::with_capacity(1 + NONCE_LEN + plain.len() + TAG_LENGTH);
        body.extend_from_slice(plain);
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(aad), &mut body)
            .map_err(|_| Error::Sealed)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + body.len());
        sealed.push(FORMAT);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// Decrypts what [`Self::seal`] made for the same context.
    ///
    /// # Errors
    ///
    /// [`Error::Sealed`] when the key or the context differs or a bit was changed.
    pub fn open(&self, sealed: &[u8], aad: &[u8]) -> Result<Vec<u8>, Error> {
        let (&format, rest) = sealed.split_first().ok_or(Error::Sealed)?;
        if format != FORMAT || rest.len() < NONCE_LEN + TAG_LENGTH {
            return Err(Error::Sealed);
        }
        let (nonce, body) = rest.split_at(NONCE_LEN);
        let nonce =
            aws_lc_rs::aead::Nonce::try_assume_unique_for_key(nonce).map_err(|_| Error::Sealed)?;
        let mut body = body.to_vec();
        let length = self
            .key
            .open_in_place(nonce, Aad::from(aad), &mut body)
            .map_err(|_| Error::Sealed)?
            .len();
        body.truncate(length);
        Ok(body)
    }
}

/// Writes `bytes` to a file that must not exist, mode 0600, through a temporary file beside it.
fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;

    let mut suffix = [0; 8];
    aws_lc_rs::rand::fill(&mut suffix).map_err(|_| std::io::Error::other("no random bytes"))?;
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", hex::encode(suffix)));
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    // A hard link fails when the name is taken, where a rename would replace it.
    let linked = written.and_then(|()| std::fs::hard_link(&temporary, path));
    std::fs::remove_file(&temporary)?;
    linked
}
