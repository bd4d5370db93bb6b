//! Organisations, users, tokens, and the one place that decides who may do what.
//!
//! Tokens exist only as hashes: SHA-256 of 256 random bits, so a stolen database opens nothing.
//! Passwords are argon2id. Both are compared without leaking how far they agree.
//!
//! The room keeps everything in the `global` store. It does not speak HTTP, keep sessions, or know
//! what a control plane is beyond its id and organisation.

mod accounts;
mod cache;
mod error;
mod identity;
mod nouns;
mod password;
mod people;
mod permits;
mod rules;
mod secret;
mod tokens;

pub use error::{AuthError, IdentityError};
pub use identity::{Bootstrap, Identity};
pub use nouns::{
    Organisation, Principal, PrincipalKind, SystemAccount, Token, TokenOwner, TokenState, User,
};
pub use permits::{Action, Resource, ResourceKind, permits};
pub use secret::Secret;
pub use tokens::{NewToken, TokenRequest};
