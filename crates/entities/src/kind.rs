//! What is known about a kind of entity besides its fields.

use schema::{Map, Schema};
use uuid::Uuid;

use crate::ids::IdContext;
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
    /// Its primary key (`id` nearly everywhere).
    pub primary_key: &'static str,
    /// Its fields and checks.
    pub schema: Schema,
    /// Checks in code that need what a plain check does not see.
    pub(crate) id_rule: (),
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
            primary_key: "id",
            schema,
            id_rule: (),
        }
    }

    /// What must be unique about this body. Null members do not collide, except inside the
    /// cache key of plugins, whose nulls count.
    #[must_use]
    pub fn unique_keys(&self, body: &Map) -> Vec<UniqueKey> {
        let _ = body;
        Vec::new()
    }

    /// The references this body holds.
    #[must_use]
    pub fn references(&self, body: &Map) -> Vec<Reference> {
        let _ = (body, OnDelete::Restrict);
        Vec::new()
    }

    /// The id that follows from the body; `None` means that a random one is due.
    #[must_use]
    pub fn generated_id(&self, body: &Map, context: IdContext<'_>) -> Option<Uuid> {
        let _ = (body, context);
        None
    }
}
