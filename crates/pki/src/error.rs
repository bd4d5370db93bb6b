//! What can go wrong in this room. Messages never contain key material.

use std::path::PathBuf;

/// An error of the `pki` room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("cannot {action} `{}`: {source}", path.display())]
    File {
        /// What was tried, such as `read`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A value is neither a path of a file that exists, nor PEM, nor base64 of PEM.
    #[error("`{value}` is neither an existing file, nor PEM text, nor base64 of PEM text")]
    NotPem {
        /// The beginning of the value.
        value: String,
    },
    /// PEM text holds no item of the kind that is needed, or is damaged.
    #[error("no {wanted} in the PEM text{detail}")]
    Pem {
        /// `certificate` or `private key`.
        wanted: &'static str,
        /// Empty, or a colon and the parser's reason.
        detail: String,
    },
    /// A certificate is not well-formed.
    #[error("the certificate is not well-formed: {0}")]
    Certificate(String),
    /// A private key is of a kind that is not supported, or does not belong to its certificate.
    #[error("the private key cannot be used: {0}")]
    Key(String),
    /// A certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Issue(String),
    /// Trust anchors could not be loaded.
    #[error("no trust anchors: {0}")]
    Roots(String),
    /// Sealed bytes do not open: another key, another context, or damaged.
    #[error("sealed data does not open: it was sealed with another key or was changed")]
    Sealed,
    /// A key file of a sealer is not 32 bytes long.
    #[error("`{}` is not a sealing key: it has {length} bytes where 32 are needed", path.display())]
    SealingKey {
        /// The file.
        path: PathBuf,
        /// Bytes found.
        length: usize,
    },
}

impl Error {
    pub(crate) fn file(
        action: &'static str,
        path: &std::path::Path,
        source: std::io::Error,
    ) -> Self {
        Self::File {
            action,
            path: path.to_owned(),
            source,
        }
    }
}
