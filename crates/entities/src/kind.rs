//! What is known about a kind of entity besides its fields.

use schema::{Field, FieldKind, Map, Schema};
use serde_json::Value;
use uuid::Uuid;

use crate::ids::{IdContext, derive};
use crate::reference::{OnDelete, Reference};

/// A kind of entity.
#[derive(Clone, Debug)]
pub struct EntityKind {
    /// Plural name, the key in documents and tables (`keyauth_credentials`).
    pub name: &'static str,
    /// Singular name (`keyauth_credential`).
    pub singular: &'static str,
    /// First segment of its paths (`key-auths`).
    pub path: &'static str,
    /// Parent kind and path segment below it (`consumers`, `key-auth`).
    pub nested: Option<(&'static str, &'static str)>,
    /// The field by which it can be addressed instead of the id.
    pub endpoint_key: Option<&'static str>,
    /// The fields that are unique together.
    pub cache_key: &'static [&'static str],
    /// Whether it has tags.
    pub has_tags: bool,
    /// Whether rows may expire.
    pub has_ttl: bool,
    /// Whether it belongs to a workspace.
    pub workspaced: bool,
    /// Whether it is part of configurations.
    pub exported: bool,
    /// Whether the Admin API serves it.
    pub in_admin_api: bool,
    /// Whether rows of it are kept and addressed; the others exist as descriptions only: views,
    /// counters, and what processes hold in memory.
    pub stored: bool,
    /// Whether nodes get it with their configuration; the rest of what is exported has been
    /// worked into other entities, or means nothing to a node. Secrets for vaults are delivered
    /// without being exported: files never hold them.
    pub delivered: bool,
    /// Whether the reference's open-source line lacks it.
    pub extension: bool,
    /// Its primary key (`id` nearly everywhere).
    pub primary_key: &'static str,
    /// Its fields and checks.
    pub schema: Schema,
    /// References that cascade although the schema says nothing, because the reference deletes
    /// these children first.
    pub(crate) owned_by: &'static [&'static str],
    /// Whether null parts of the cache key collide with each other.
    pub(crate) nulls_collide: bool,
    /// Fields that are part of the cache key while they have a value. Without one, keys and ids
    /// are those of the reference, which lacks the fields.
    pub(crate) cache_key_extension: &'static [&'static str],
    /// Lists of records whose `id` members refer to entities of a kind, which are then kept.
    pub(crate) referring_lists: &'static [(&'static str, &'static str)],
}

/// A value, or values together, that no two entities may share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniqueKey {
    /// The fields.
    pub fields: Vec<&'static str>,
    /// Their values as one text; equal texts collide.
    pub value: String,
    /// Whether the uniqueness spans workspaces.
    pub is_global: bool,
}

impl EntityKind {
    /// A kind with the usual marks: an `id`, tags if described, in a workspace, exported, served.
    #[must_use]
    pub(crate) fn new(
        name: &'static str,
        singular: &'static str,
        path: &'static str,
        schema: Schema,
    ) -> Self {
        Self {
            name,
            singular,
            path,
            nested: None,
            endpoint_key: None,
            cache_key: &[],
            has_tags: schema.find("tags").is_some(),
            has_ttl: false,
            workspaced: true,
            exported: true,
            in_admin_api: true,
            stored: true,
            delivered: true,
            extension: false,
            primary_key: "id",
            schema,
            owned_by: &[],
            nulls_collide: false,
            cache_key_extension: &[],
            referring_lists: &[],
        }
    }

    /// Rows are kept, but neither the Admin API nor files nor nodes get them.
    #[must_use]
    pub(crate) fn internal(mut self) -> Self {
        self.in_admin_api = false;
        self.exported = false;
        self.delivered = false;
        self
    }

    /// No rows are kept, in no workspace: a view, a counter, what a process holds in memory.
    #[must_use]
    pub(crate) fn described_only(self) -> Self {
        Self {
            workspaced: false,
            stored: false,
            ..self.internal()
        }
    }

    /// What must be unique about this body besides the primary key. Null members do not
    /// collide, except inside the cache key of plugins, whose nulls count.
    #[must_use]
    pub fn unique_keys(&self, body: &Map) -> Vec<UniqueKey> {
        let mut keys: Vec<UniqueKey> = self
            .schema
            .fields
            .iter()
            .filter(|field| field.unique && field.name != self.primary_key)
            .filter_map(|field| {
                Some(UniqueKey {
                    fields: vec![field.name],
                    value: key_text(body.get(field.name)?)?,
                    is_global: field.unique_across_workspaces || !self.workspaced,
                })
            })
            .collect();
        if self.cache_key.len() > 1 {
            // Compat: of several clashes the reference names this one.
            keys.splice(0..0, self.composite_key(body));
        }
        keys
    }

