//! Accounts of machines.

use store::{Expect, RecordOperation, RecordQuery, StoreError};
use uuid::Uuid;

use crate::identity::{ACCOUNTS, TOKENS, read, to_value};
use crate::people::missing;
use crate::{Identity, IdentityError, SystemAccount, rules};

/// Longest description, in characters.
const DESCRIPTION_LONGEST: usize = 2_000;

impl Identity {
    /// Adds a system account.
    ///
    /// # Errors
    ///
    /// When the name is taken or breaks a rule, the organisation is missing, or the store fails.
    pub async fn create_system_account(
        &self,
        organisation: Uuid,
        name: &str,
        description: &str,
    ) -> Result<SystemAccount, IdentityError> {
        rules::length("name", name, 1, 256)?;
        rules::length("description", description, 0, DESCRIPTION_LONGEST)?;
        let _changing = self.changing.lock().await;
        if self.organisation(organisation).await?.is_none() {
            return Err(missing("organisation", organisation));
        }
        let now = clock::unix_millis();
        let account = SystemAccount {
            id: clock::new_uuid(),
            organisation,
            name: name.to_owned(),
            description: description.to_owned(),
            created_at: now,
            updated_at: now,
        };
        let put = RecordOperation::Put {
            space: ACCOUNTS,
            id: account.id,
            owner: organisation,
            body: to_value(&account)?,
            unique: vec![("name", format!("{organisation}/{name}"))],
            expect: Expect::Absent,
        };
        match self.store.record_batch(vec![put]).await {
            Ok(()) => Ok(account),
            Err(StoreError::Unique { .. }) => Err(IdentityError::Taken {
                what: "system account",
                name: account.name,
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads a system account.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn system_account(&self, id: Uuid) -> Result<Option<SystemAccount>, IdentityError> {
        Ok(self.read(ACCOUNTS, id).await?)
    }

    /// Lists the system accounts of an organisation, at most 1,000.
    ///
    /// # Errors
    ///
    /// When the store fails.
    pub async fn system_accounts(
        &self,
        organisation: Uuid,
    ) -> Result<Vec<SystemAccount>, IdentityError> {
        let query = RecordQuery {
            owner: Some(organisation),
            ..RecordQuery::default()
        };
        let records = self.store.record_list(ACCOUNTS, query).await?;
        Ok(records.into_iter().map(read).collect::<Result<_, _>>()?)
    }

    /// Removes a system account with its tokens, at once.
    ///
    /// # Errors
    ///
    /// When there is none of this id or the store fails.
    pub async fn delete_system_account(&self, id: Uuid) -> Result<(), IdentityError> {
        let _changing = self.changing.lock().await;
        let batch = vec![
            RecordOperation::DeleteOwned {
                space: TOKENS,
                owner: id,
            },
            RecordOperation::Delete {
                space: ACCOUNTS,
                id,
            },
        ];
        let stored = self.store.record_batch(batch).await;
        self.cache.clear();
        match stored {
            Err(StoreError::NotFound { .. }) => Err(missing("system account", id)),
            other => Ok(other?),
        }
    }
}
