//! The nouns. Moments are Unix milliseconds.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An organisation: the tenant that everything belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Its id.
    pub id: Uuid,
    /// Its name, for people.
    pub name: String,
    /// The user who made it.
    pub owner_id: Uuid,
    /// Its name in addresses: lower case, digits, dashes.
    pub login_path: String,
    /// Whether it may be used; an inactive one lets nobody in.
    pub is_active: bool,
    /// When it was made.
    pub created_at: u64,
    /// When it was last changed.
    pub updated_at: u64,
}

/// A person in an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Their id.
    pub id: Uuid,
    /// Their organisation.
    pub organisation: Uuid,
    /// Their e-mail address in lower case, unique in the installation.
    pub email: String,
    /// Their name; empty when never given.
    pub full_name: String,
    /// What they want to be called; empty when never given.
    pub preferred_name: String,
    /// Whether they may sign in.
    pub is_active: bool,
    /// When they joined.
    pub created_at: u64,
    /// When they were last changed.
    pub updated_at: u64,
}

/// An account of a machine in an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemAccount {
    /// Its id.
    pub id: Uuid,
    /// Its organisation.
    pub organisation: Uuid,
    /// Its name, unique in the organisation.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// When it was made.
    pub created_at: u64,
    /// When it was last changed.
    pub updated_at: u64,
}

/// Whom a token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenOwner {
    /// A person (`kpat_…`).
    User(Uuid),
    /// A machine (`spat_…`).
    SystemAccount(Uuid),
}

impl TokenOwner {
    /// The id of the user or account.
    #[must_use]
    pub fn id(self) -> Uuid {
        match self {
            Self::User(id) | Self::SystemAccount(id) => id,
        }
    }
}

/// Whether a token works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// It works.
    Active,
    /// It has ended.
    Expired,
    /// It was ended by somebody.
    Revoked,
}

/// What is known about a token; not the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its id.
    pub id: Uuid,
    /// Whom it speaks for.
    pub owner: TokenOwner,
    /// The organisation of the owner.
    pub organisation: Uuid,
    /// Its name, unique for the owner.
    pub name: String,
    /// When it was made.
    pub created_at: u64,
    /// When it was last changed.
    pub updated_at: u64,
    /// When it ends.
    pub expires_at: u64,
    /// When it was revoked.
    pub revoked_at: Option<u64>,
    /// Who revoked it.
    pub revoked_by: Option<Uuid>,
}

impl Token {
    /// Whether it works at a moment.
    #[must_use]
    pub fn state(&self, now_millis: u64) -> TokenState {
        if self.revoked_at.is_some() {
            TokenState::Revoked
        } else if now_millis >= self.expires_at {
            TokenState::Expired
        } else {
            TokenState::Active
        }
    }
}

/// What kind of credential somebody came with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrincipalKind {
    /// A personal access token.
    PersonalToken,
    /// A token of a system account.
    SystemToken,
    /// A password.
    Password,
}

/// Somebody who was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Their organisation.
    pub organisation: Uuid,
    /// The person; `None` for a system account.
    pub user: Option<Uuid>,
    /// The system account; `None` for a person.
    pub system_account: Option<Uuid>,
    /// What they came with.
    pub kind: PrincipalKind,
    /// E-mail address of the person or name of the account, for logs and the audit trail.
    pub name: String,
}

impl Principal {
    /// The id to write into an audit row.
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        self.user.or(self.system_account)
    }
}
