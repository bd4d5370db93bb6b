//! Making, listing and ending tokens.

use serde::{Deserialize, Serialize};
use store::{Expect, RecordOperation, RecordQuery, StoreError};
use uuid::Uuid;

use crate::identity::{TOKENS, read, to_value};
use crate::people::missing;
use crate::secret::{self, Secret};
use crate::{Identity, IdentityError, Token, TokenOwner, TokenState, rules};

/// Tokens of one owner that work at the same time. Compat: as in the reference.
const TOKENS_ACTIVE: usize = 10;

/// Tokens of one owner that are remembered; ended ones beyond it are forgotten, oldest first.
const TOKENS_REMEMBERED: usize = 100;

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
    /// Its name, unique for the owner: 1 to 256 letters, digits, spaces and any of `_-.'`.
    pub name: String,
    /// When it ends, in Unix milliseconds; 1 to 365 days from now.
    pub expires_at: u64,
}

/// A token as it is kept.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredToken {
    #[serde(flatten)]
    pub(crate) token: Token,
    /// SHA-256 of the token in hexadecimal.
    pub(crate) hash: String,
}

impl StoredToken {
    pub(crate) fn make(
        owner: TokenOwner,
        organisation: Uuid,
        name: String,
        expires_at: u64,
    ) -> (Self, Secret) {
        let secret = secret::new_token(owner);
        let now = clock::unix_millis();
        let token = Token {
            id: clock::new_uuid(),
            owner,
            organisation,
            name,
            created_at: now,
            updated_at: now,
            expires_at,
            revoked_at: None,
            revoked_by: None,
        };
        let hash = hex::encode(secret::hash(secret.reveal()));
        (Self { token, hash }, secret)
    }

    pub(crate) fn put(&self, expect: Expect) -> Result<RecordOperation, IdentityError> {
        let owner = self.token.owner.id();
        Ok(RecordOperation::Put {
            space: TOKENS,
            id: self.token.id,
            owner,
            body: to_value(self)?,
            unique: vec![
                ("hash", self.hash.clone()),
                ("name", format!("{owner}/{}", self.token.name)),
            ],
            expect,
        })
    }
}

impl Identity {
    /// Makes a token.
    ///
    /// # Errors
    ///
    /// When a rule is broken, the owner is missing or has too many, or the store fails.
    pub async fn create_token(&self, request: TokenRequest) -> Result<NewToken, IdentityError> {
        let TokenRequest {
            owner,
            name,
            expires_at,
        } = request;
        let now = clock::unix_millis();
        rules::token_name(&name)?;
        rules::token_end(expires_at, now)?;
        let _changing = self.changing.lock().await;
        let organisation = self.home(owner).await?;
        let existing = self.stored_tokens(owner).await?;
        let active = existing
            .iter()
            .filter(|row| row.token.state(now) == TokenState::Active);
        if active.count() >= TOKENS_ACTIVE {
            return Err(IdentityError::TooManyTokens {
                limit: TOKENS_ACTIVE,
            });
        }
        let mut batch = forgettable(existing, now);
        let (stored, secret) = StoredToken::make(owner, organisation, name, expires_at);
        batch.push(stored.put(Expect::Absent)?);
        match self.store.record_batch(batch).await {
            Ok(()) => Ok(NewToken {
                token: stored.token,
                secret,
            }),
            Err(StoreError::Unique { .. }) => Err(IdentityError::Taken {
                what: "token",
                name: stored.token.name,
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Lists the tokens of a user or account, the newest first; ended ones are among them.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn tokens(&self, owner: TokenOwner) -> Result<Vec<Token>, IdentityError> {
        let rows = self.stored_tokens(owner).await?;
        Ok(rows.into_iter().map(|row| row.token).collect())
    }

    /// Changes the name of a token.
    ///
    /// # Errors
    ///
    /// When the name is taken or breaks a rule, the owner has no such token, or the store fails.
    pub async fn rename_token(
        &self,
        owner: TokenOwner,
        id: Uuid,
        name: &str,
    ) -> Result<Token, IdentityError> {
        rules::token_name(name)?;
        let _changing = self.changing.lock().await;
        let mut stored = self.stored_token(owner, id).await?;
        name.clone_into(&mut stored.token.name);
        stored.token.updated_at = clock::unix_millis();
        match self
            .store
            .record_batch(vec![stored.put(Expect::Present)?])
            .await
        {
            Ok(()) => Ok(stored.token),
            Err(StoreError::Unique { .. }) => Err(IdentityError::Taken {
                what: "token",
                name: name.to_owned(),
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends a token. When this returns, nobody is let in with it any more. Ending it twice changes
    /// nothing.
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
        let _changing = self.changing.lock().await;
        let mut stored = self.stored_token(owner, id).await?;
        if stored.token.revoked_at.is_some() {
            return Ok(stored.token);
        }
        let now = clock::unix_millis();
        stored.token.revoked_at = Some(now);
        stored.token.updated_at = now;
        stored.token.revoked_by = revoked_by;
        let written = self
            .store
            .record_batch(vec![stored.put(Expect::Present)?])
            .await;
        // After the write: what was read before it is not remembered (see `Generation`).
        self.cache.forget(id);
        written?;
        Ok(stored.token)
    }

    /// Ends a token and forgets it.
    ///
    /// # Errors
    ///
    /// When the owner has no such token, or the store fails.
    pub async fn delete_token(&self, owner: TokenOwner, id: Uuid) -> Result<(), IdentityError> {
        let _changing = self.changing.lock().await;
        self.stored_token(owner, id).await?;
        let written = self.store.record_delete(TOKENS, id).await;
        self.cache.forget(id);
        Ok(written?)
    }

    /// The organisation of an owner.
    async fn home(&self, owner: TokenOwner) -> Result<Uuid, IdentityError> {
        match owner {
            TokenOwner::User(id) => {
                let user = self.user(id).await?.ok_or_else(|| missing("user", id))?;
                Ok(user.organisation)
            }
            TokenOwner::SystemAccount(id) => {
                let account = self.system_account(id).await?;
                Ok(account
                    .ok_or_else(|| missing("system account", id))?
                    .organisation)
            }
        }
    }

    async fn stored_tokens(&self, owner: TokenOwner) -> Result<Vec<StoredToken>, IdentityError> {
        let query = RecordQuery {
            owner: Some(owner.id()),
            ..RecordQuery::default()
        };
        let records = self.store.record_list(TOKENS, query).await?;
        let rows: Result<Vec<StoredToken>, _> = records.into_iter().map(read).collect();
        let mut rows = rows?;
        rows.sort_by_key(|row| std::cmp::Reverse((row.token.created_at, row.token.id)));
        Ok(rows)
    }

    async fn stored_token(
        &self,
        owner: TokenOwner,
        id: Uuid,
    ) -> Result<StoredToken, IdentityError> {
        let found: Option<StoredToken> = self.read(TOKENS, id).await?;
        found
            .filter(|row| row.token.owner == owner)
            .ok_or_else(|| missing("token", id))
    }
}

/// Removals of the oldest ended tokens, so that one more fits.
fn forgettable(existing: Vec<StoredToken>, now: u64) -> Vec<RecordOperation> {
    let surplus = (existing.len() + 1).saturating_sub(TOKENS_REMEMBERED);
    let ended = existing
        .into_iter()
        .rev()
        .filter(|row| row.token.state(now) != TokenState::Active);
    ended
        .take(surplus)
        .map(|row| RecordOperation::Delete {
            space: TOKENS,
            id: row.token.id,
        })
        .collect()
}
