//! Stores of secrets that nodes read through a vault.
//!
//! They are entities of the control plane, so that they are sealed, counted and removed with it;
//! but they have an API of their own, which never gives a value away.

use serde_json::{Map, Value, json};
use store::{Actor, Batch, ListQuery, Operation, Store, StoreError, Tables};
use uuid::Uuid;

use super::Planes;
use crate::error::{InvalidParameter, PlaneError};

const STORES: &str = "config_stores";
const SECRETS: &str = "config_store_secrets";

/// Stores per control plane.
pub const MAX_CONFIG_STORES: usize = 250;
/// Secrets per store.
pub const MAX_SECRETS: usize = 1000;
/// Characters of a store's name.
pub const MAX_STORE_NAME: usize = 100;
/// Characters of a secret's key.
pub const MAX_SECRET_KEY: usize = 512;
/// Characters of a secret's value.
pub const MAX_SECRET_VALUE: usize = 5120;

/// A store of secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigStore {
    /// Made by the server.
    pub id: Uuid,
    /// Unique in the control plane.
    pub name: String,
    /// Seconds since the epoch.
    pub created_at: u64,
    /// Seconds since the epoch.
    pub updated_at: u64,
}

/// A secret, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Made by the server.
    pub id: Uuid,
    /// Unique in its store.
    pub key: String,
    /// Seconds since the epoch.
    pub created_at: u64,
    /// Seconds since the epoch.
    pub updated_at: u64,
}

impl Planes {
    /// The stores of a control plane, by id.
    ///
    /// # Errors
    ///
    /// Only when the store cannot be read.
    pub async fn config_stores(&self, plane: Uuid) -> Result<Vec<ConfigStore>, PlaneError> {
        let rows = everything(self.entities(), plane, STORES, None).await?;
        rows.iter().map(config_store).collect()
    }

    /// One store.
    ///
    /// # Errors
    ///
    /// [`PlaneError::NotFound`].
    pub async fn config_store(&self, plane: Uuid, id: Uuid) -> Result<ConfigStore, PlaneError> {
        let row = self.entities().get(plane, STORES, id).await?;
        row.as_ref().map_or_else(|| Err(no_store(id)), config_store)
    }

    /// Creates a store, or changes the name of the one with the id.
    ///
    /// # Errors
    ///
    /// [`PlaneError::Invalid`] with all violations, [`PlaneError::NameTaken`],
    /// [`PlaneError::NotFound`].
    pub async fn write_config_store(
        &self,
        plane: Uuid,
        id: Option<Uuid>,
        name: &str,
        actor: Actor,
    ) -> Result<ConfigStore, PlaneError> {
        check("name", name, MAX_STORE_NAME)?;
        let _turn = self.inner.writing.lock().await;
        let now = clock::unix_seconds();
        let written = match id {
            Some(id) => ConfigStore {
                name: name.to_owned(),
                updated_at: now,
                ..self.config_store(plane, id).await?
            },
            None => {
                bounded(
                    self.entities().count(plane, STORES).await?,
                    MAX_CONFIG_STORES,
                )?;
                ConfigStore {
                    id: clock::new_uuid(),
                    name: name.to_owned(),
                    created_at: now,
                    updated_at: now,
                }
            }
        };
        let body = json!({
            "id": written.id,
            "name": written.name,
            "created_at": written.created_at,
            "updated_at": written.updated_at,
        });
        self.upsert(plane, actor, STORES, body).await?;
        Ok(written)
    }

    /// Removes a store; with secrets in it only by force.
    ///
    /// # Errors
    ///
    /// [`PlaneError::NotFound`], [`PlaneError::Invalid`].
    pub async fn delete_config_store(
        &self,
        plane: Uuid,
        id: Uuid,
        is_forced: bool,
        actor: Actor,
    ) -> Result<(), PlaneError> {
        let _turn = self.inner.writing.lock().await;
        let secrets = self.secrets(plane, id).await?;
        if !secrets.is_empty() && !is_forced {
            let reason = "the store holds secrets; `force=true` removes them with it";
            let fault = InvalidParameter::query("force", "required", reason);
            return Err(PlaneError::Invalid(vec![fault]));
        }
        self.remove(plane, actor, STORES, id).await
    }

