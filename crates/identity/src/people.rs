//! Organisations and their users.

use store::{RecordOperation, RecordQuery, StoreError};
use uuid::Uuid;

use crate::identity::{
    ORGANISATIONS, PASSWORDS, TOKENS, USERS, put_organisation, put_password, put_user, read,
};
use crate::{Identity, IdentityError, Organisation, User, rules};

/// Longest name of a person or organisation, in characters. Compat: as in the reference.
const NAME_LONGEST: usize = 250;

impl Identity {
    /// Reads an organisation.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn organisation(&self, id: Uuid) -> Result<Option<Organisation>, IdentityError> {
        Ok(self.read(ORGANISATIONS, id).await?)
    }

    /// Reads all organisations, at most 1,000.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn organisations(&self) -> Result<Vec<Organisation>, IdentityError> {
        let records = self
            .store
            .record_list(ORGANISATIONS, RecordQuery::default())
            .await?;
        Ok(records.into_iter().map(read).collect::<Result<_, _>>()?)
    }

    /// Lets an organisation in or keeps it out, at once.
    ///
    /// # Errors
    ///
    /// When there is no such organisation or the store fails.
    pub async fn set_organisation_active(
        &self,
        id: Uuid,
        is_active: bool,
    ) -> Result<Organisation, IdentityError> {
        let _changing = self.changing.lock().await;
        let found: Option<Organisation> = self.read(ORGANISATIONS, id).await?;
        let mut organisation = found.ok_or_else(|| missing("organisation", id))?;
        organisation.is_active = is_active;
        organisation.updated_at = clock::unix_millis();
        let stored = self
            .store
            .record_batch(vec![put_organisation(&organisation)?])
            .await;
        self.cache.clear();
        stored?;
        Ok(organisation)
    }

    /// Reads a user.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn user(&self, id: Uuid) -> Result<Option<User>, IdentityError> {
        Ok(self.read(USERS, id).await?)
    }

    /// Lists the users of an organisation, at most 1,000.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn users(&self, organisation: Uuid) -> Result<Vec<User>, IdentityError> {
        let query = RecordQuery {
            owner: Some(organisation),
            ..RecordQuery::default()
        };
        let records = self.store.record_list(USERS, query).await?;
        Ok(records.into_iter().map(read).collect::<Result<_, _>>()?)
    }

    /// Adds a user to an organisation; without a password they cannot sign in with one.
    ///
    /// # Errors
    ///
    /// When the address is taken or none, the organisation is missing, or the store fails.
    pub async fn create_user(
        &self,
        organisation: Uuid,
        email: &str,
        full_name: &str,
    ) -> Result<User, IdentityError> {
        rules::length("full_name", full_name, 0, NAME_LONGEST)?;
        let _changing = self.changing.lock().await;
        if self.organisation(organisation).await?.is_none() {
            return Err(missing("organisation", organisation));
        }
        let now = clock::unix_millis();
        let user = User {
            id: clock::new_uuid(),
            organisation,
            email: rules::email(email)?,
            full_name: full_name.to_owned(),
            preferred_name: String::new(),
            is_active: true,
            created_at: now,
            updated_at: now,
        };
        match self.store.record_batch(vec![put_user(&user)?]).await {
            Ok(()) => Ok(user),
            Err(StoreError::Unique { .. }) => Err(IdentityError::Taken {
                what: "user",
                name: user.email,
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Changes the names of a user; `None` leaves one as it is.
    ///
    /// # Errors
    ///
    /// When a name is too long, there is no such user, or the store fails.
    pub async fn rename_user(
        &self,
        id: Uuid,
        full_name: Option<&str>,
        preferred_name: Option<&str>,
    ) -> Result<User, IdentityError> {
        self.change_user(id, |user| {
            if let Some(name) = full_name {
                rules::length("full_name", name, 0, NAME_LONGEST)?;
                name.clone_into(&mut user.full_name);
            }
            if let Some(name) = preferred_name {
                rules::length("preferred_name", name, 0, NAME_LONGEST)?;
                name.clone_into(&mut user.preferred_name);
            }
            Ok(())
        })
        .await
    }

    /// Lets a user in or keeps them and their tokens out, at once.
    ///
    /// # Errors
    ///
    /// When there is no such user or the store fails.
    pub async fn set_user_active(&self, id: Uuid, is_active: bool) -> Result<User, IdentityError> {
        self.change_user(id, |user| {
            user.is_active = is_active;
            Ok(())
        })
        .await
    }

    async fn change_user(
        &self,
        id: Uuid,
        change: impl FnOnce(&mut User) -> Result<(), IdentityError>,
    ) -> Result<User, IdentityError> {
        let _changing = self.changing.lock().await;
        let mut user = self.user(id).await?.ok_or_else(|| missing("user", id))?;
        change(&mut user)?;
        user.updated_at = clock::unix_millis();
        let stored = self.store.record_batch(vec![put_user(&user)?]).await;
        self.cache.clear();
        stored?;
        Ok(user)
    }

    /// Removes a user with password and tokens. The owner of an organisation stays.
    ///
    /// # Errors
    ///
    /// When there is no such user, it is the owner, or the store fails.
    pub async fn delete_user(&self, id: Uuid) -> Result<(), IdentityError> {
        let _changing = self.changing.lock().await;
        let user = self.user(id).await?.ok_or_else(|| missing("user", id))?;
        let organisation = self.organisation(user.organisation).await?;
        if organisation.is_some_and(|organisation| organisation.owner_id == id) {
            let rule = "is the owner of the organisation and has to stay".to_owned();
            return Err(IdentityError::Invalid { field: "id", rule });
        }
        let mut batch = vec![
            RecordOperation::DeleteOwned {
                space: TOKENS,
                owner: id,
            },
            RecordOperation::Delete { space: USERS, id },
        ];
        if self.store.record_get(PASSWORDS, id).await?.is_some() {
            batch.push(RecordOperation::Delete {
                space: PASSWORDS,
                id,
            });
        }
        let stored = self.store.record_batch(batch).await;
        self.cache.clear();
        Ok(stored?)
    }

    /// Sets the password of a user.
    ///
    /// # Errors
    ///
    /// When the password is too short or long, there is no such user, or the store fails.
    pub async fn set_password(&self, id: Uuid, password: &str) -> Result<(), IdentityError> {
        rules::password(password)?;
        let hash = self.hash_password(password).await?;
        let _changing = self.changing.lock().await;
        let user = self.user(id).await?.ok_or_else(|| missing("user", id))?;
        Ok(self
            .store
            .record_batch(vec![put_password(&user, &hash)])
            .await?)
    }
}

pub(crate) fn missing(what: &'static str, id: Uuid) -> IdentityError {
    IdentityError::NotFound {
        what,
        id: id.to_string(),
    }
}
