//! Writing: drafts of what a row will be, and committing them.
//!
//! A draft is checked but not written. A dialect that has to write several rows at once (a
//! certificate with its server names) takes drafts and commits their operations together.

use entities::EntityKind;
use schema::{Map, Mode};
use serde_json::{Value, json};
use store::{Batch, Operation, StoreError};
use uuid::Uuid;

use super::error::EntityError;
use super::{Entities, Parent, Written, keys};
use crate::scope::Scope;

/// How often a change is tried again when somebody else changed the row in between.
const ATTEMPTS: usize = 16;

/// A `ttl` above this is a moment in Unix seconds, not a duration.
const LONGEST_TTL: u64 = 100_000_000;

/// A checked row that is not written yet.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// The whole row.
    pub body: Map,
    /// What writes it.
    pub operation: Operation,
    /// Whether it does not exist yet.
    pub is_new: bool,
}

impl Entities {
    /// Creates an entity.
    ///
    /// # Errors
    ///
    /// All violations of its description, or the store's reason.
    pub async fn create(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        body: Map,
        parent: Option<Parent>,
    ) -> Result<Written, EntityError> {
        writable(scope)?;
        let draft = self.draft_create(scope, kind, body, parent).await?;
        self.write(scope, kind, draft).await
    }

    /// Replaces an entity whole, or creates it: what the body does not say returns to its
    /// default. The moment of creation stays. An entity inside another parent moves.
    ///
    /// # Errors
    ///
    /// All violations of its description, or the store's reason.
    pub async fn upsert(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        key: &str,
        body: Map,
        parent: Option<Parent>,
    ) -> Result<Written, EntityError> {
        writable(scope)?;
        // Names that are only unique inside the parent are looked for there.
        let inside = parent.filter(|_| {
            let name = kind.endpoint_key.filter(|_| Uuid::try_parse(key).is_err());
            name.is_some_and(|name| !keys::is_unique_alone(kind, name))
        });
        for attempt in 1.. {
            let stored = self.find(scope, kind, key, inside).await?;
            let now = (body.clone(), parent);
            let draft = self
                .draft_upsert(scope, kind, (key, stored.as_ref()), now)
                .await?;
            match self.write(scope, kind, draft).await {
                // Somebody else made it in between; now it is replaced.
                Err(EntityError::Store(StoreError::Unique { fields, .. }))
                    if stored.is_none() && attempt < ATTEMPTS && is_key(kind, key, &fields) => {}
                outcome => return outcome,
            }
        }
        Err(EntityError::NotFound)
    }

    /// Changes what the body names: records are merged, lists and maps are replaced.
    ///
    /// # Errors
    ///
    /// [`EntityError::NotFound`], all violations of its description, or the store's reason.
    pub async fn update(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        key: &str,
        body: Map,
        parent: Option<Parent>,
    ) -> Result<Written, EntityError> {
        writable(scope)?;
        for attempt in 1.. {
            let stored = self.find(scope, kind, key, parent).await?;
            let stored = stored.ok_or(EntityError::NotFound)?;
            let draft = self.draft_update(scope, kind, stored, body.clone()).await?;
            match self.write(scope, kind, draft).await {
                Err(EntityError::Store(StoreError::Stale { .. })) if attempt < ATTEMPTS => {}
                outcome => return outcome,
            }
        }
        Err(EntityError::NotFound)
    }

    /// What creating would write.
    pub(crate) async fn draft_create(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        mut body: Map,
        parent: Option<Parent>,
    ) -> Result<Draft, EntityError> {
        set_parent(&mut body, parent);
        forget_null_id(&mut body);
        self.resolve_names(scope, kind, &mut body).await?;
        let catalogue = self.catalogue_of(scope, kind, &body, None).await?;
        catalogue.validate(kind.name, &mut body, Mode::Insert)?;
        self.check_uploaded(kind, &body)?;
        self.check_partials(scope, &catalogue, kind, &body).await?;
        let operation = Operation::Insert {
            kind: kind.name,
            body: body.clone(),
        };
        Ok(Draft {
            body,
            operation,
            is_new: true,
        })
    }

