//! The service that everybody asks: its state, the start of an installation, letting people in.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use store::{Expect, Record, RecordOperation, Store, StoreError};
use tokio::sync::Mutex;
use tokio::sync::broadcast::error::RecvError;
use uuid::Uuid;

use crate::cache::Cache;
use crate::password::{LONGEST, Passwords};
use crate::rules;
use crate::secret::{self, Secret};
use crate::tokens::StoredToken;
use crate::{
    AuthError, IdentityError, Organisation, Principal, PrincipalKind, SystemAccount, TokenOwner,
    TokenState, User,
};

pub(crate) const ORGANISATIONS: &str = "organisation";
pub(crate) const USERS: &str = "user";
pub(crate) const PASSWORDS: &str = "password";
pub(crate) const ACCOUNTS: &str = "system_account";
pub(crate) const TOKENS: &str = "token";
const INSTALLATION: &str = "installation";

/// The one record that says that the first organisation was made.
const BOOTSTRAPPED: Uuid = Uuid::from_u128(1);

/// Characters of the password that [`Identity::bootstrap`] makes.
const PASSWORD_LENGTH: usize = 24;

/// What [`Identity::bootstrap`] made. The secrets are shown once and kept nowhere.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    /// The first organisation.
    pub organisation: Organisation,
    /// Its administrator.
    pub user: User,
    /// The administrator's password.
    pub password: Secret,
    /// A personal token of theirs (`kpat_…`), good for 365 days.
    pub token: Secret,
}

/// Organisations, users and tokens of an installation. Cheap to clone; all clones share one cache.
#[derive(Clone)]
pub struct Identity {
    pub(crate) store: Store,
    pub(crate) cache: Arc<Cache>,
    pub(crate) passwords: Passwords,
    /// Changes happen one after the other, so that a limit that was checked still holds.
    pub(crate) changing: Arc<Mutex<()>>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// Works on the global store. A store has one `Identity` (and its clones): a second one would
    /// not learn at once what the first one revokes.
    #[must_use]
    pub fn open(store: Store) -> Self {
        let (cache, changing) = (Arc::default(), Arc::default());
        Self {
            store,
            cache,
            passwords: Passwords::new(),
            changing,
        }
    }

