//! The text of tokens, and what is kept of it.

use aws_lc_rs::digest::{SHA256, digest};

use crate::{AuthError, TokenOwner};

/// Characters after the prefix: 43 of 62 possible ones carry 256 bits.
const RANDOM_LENGTH: usize = 43;

const PERSONAL: &str = "kpat_";
const SYSTEM: &str = "spat_";

/// A secret that is shown once. Prints as a placeholder.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// SHA-256 of a token. The token has 256 random bits, so nothing slower is needed.
pub(crate) type TokenHash = [u8; 32];

/// Makes a token for an owner.
pub(crate) fn new_token(owner: TokenOwner) -> Secret {
    let prefix = match owner {
        TokenOwner::User(_) => PERSONAL,
        TokenOwner::SystemAccount(_) => SYSTEM,
    };
    Secret(format!(
        "{prefix}{}",
        clock::random_alphanumeric(RANDOM_LENGTH)
    ))
}

/// What is kept of a token.
pub(crate) fn hash(token: &str) -> TokenHash {
    let mut hash = TokenHash::default();
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
}

/// Whether a text has the shape of a token, and whether a system account's.
pub(crate) fn is_system_token(token: &str) -> Result<bool, AuthError> {
    let (rest, is_system) = match (token.strip_prefix(PERSONAL), token.strip_prefix(SYSTEM)) {
        (Some(rest), _) => (rest, false),
        (None, Some(rest)) => (rest, true),
        (None, None) => return Err(AuthError::Malformed),
    };
    let is_whole = rest.len() == RANDOM_LENGTH && rest.bytes().all(|b| b.is_ascii_alphanumeric());
    if is_whole {
        Ok(is_system)
    } else {
        Err(AuthError::Malformed)
    }
}

/// Compares without telling by its time how far the two agree.
pub(crate) fn is_equal(one: &[u8], other: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}