    /// What nodes need of the stores of a control plane: those that a vault among `tables` reads,
    /// with their secrets, by plural name.
    pub(crate) async fn read_secrets(
        &self,
        plane: Uuid,
        tables: &Tables,
    ) -> Result<[(&'static str, Vec<Map<String, Value>>); 2], PlaneError> {
        let (mut stores, mut secrets) = (Vec::new(), Vec::new());
        let vaults = tables.get("vaults").into_iter().flatten();
        let named = vaults.filter_map(|vault| {
            let vault = vault.open();
            let id = vault.get("config")?.get("config_store_id")?.as_str()?;
            Uuid::try_parse(id).ok()
        });
        let mut named: Vec<Uuid> = named.collect();
        named.sort_unstable();
        named.dedup();
        for id in named {
            let Some(mut store) = self.entities().get(plane, STORES, id).await? else {
                // Of another member of the group, or gone: references to it lead nowhere.
                continue;
            };
            // The name is for people; members of a group may use one twice.
            store.insert("name".to_owned(), json!(id));
            stores.push(store);
            secrets.extend(everything(self.entities(), plane, SECRETS, Some(id)).await?);
        }
        Ok([(STORES, stores), (SECRETS, secrets)])
    }

    /// The secrets of a store, by id.
    ///
    /// # Errors
    ///
    /// [`PlaneError::NotFound`] when there is no such store.
    pub async fn secrets(&self, plane: Uuid, store: Uuid) -> Result<Vec<Secret>, PlaneError> {
        self.config_store(plane, store).await?;
        let rows = everything(self.entities(), plane, SECRETS, Some(store)).await?;
        rows.iter().map(secret).collect()
    }

    /// One secret.
    ///
    /// # Errors
    ///
    /// [`PlaneError::NotFound`] when there is no such store or secret.
    pub async fn secret(&self, plane: Uuid, store: Uuid, key: &str) -> Result<Secret, PlaneError> {
        let secrets = self.secrets(plane, store).await?;
        let found = secrets.into_iter().find(|secret| secret.key == key);
        found.ok_or(PlaneError::NotFound {
            noun: "secret",
            id: store,
        })
    }

    /// Writes a secret. Gives it, and whether it is new.
    ///
    /// # Errors
    ///
    /// [`PlaneError::Invalid`] with all violations; [`PlaneError::NotFound`] when there is no such
    /// store; [`PlaneError::NameTaken`] when the secret exists and may not.
    pub async fn write_secret(
        &self,
        (plane, store): (Uuid, Uuid),
        (key, value): (&str, &str),
        may_exist: bool,
        actor: Actor,
    ) -> Result<(Secret, bool), PlaneError> {
        let mut faults = faults("key", key, MAX_SECRET_KEY);
        faults.extend(self::faults("value", value, MAX_SECRET_VALUE));
        if !faults.is_empty() {
            return Err(PlaneError::Invalid(faults));
        }
        let _turn = self.inner.writing.lock().await;
        let secrets = self.secrets(plane, store).await?;
        let held = secrets.iter().find(|secret| secret.key == key);
        if held.is_some() && !may_exist {
            let name = key.to_owned();
            return Err(PlaneError::NameTaken { name });
        }
        let now = clock::unix_seconds();
        let is_new = held.is_none();
        let written = match held {
            Some(held) => Secret {
                updated_at: now,
                ..held.clone()
            },
            None => {
                bounded(secrets.len() as u64, MAX_SECRETS)?;
                Secret {
                    id: clock::new_uuid(),
                    key: key.to_owned(),
                    created_at: now,
                    updated_at: now,
                }
            }
        };
        let body = json!({
            "id": written.id,
            "config_store": {"id": store},
            "key": written.key,
            "value": value,
            "created_at": written.created_at,
            "updated_at": written.updated_at,
        });
        self.upsert(plane, actor, SECRETS, body).await?;
        Ok((written, is_new))
    }

    /// Removes a secret.
    ///
    /// # Errors
    ///
    /// [`PlaneError::NotFound`].
    pub async fn delete_secret(
        &self,
        plane: Uuid,
        store: Uuid,
        key: &str,
        actor: Actor,
    ) -> Result<(), PlaneError> {
        let _turn = self.inner.writing.lock().await;
        let secret = self.secret(plane, store, key).await?;
        self.remove(plane, actor, SECRETS, secret.id).await
    }

    fn entities(&self) -> &Store {
        self.inner.records.store()
    }

    async fn upsert(
        &self,
        plane: Uuid,
        actor: Actor,
        kind: &'static str,
        body: Value,
    ) -> Result<(), PlaneError> {
        let Value::Object(body) = body else {
            return Ok(());
        };
        let name = ["name", "key"]
            .iter()
            .find_map(|name| body.get(*name)?.as_str());
        let name = name.unwrap_or_default().to_owned();
        let batch = Batch::of_one(plane, actor, Operation::Upsert { kind, body });
        match self.entities().apply(batch).await {
            Ok(_) => Ok(()),
            Err(StoreError::Unique { .. }) => Err(PlaneError::NameTaken { name }),
            Err(other) => Err(other.into()),
        }
    }

    async fn remove(
        &self,
        plane: Uuid,
        actor: Actor,
        kind: &'static str,
        id: Uuid,
    ) -> Result<(), PlaneError> {
        let batch = Batch::of_one(plane, actor, Operation::Delete { kind, id });
        match self.entities().apply(batch).await {
            Ok(_) => Ok(()),
            Err(StoreError::NotFound { .. }) => Err(no_store(id)),
            Err(other) => Err(other.into()),
        }
    }
}

/// All rows of a kind, of one store when given. Both kinds are bounded.
async fn everything(
    store: &Store,
    plane: Uuid,
    kind: &str,
    parent: Option<Uuid>,
) -> Result<Vec<Map<String, Value>>, PlaneError> {
    let query = ListQuery {
        size: MAX_SECRETS,
        parent: parent.map(|id| ("config_store".to_owned(), id)),
        ..ListQuery::default()
    };
    Ok(store.list(plane, kind, query).await?.rows)
}

fn check(field: &str, text: &str, most: usize) -> Result<(), PlaneError> {
    let found = faults(field, text, most);
    if found.is_empty() {
        Ok(())
    } else {
        Err(PlaneError::Invalid(found))
    }
}

fn faults(field: &str, text: &str, most: usize) -> Vec<InvalidParameter> {
    if text.is_empty() {
        let fault = InvalidParameter::body(field, "min_length", "must have 1 character or more");
        return vec![fault.minimum(1)];
    }
    if text.chars().count() > most {
        let reason = format!("must have {most} characters or fewer");
        return vec![InvalidParameter::body(field, "max_length", reason).maximum(most)];
    }
    Vec::new()
}

fn bounded(held: u64, most: usize) -> Result<(), PlaneError> {
    if held < most as u64 {
        return Ok(());
    }
    let reason = format!("there are {most} already");
    let fault = InvalidParameter::body("object", "max", reason);
    Err(PlaneError::Invalid(vec![fault.maximum(most)]))
}

fn no_store(id: Uuid) -> PlaneError {
    let noun = "config store";
    PlaneError::NotFound { noun, id }
}

fn config_store(row: &Map<String, Value>) -> Result<ConfigStore, PlaneError> {
    let (id, created_at, updated_at) = common(row)?;
    Ok(ConfigStore {
        id,
        name: text(row, "name"),
        created_at,
        updated_at,
    })
}

fn secret(row: &Map<String, Value>) -> Result<Secret, PlaneError> {
    let (id, created_at, updated_at) = common(row)?;
    Ok(Secret {
        id,
        key: text(row, "key"),
        created_at,
        updated_at,
    })
}

fn common(row: &Map<String, Value>) -> Result<(Uuid, u64, u64), PlaneError> {
    let id = Uuid::try_parse(&text(row, "id"))
        .map_err(|_| PlaneError::Damaged("a stored secret has no id".to_owned()))?;
    let moment = |name: &str| row.get(name).and_then(Value::as_u64).unwrap_or_default();
    Ok((id, moment("created_at"), moment("updated_at")))
}

fn text(row: &Map<String, Value>, name: &str) -> String {
    let text = row.get(name).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}
