//! Why somebody was not let in, and why a change of identities failed.

use store::StoreError;

/// Why a bearer or a password was refused. All but [`Self::Unavailable`] are one answer (401) to
/// the outside, so that nobody can find out which tokens exist.
#[derive(Debug, thiserror::Error, Clone, PartialEq)]
pub enum AuthError {
    /// Not the shape of a token of this installation.
    #[error("the token is malformed")]
    Malformed,
    /// No such token, user, or password.
    #[error("the credentials are not known")]
    Unknown,
    /// The token has ended.
    #[error("the token has expired")]
    Expired,
    /// The token was revoked.
    #[error("the token was revoked")]
    Revoked,
    /// The user, account or organisation is not active.
    #[error("the account is not active")]
    Inactive,
    /// Too many password checks are waiting.
    #[error("too many sign-ins at once; try again shortly")]
    Busy,
    /// The store could not be asked.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// Why a change of identities failed.
#[derive(Debug, thiserror::Error, Clone, PartialEq)]
pub enum IdentityError {
    /// The first organisation exists already.
    #[error(
        "this installation already has its first organisation; sign in with the token printed then"
    )]
    AlreadyBootstrapped,
    /// There is no such organisation, user, account or token.
    #[error("there is no {what} `{id}`")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// Its id or name.
        id: String,
    },
    /// Something of that name exists already.
    #[error("a {what} called `{name}` exists already")]
    Taken {
        /// What it is.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A value breaks a rule.
    #[error("`{field}` {rule}")]
    Invalid {
        /// The field, as in the API.
        field: &'static str,
        /// The rule, as the rest of a sentence.
        rule: String,
    },
    /// The user already has as many tokens as one may have.
    #[error("the owner already has {limit} tokens; revoke one first")]
    TooManyTokens {
        /// The limit.
        limit: usize,
    },
    /// Too many passwords are being hashed.
    #[error("too many passwords are being hashed at once; try again shortly")]
    Busy,
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
