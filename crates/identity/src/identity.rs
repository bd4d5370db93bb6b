//! The service that everybody asks.

use store::Store;
use uuid::Uuid;

use crate::{
    AuthError, IdentityError, Organisation, Principal, Secret, SystemAccount, Token, TokenOwner,
    User,
};

/// What [`Identity::bootstrap`] made. The secrets are shown once and kept nowhere.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    /// The first organisation.
    pub organisation: Organisation,
    /// Its administrator.
    pub user: User,
    /// The administrator's password.
    pub password: Secret,
    /// A personal token of theirs (`kpat_…`).
    pub token: Secret,
}

/// A token that was just made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What is known about it.
    pub token: Token,
    /// The token itself, shown once.
    pub secret: Secret,
}

/// What a token shall be.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// Whom it speaks for.
    pub owner: TokenOwner,
    /// Its name, unique for the owner; 1 to 256 characters.
    pub name: String,
    /// When it ends, in Unix milliseconds; 1 to 365 days from now.
    pub expires_at: u64,
}

/// Organisations, users and tokens of an installation. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Identity {
    store: Store,
}

fn pending<T>() -> Result<T, IdentityError> {
    Err(IdentityError::Busy)
}

#[expect(clippy::unused_async, reason = "signatures first; the bodies follow")]
impl Identity {
    /// Works on the global store.
    #[must_use]
    pub fn open(store: Store) -> Self {
        Self { store }
    }

    /// Makes the first organisation and its administrator, once in the life of an installation.
    ///
    /// # Errors
    ///
    /// When that was done before, the address is none, or the store fails.
    pub async fn bootstrap(
        &self,
        organisation_name: &str,
        admin_email: &str,
    ) -> Result<Bootstrap, IdentityError> {
        let _ = (&self.store, organisation_name, admin_email);
        pending()
    }

    /// Whether [`bootstrap`](Self::bootstrap) was done.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn is_bootstrapped(&self) -> Result<bool, IdentityError> {
        pending()
    }

    /// Finds out who comes with a bearer token (the text after `Bearer `).
    ///
    /// # Errors
    ///
    /// When the token does not let anybody in.
    pub async fn authenticate(&self, bearer: &str) -> Result<Principal, AuthError> {
        let _ = bearer;
        Err(AuthError::Unknown)
    }

    /// Checks a password.
    ///
    /// # Errors
    ///
    /// When it does not let anybody in, or too many checks are waiting.
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<Principal, AuthError> {
        let _ = (email, password);
        Err(AuthError::Unknown)
    }

    /// Reads an organisation.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn organisation(&self, id: Uuid) -> Result<Option<Organisation>, IdentityError> {
        let _ = id;
        pending()
    }

    /// Reads a user.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn user(&self, id: Uuid) -> Result<Option<User>, IdentityError> {
        let _ = id;
        pending()
    }

    /// Lists the users of an organisation, at most 1,000.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn users(&self, organisation: Uuid) -> Result<Vec<User>, IdentityError> {
        let _ = organisation;
        pending()
    }

    /// Adds a system account.
    ///
    /// # Errors
    ///
    /// When the name is taken or breaks a rule, or the store fails.
    pub async fn create_system_account(
        &self,
        organisation: Uuid,
        name: &str,
        description: &str,
    ) -> Result<SystemAccount, IdentityError> {
        let _ = (organisation, name, description);
        pending()
    }

    /// Makes a token.
    ///
    /// # Errors
    ///
    /// When a rule is broken, the owner has too many, or the store fails.
    pub async fn create_token(&self, request: TokenRequest) -> Result<NewToken, IdentityError> {
        let _ = request;
        pending()
    }

    /// Lists the tokens of a user or account.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn tokens(&self, owner: TokenOwner) -> Result<Vec<Token>, IdentityError> {
        let _ = owner;
        pending()
    }

    /// Ends a token at once.
    ///
    /// # Errors
    ///
    /// When the owner has no such token, or the store fails.
    pub async fn revoke_token(
        &self,
        owner: TokenOwner,
        id: Uuid,
        revoked_by: Option<Uuid>,
    ) -> Result<Token, IdentityError> {
        let _ = (owner, id, revoked_by);
        pending()
    }
}