    fn composite_key(&self, body: &Map) -> Option<UniqueKey> {
        let parts = self.cache_key.iter().map(|name| {
            let part = body.get(*name).and_then(key_text);
            if part.is_none() && self.nulls_collide {
                Some(String::new())
            } else {
                part
            }
        });
        let mut values = parts.collect::<Option<Vec<_>>>()?;
        let mut fields = self.cache_key.to_vec();
        for (name, value) in self.extension_parts(body) {
            fields.push(name);
            values.push(value);
        }
        // A unit separator keeps `a` + `bc` apart from `ab` + `c`.
        let value = values.join("\u{1f}");
        Some(UniqueKey {
            fields,
            value,
            is_global: !self.workspaced,
        })
    }

    fn extension_parts(&self, body: &Map) -> impl Iterator<Item = (&'static str, String)> {
        self.cache_key_extension
            .iter()
            .filter_map(|name| Some((*name, body.get(*name).and_then(key_text)?)))
    }

    /// The references this body holds.
    #[must_use]
    pub fn references(&self, body: &Map) -> Vec<Reference> {
        let listed = self
            .referring_lists
            .iter()
            .flat_map(|list| listed(list, body));
        self.foreign_fields()
            .filter_map(|(field, kind)| {
                let text = key_text(body.get(field.name)?)?;
                let on_delete = match field.on_delete {
                    Some("cascade") => OnDelete::Cascade,
                    Some("null") => OnDelete::SetNull,
                    _ if self.owned_by.contains(&field.name) => OnDelete::Cascade,
                    _ => OnDelete::Restrict,
                };
                let id = Uuid::parse_str(&text).ok()?;
                Some(Reference {
                    field: field.name,
                    kind,
                    id,
                    on_delete,
                })
            })
            .chain(listed)
            .collect()
    }

    /// The fields that refer to other entities, each with the plural name of what it refers to.
    pub fn foreign_fields(&self) -> impl Iterator<Item = (&Field, &'static str)> {
        self.schema
            .fields
            .iter()
            .filter_map(|field| match field.kind {
                FieldKind::Foreign(kind) => Some((field, kind)),
                _ => None,
            })
    }

    /// The field of this kind that refers to that kind, if there is one.
    #[must_use]
    pub fn field_to(&self, kind: &str) -> Option<&'static str> {
        self.foreign_fields()
            .find(|(_, target)| *target == kind)
            .map(|(field, _)| field.name)
    }

    /// The id that follows from the body; `None` means that a random one is due. References in
    /// the body may be ids, `{"id": "…"}` or the texts of a document.
    #[must_use]
    pub fn generated_id(&self, body: &Map, context: IdContext<'_>) -> Option<Uuid> {
        if self.primary_key != "id" {
            return None;
        }
        if !self.cache_key.is_empty() {
            let mut key = format!("{}:*", self.name);
            for name in self.cache_key {
                key.push(':');
                key.push_str(&self.id_part(name, body, context)?);
            }
            for name in self.cache_key_extension {
                let part = self.id_part(name, body, context)?;
                if !part.is_empty() {
                    key.push(':');
                    key.push_str(&part);
                }
            }
            return Some(derive(self.name, &key));
        }
        let value = key_text(body.get(self.endpoint_key?)?)?;
        Some(derive(self.name, &value))
    }

    fn id_part(&self, name: &str, body: &Map, context: IdContext<'_>) -> Option<String> {
        let field = self.schema.find(name)?;
        if field.auto {
            return None;
        }
        if let Some((parent, id)) = context.parent
            && parent == name
        {
            return Some(id.to_string());
        }
        match body.get(name).and_then(key_text) {
            Some(text) => Some(text),
            None if field.is_required() => None,
            None => Some(String::new()),
        }
    }
}

/// The references in a list of records with an `id` each.
fn listed<'a>(
    (field, kind): &(&'static str, &'static str),
    body: &'a Map,
) -> impl Iterator<Item = Reference> + use<'a> {
    let (field, kind) = (*field, *kind);
    let items = body.get(field).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(move |item| {
        let id = Uuid::parse_str(item.get("id")?.as_str()?).ok()?;
        Some(Reference {
            field,
            kind,
            id,
            on_delete: OnDelete::Restrict,
        })
    })
}

/// The text by which a member counts in a key: plain values as they are, references by id.
fn key_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Object(key) => key.get("id").and_then(Value::as_str).map(str::to_owned),
        Value::Null | Value::Array(_) => None,
    }
}