    /// What replacing or creating would write.
    pub(crate) async fn draft_upsert(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        (key, stored): (&str, Option<&Map>),
        (mut body, parent): (Map, Option<Parent>),
    ) -> Result<Draft, EntityError> {
        set_parent(&mut body, parent);
        match (stored, Uuid::try_parse(key)) {
            (Some(stored), _) => {
                copy(stored, &mut body, "id");
                if body.get("created_at").is_none_or(Value::is_null) {
                    copy(stored, &mut body, "created_at");
                }
            }
            (None, Ok(id)) => {
                body.insert("id".to_owned(), json!(id));
            }
            (None, Err(_)) => forget_null_id(&mut body),
        }
        if let (Some(name), Err(_)) = (kind.endpoint_key, Uuid::try_parse(key)) {
            body.insert(name.to_owned(), json!(key));
        }
        self.resolve_names(scope, kind, &mut body).await?;
        let catalogue = self.catalogue_of(scope, kind, &body, None).await?;
        let hash = stored.and_then(|stored| read_hash(kind, stored, &body));
        catalogue.validate(kind.name, &mut body, Mode::Upsert)?;
        self.check_uploaded(kind, &body)?;
        self.check_partials(scope, &catalogue, kind, &body).await?;
        if let Some(stored) = stored {
            self.check_users(scope, kind, (stored, &body)).await?;
        }
        body.extend(hash);
        let operation = Operation::Upsert {
            kind: kind.name,
            body: body.clone(),
        };
        Ok(Draft {
            body,
            operation,
            is_new: stored.is_none(),
        })
    }

    /// What changing a stored row would write.
    pub(crate) async fn draft_update(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        stored: Map,
        mut body: Map,
    ) -> Result<Draft, EntityError> {
        let id = keys::id(&stored).ok_or(EntityError::NotFound)?;
        copy(&stored, &mut body, "id");
        self.resolve_names(scope, kind, &mut body).await?;
        let hash = read_hash(kind, &stored, &body);
        let mode = Mode::Update { stored: &stored };
        let catalogue = self.catalogue_of(scope, kind, &body, Some(&stored)).await?;
        catalogue.validate(kind.name, &mut body, mode)?;
        self.check_uploaded(kind, &body)?;
        self.check_partials(scope, &catalogue, kind, &body).await?;
        self.check_users(scope, kind, (&stored, &body)).await?;
        body.extend(hash);
        let operation = Operation::UpdateFrom {
            kind: kind.name,
            id,
            previous: stored,
            body: body.clone(),
        };
        Ok(Draft {
            body,
            operation,
            is_new: false,
        })
    }

    async fn write(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        draft: Draft,
    ) -> Result<Written, EntityError> {
        let Draft {
            mut body,
            operation,
            is_new,
        } = draft;
        self.commit(scope, vec![operation]).await?;
        self.catalogue().expose(kind.name, &mut body);
        show_remaining(kind, &mut body);
        Ok(Written { body, is_new })
    }

    /// Writes all of it or nothing.
    pub(crate) async fn commit(
        &self,
        scope: &Scope,
        operations: Vec<Operation>,
    ) -> Result<(), EntityError> {
        let batch = Batch {
            control_plane: scope.control_plane,
            actor: scope.actor.clone(),
            operations,
        };
        self.source().apply(batch).await
    }
}

pub(crate) fn writable(scope: &Scope) -> Result<(), EntityError> {
    scope
        .read_only
        .map_or(Ok(()), |reason| Err(EntityError::ReadOnly(reason)))
}

fn set_parent(body: &mut Map, parent: Option<Parent>) {
    if let Some(parent) = parent {
        body.insert(parent.field.to_owned(), json!({"id": parent.id}));
    }
}

/// Whether what clashes is the key that an entity is addressed by.
fn is_key(kind: &EntityKind, key: &str, fields: &Map) -> bool {
    let name = kind.endpoint_key.filter(|_| Uuid::try_parse(key).is_err());
    name.is_some_and(|name| fields.get(name).and_then(Value::as_str) == Some(key))
}

/// The stored hash of a password when the body sends it back for the same owner: what was read
/// and is written back changes nothing. Everything else sent is a password to be hashed.
fn read_hash(kind: &EntityKind, stored: &Map, body: &Map) -> Option<(String, Value)> {
    let owner = |row: &Map| {
        row.get("consumer")
            .and_then(|owner| owner.get("id"))
            .cloned()
    };
    let hash = stored.get("password")?;
    let is_same = kind.name == "basicauth_credentials"
        && body.get("password") == Some(hash)
        && owner(body) == owner(stored);
    is_same.then(|| ("password".to_owned(), hash.clone()))
}

/// A checked body says when the row ends; readers are told how many seconds are left.
fn show_remaining(kind: &EntityKind, body: &mut Map) {
    let Some(end) = body.get("ttl").and_then(Value::as_u64) else {
        return;
    };
    if kind.has_ttl && end > LONGEST_TTL {
        let left = end.saturating_sub(clock::unix_seconds());
        body.insert("ttl".to_owned(), json!(left));
    }
}

/// A null id is one that is not said, so that one is made.
fn forget_null_id(body: &mut Map) {
    if body.get("id").is_some_and(Value::is_null) {
        body.shift_remove("id");
    }
}

fn copy(from: &Map, to: &mut Map, member: &str) {
    if let Some(value) = from.get(member) {
        to.insert(member.to_owned(), value.clone());
    }
}
