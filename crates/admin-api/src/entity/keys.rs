//! Finding entities: by id, by their other key, and by name inside other bodies.

use entities::EntityKind;
use schema::Map;
use serde_json::{Value, json};
use store::ListQuery;
use uuid::Uuid;

use super::error::{EntityError, Unresolved};
use super::{Entities, Parent};
use crate::scope::Scope;

/// Rows looked through at a time where only a scan finds a key.
const SCAN: usize = 1000;

impl Entities {
    /// The stored row of an entity addressed by id or by its other key; `None` when there is
    /// none, or none inside the parent.
    pub(crate) async fn find(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        key: &str,
        parent: Option<Parent>,
    ) -> Result<Option<Map>, EntityError> {
        let plane = scope.control_plane;
        let row = match (Uuid::try_parse(key), kind.endpoint_key) {
            (Ok(id), _) => self.source().get(plane, kind.name, id).await?,
            (Err(_), None) => None,
            (Err(_), Some(field)) if is_unique_alone(kind, field) => {
                self.source().find(plane, kind.name, field, key).await?
            }
            (Err(_), Some(field)) => self.scan(scope, kind, (field, key), parent).await?,
        };
        Ok(row.filter(|row| parent.is_none_or(|parent| is_inside(row, parent))))
    }

    /// The id of a parent addressed by id or by its other key.
    ///
    /// # Errors
    ///
    /// [`EntityError::NotFound`].
    pub async fn parent(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        key: &str,
        field: &'static str,
    ) -> Result<Parent, EntityError> {
        let row = self.find(scope, kind, key, None).await?;
        let id = row.as_ref().and_then(id).ok_or(EntityError::NotFound)?;
        Ok(Parent { field, id })
    }

    /// Replaces `{"name": …}` of foreign members by the id of what is meant.
    pub(super) async fn resolve_names(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        body: &mut Map,
    ) -> Result<(), EntityError> {
        let mut unresolved = Vec::new();
        for (field, target) in kind.foreign_fields() {
            let Some(Value::Object(given)) = body.get(field.name) else {
                continue;
            };
            let target = self.catalogue().kind(target);
            let Some((target, key)) = target.and_then(|kind| Some((kind, kind.endpoint_key?)))
            else {
                continue;
            };
            let (None, Some(Value::String(name))) = (given.get("id"), given.get(key)) else {
                continue;
            };
            let name = name.clone();
            let row = self.by_other_key(scope, target, key, &name).await?;
            match row.as_ref().and_then(id) {
                Some(id) => {
                    body.insert(field.name.to_owned(), json!({"id": id}));
                }
                None => unresolved.push(Unresolved {
                    field: field.name,
                    kind: target.name,
                    key,
                    name,
                }),
            }
        }
        if unresolved.is_empty() {
            Ok(())
        } else {
            Err(EntityError::Unresolved(unresolved))
        }
    }

    /// A row by its other key, also when that looks like an id.
    async fn by_other_key(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        key: &'static str,
        value: &str,
    ) -> Result<Option<Map>, EntityError> {
        if is_unique_alone(kind, key) {
            self.source()
                .find(scope.control_plane, kind.name, key, value)
                .await
        } else {
            self.scan(scope, kind, (key, value), None).await
        }
    }

    /// Looks for a value that is unique only inside a parent, such as a target's address.
    async fn scan(
        &self,
        scope: &Scope,
        kind: &EntityKind,
        (field, key): (&str, &str),
        parent: Option<Parent>,
    ) -> Result<Option<Map>, EntityError> {
        let mut after = None;
        loop {
            let query = ListQuery {
                size: SCAN,
                after,
                parent: parent.map(|parent| (parent.field.to_owned(), parent.id)),
                ..ListQuery::default()
            };
            let page = self
                .source()
                .list(scope.control_plane, kind.name, query)
                .await?;
            let is_meant = |row: &Map| row.get(field).and_then(Value::as_str) == Some(key);
            if let Some(row) = page.rows.into_iter().find(is_meant) {
                return Ok(Some(row));
            }
            after = page.next;
            if after.is_none() {
                return Ok(None);
            }
        }
    }
}

/// The id in a body.
pub(crate) fn id(body: &Map) -> Option<Uuid> {
    Uuid::try_parse(body.get("id")?.as_str()?).ok()
}

/// Whether no two rows of a control plane have the same value, whatever their parents.
pub(crate) fn is_unique_alone(kind: &EntityKind, field: &str) -> bool {
    kind.cache_key == [field] || kind.schema.find(field).is_some_and(|field| field.unique)
}

fn is_inside(row: &Map, parent: Parent) -> bool {
    let id = row
        .get(parent.field)
        .and_then(|value| value.get("id").or(Some(value)));
    let id = id
        .and_then(Value::as_str)
        .and_then(|text| Uuid::try_parse(text).ok());
    id == Some(parent.id)
}
