//! From what the owner has to the key of one backup.

use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::hmac;
use pki::Sealer;
use serde::{Deserialize, Serialize};

use super::error::BackupError;

/// Shortest passphrase of a new backup.
const PASSPHRASE_MIN: usize = 12;

/// Bytes of a key file.
const KEY_BYTES: usize = 32;

const SALT_BYTES: usize = 16;

/// Work of making a key from a passphrase: memory in KiB, passes, lanes.
const WORK: (u32, u32, u32) = (64 * 1024, 3, 1);

/// Most work that a head may ask for: a damaged one must not take all memory.
const MOST_WORK: (u32, u32, u32) = (1024 * 1024, 16, 16);

/// What the owner keeps.
pub(crate) enum Secret {
    /// Words that a person keeps.
    Passphrase(String),
    /// 32 random bytes.
    Key([u8; KEY_BYTES]),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret([hidden])")
    }
}

impl Secret {
    /// Reads a key file: 32 bytes, or 64 hexadecimal digits.
    pub(crate) fn from_key_file(path: &Path) -> Result<Self, BackupError> {
        let bytes = std::fs::read(path).map_err(BackupError::file("read", path))?;
        if let Ok(key) = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()) {
            return Ok(Self::Key(key));
        }
        let text = String::from_utf8(bytes).unwrap_or_default();
        let mut key = [0; KEY_BYTES];
        if text.trim().len() == 2 * KEY_BYTES && hex(text.trim(), &mut key).is_some() {
            return Ok(Self::Key(key));
        }
        Err(BackupError::Key(format!(
            "`{}` is no key: it has to hold 32 bytes, such as `openssl rand 32` makes, or 64 \
             hexadecimal digits",
            path.display()
        )))
    }

    /// Reads a passphrase from the first line of a file.
    pub(crate) fn from_passphrase_file(path: &Path) -> Result<Self, BackupError> {
        let text = std::fs::read_to_string(path).map_err(BackupError::file("read", path))?;
        let line = text.lines().next().unwrap_or_default().to_owned();
        Ok(Self::Passphrase(line))
    }

    /// Refuses what is too weak for a new backup.
    pub(super) fn check_strength(&self) -> Result<(), BackupError> {
        match self {
            Self::Passphrase(text) if text.chars().count() < PASSPHRASE_MIN => {
                Err(BackupError::Key(format!(
                    "the passphrase is too short; take at least {PASSPHRASE_MIN} characters"
                )))
            }
            Self::Passphrase(_) | Self::Key(_) => Ok(()),
        }
    }

    /// How a new backup makes its key from this.
    pub(super) fn recipe(&self) -> Recipe {
        let salt = clock::random_bytes::<SALT_BYTES>();
        match self {
            Self::Passphrase(_) => Recipe::Passphrase {
                algorithm: ARGON2ID.to_owned(),
                memory_kib: WORK.0,
                passes: WORK.1,
                lanes: WORK.2,
                salt: salt.to_vec(),
            },
            Self::Key(_) => Recipe::KeyFile {
                salt: salt.to_vec(),
            },
        }
    }

    /// The key of the backup with this head.
    pub(super) fn sealer(&self, recipe: &Recipe) -> Result<Sealer, BackupError> {
        let key = match (self, recipe) {
            (
                Self::Passphrase(text),
                Recipe::Passphrase {
                    algorithm,
                    memory_kib,
                    passes,
                    lanes,
                    salt,
                },
            ) if algorithm == ARGON2ID
                && *memory_kib <= MOST_WORK.0
                && *passes <= MOST_WORK.1
                && *lanes <= MOST_WORK.2 =>
            {
                let params = Params::new(*memory_kib, *passes, *lanes, Some(KEY_BYTES));
                let unusable = |_| BackupError::WrongKey;
                let argon = Argon2::new(
                    Algorithm::Argon2id,
                    Version::V0x13,
                    params.map_err(unusable)?,
                );
                let mut key = [0; KEY_BYTES];
                argon
                    .hash_password_into(text.as_bytes(), salt, &mut key)
                    .map_err(|_| BackupError::WrongKey)?;
                key
            }
            (Self::Key(key), Recipe::KeyFile { salt }) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, key);
                let tag = hmac::sign(&key, salt);
                <[u8; KEY_BYTES]>::try_from(tag.as_ref()).map_err(|_| BackupError::WrongKey)?
            }
            (Self::Passphrase(_), Recipe::KeyFile { .. }) => {
                return Err(BackupError::Key(
                    "the backup was sealed with a key file; name it with --key-file".to_owned(),
                ));
            }
            (Self::Key(_), Recipe::Passphrase { .. }) => {
                return Err(BackupError::Key(
                    "the backup was sealed with a passphrase; name its file with \
                     --passphrase-file"
                        .to_owned(),
                ));
            }
            _ => return Err(BackupError::WrongKey),
        };
        Sealer::from_key(&key).map_err(|_| BackupError::WrongKey)
    }
}

const ARGON2ID: &str = "argon2id";

/// How the key of a backup is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub(super) enum Recipe {
    Passphrase {
        algorithm: String,
        memory_kib: u32,
        passes: u32,
        lanes: u32,
        salt: Vec<u8>,
    },
    KeyFile {
        salt: Vec<u8>,
    },
}

fn hex(text: &str, out: &mut [u8]) -> Option<()> {
    for (place, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(())
}