    /// Forgets remembered tokens whenever another process changes something in the same store, as
    /// long as it is polled. Ends with the store.
    pub async fn follow_others(&self) {
        let mut changes = self.store.subscribe();
        loop {
            match changes.recv().await {
                Ok(changed) if changed.control_plane.is_nil() => self.cache.clear(),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => self.cache.clear(),
                Err(RecvError::Closed) => return,
            }
        }
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
        if self.is_bootstrapped().await? {
            return Err(IdentityError::AlreadyBootstrapped);
        }
        let now = clock::unix_millis();
        let (organisation, user) = first(organisation_name, admin_email, now)?;
        let password = Secret::new(clock::random_alphanumeric(PASSWORD_LENGTH));
        let hash = self.hash_password(password.reveal()).await?;
        let owner = TokenOwner::User(user.id);
        let name = "bootstrap".to_owned();
        let expires_at = now + rules::TOKEN_LIFE.end();
        let (stored, token) = StoredToken::make(owner, organisation.id, name, expires_at);
        let batch = vec![
            put_new(
                INSTALLATION,
                BOOTSTRAPPED,
                organisation.id,
                json!({ "at": now }),
                vec![],
            ),
            put_organisation(&organisation)?,
            put_user(&user)?,
            put_password(&user, &hash),
            stored.put(Expect::Absent)?,
        ];
        match self.store.record_batch(batch).await {
            Ok(()) => Ok(Bootstrap {
                organisation,
                user,
                password,
                token,
            }),
            // Somebody else was faster.
            Err(StoreError::PrimaryKey { kind, .. }) if kind == INSTALLATION => {
                Err(IdentityError::AlreadyBootstrapped)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether [`bootstrap`](Self::bootstrap) was done.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn is_bootstrapped(&self) -> Result<bool, IdentityError> {
        Ok(self
            .store
            .record_get(INSTALLATION, BOOTSTRAPPED)
            .await?
            .is_some())
    }

    /// Finds out who comes with a bearer token (the text after `Bearer `).
    ///
    /// # Errors
    ///
    /// When the token does not let anybody in.
    pub async fn authenticate(&self, bearer: &str) -> Result<Principal, AuthError> {
        let is_system = secret::is_system_token(bearer)?;
        let hash = secret::hash(bearer);
        let now = clock::unix_millis();
        if let Some(principal) = self.cache.get(&hash, now) {
            return Ok(principal);
        }
        let generation = self.cache.generation();
        let text = hex::encode(hash);
        let found = self.store.record_find(TOKENS, "hash", &text).await?;
        let StoredToken { token, hash: kept } =
            found.map(read).transpose()?.ok_or(AuthError::Unknown)?;
        let is_of_system = matches!(token.owner, TokenOwner::SystemAccount(_));
        if !secret::is_equal(kept.as_bytes(), text.as_bytes()) || is_of_system != is_system {
            return Err(AuthError::Unknown);
        }
        match token.state(now) {
            TokenState::Active => {}
            TokenState::Expired => return Err(AuthError::Expired),
            TokenState::Revoked => return Err(AuthError::Revoked),
        }
        let principal = self.principal(token.owner, token.organisation).await?;
        self.cache.put(
            generation,
            hash,
            (token.id, token.expires_at),
            principal.clone(),
            now,
        );
        Ok(principal)
    }

    /// The principal of a token's owner, if all behind it are active.
    async fn principal(
        &self,
        owner: TokenOwner,
        organisation: Uuid,
    ) -> Result<Principal, AuthError> {
        let (kind, user, system_account, name, home) = match owner {
            TokenOwner::User(id) => {
                let user: User = self.read(USERS, id).await?.ok_or(AuthError::Unknown)?;
                if !user.is_active {
                    return Err(AuthError::Inactive);
                }
                let kind = PrincipalKind::PersonalToken;
                (kind, Some(id), None, user.email, user.organisation)
            }
            TokenOwner::SystemAccount(id) => {
                let account: SystemAccount =
                    self.read(ACCOUNTS, id).await?.ok_or(AuthError::Unknown)?;
                (
                    PrincipalKind::SystemToken,
                    None,
                    Some(id),
                    account.name,
                    account.organisation,
                )
            }
        };
        if home != organisation {
            return Err(AuthError::Unknown);
        }
        self.check_organisation(organisation).await?;
        Ok(Principal {
            organisation,
            user,
            system_account,
            kind,
            name,
        })
    }

    async fn check_organisation(&self, id: Uuid) -> Result<(), AuthError> {
        match self.read::<Organisation>(ORGANISATIONS, id).await? {
            Some(organisation) if organisation.is_active => Ok(()),
            Some(_) => Err(AuthError::Inactive),
            None => Err(AuthError::Unknown),
        }
    }

    /// Checks a password.
    ///
    /// # Errors
    ///
    /// When it does not let anybody in, or too many checks are waiting.
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<Principal, AuthError> {
        if password.len() > LONGEST {
            return Err(AuthError::Unknown);
        }
        let user: Option<User> = match rules::email(email) {
            Ok(email) => {
                let found = self.store.record_find(USERS, "email", &email).await?;
                found.map(read).transpose()?
            }
            Err(_) => None,
        };
        let hash = match &user {
            Some(user) => self.store.record_get(PASSWORDS, user.id).await?,
            None => None,
        };
        let hash = hash.and_then(|record| record.body["phc"].as_str().map(str::to_owned));
        let verified = self.passwords.verify(password.to_owned(), hash).await;
        let is_right = verified.map_err(|_| AuthError::Busy)?;
        let user = user.filter(|_| is_right).ok_or(AuthError::Unknown)?;
        if !user.is_active {
            return Err(AuthError::Inactive);
        }
        self.check_organisation(user.organisation).await?;
        Ok(Principal {
            organisation: user.organisation,
            user: Some(user.id),
            system_account: None,
            kind: PrincipalKind::Password,
            name: user.email,
        })
    }

    pub(crate) async fn hash_password(&self, password: &str) -> Result<String, IdentityError> {
        let hash = self.passwords.hash(password.to_owned()).await;
        // Hashing with the defaults fails only when memory does; waiting is the right advice.
        hash.ok().flatten().ok_or(IdentityError::Busy)
    }

    /// Reads a record as a noun; a damaged one counts as an error of the store.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        space: &'static str,
        id: Uuid,
    ) -> Result<Option<T>, StoreError> {
        let Some(record) = self.store.record_get(space, id).await? else {
            return Ok(None);
        };
        read(record).map(Some)
    }
}

fn first(name: &str, email: &str, now: u64) -> Result<(Organisation, User), IdentityError> {
    rules::length("name", name, 1, 250)?;
    let (organisation, user) = (clock::new_uuid(), clock::new_uuid());
    let user = User {
        id: user,
        organisation,
        email: rules::email(email)?,
        full_name: String::new(),
        preferred_name: String::new(),
        is_active: true,
        created_at: now,
        updated_at: now,
    };
    let organisation = Organisation {
        id: organisation,
        name: name.to_owned(),
        owner_id: user.id,
        login_path: rules::login_path(name),
        is_active: true,
        created_at: now,
        updated_at: now,
    };
    Ok((organisation, user))
}

pub(crate) fn read<T: DeserializeOwned>(record: Record) -> Result<T, StoreError> {
    let id = record.id;
    serde_json::from_value(record.body).map_err(|error| StoreError::Storage {
        action: format!("read the identity record `{id}`"),
        detail: error.to_string(),
    })
}

pub(crate) fn to_value(noun: &impl Serialize) -> Result<Value, IdentityError> {
    let failed = |error: serde_json::Error| StoreError::Storage {
        action: "write an identity record".to_owned(),
        detail: error.to_string(),
    };
    Ok(serde_json::to_value(noun).map_err(failed)?)
}

fn put_new(
    space: &'static str,
    id: Uuid,
    owner: Uuid,
    body: Value,
    unique: Vec<(&'static str, String)>,
) -> RecordOperation {
    RecordOperation::Put {
        space,
        id,
        owner,
        body,
        unique,
        expect: Expect::Absent,
    }
}

pub(crate) fn put_organisation(
    organisation: &Organisation,
) -> Result<RecordOperation, IdentityError> {
    Ok(RecordOperation::Put {
        space: ORGANISATIONS,
        id: organisation.id,
        owner: organisation.owner_id,
        body: to_value(organisation)?,
        unique: vec![("login_path", organisation.login_path.clone())],
        expect: Expect::Anything,
    })
}

pub(crate) fn put_user(user: &User) -> Result<RecordOperation, IdentityError> {
    Ok(RecordOperation::Put {
        space: USERS,
        id: user.id,
        owner: user.organisation,
        body: to_value(user)?,
        unique: vec![("email", user.email.clone())],
        expect: Expect::Anything,
    })
}

pub(crate) fn put_password(user: &User, hash: &str) -> RecordOperation {
    RecordOperation::Put {
        space: PASSWORDS,
        id: user.id,
        owner: user.organisation,
        body: json!({ "phc": hash }),
        unique: vec![],
        expect: Expect::Anything,
    }
}
