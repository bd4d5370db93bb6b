//! What the store has to know about entities and sealing, and who tells it.

use uuid::Uuid;

use crate::Body;

/// What the store has to know about one kind of entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindFacts {
    /// Plural name, such as `services`.
    pub name: &'static str,
    /// Whether it is part of exports and of whole replacements.
    pub is_exported: bool,
    /// Whether rows may expire through `ttl`.
    pub has_ttl: bool,
    /// Fields that are sealed at rest.
    pub sealed: Vec<&'static str>,
}

/// Values that only one row of a control plane may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueKey {
    /// The fields that are unique together, in the order of the description.
    pub fields: Vec<String>,
    /// Their values as one text; for a single field the value itself.
    pub value: String,
}

/// A reference of one row to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The referring field.
    pub field: String,
    /// Plural name of the entity referred to.
    pub kind: String,
    /// The row referred to.
    pub id: Uuid,
    /// What happens to the referring row when the other goes.
    pub on_delete: OnDelete,
    /// Whether the row referred to may be missing when the reference is written. It is then only
    /// protected from being removed.
    pub is_soft: bool,
}

/// What happens to a referring row when the row it refers to is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    /// It is removed too.
    Cascade,
    /// The removal is refused.
    Restrict,
    /// The field becomes `null`.
    SetNull,
}

impl OnDelete {
    /// How databases write it.
    pub(crate) const fn code(self) -> i16 {
        match self {
            Self::Cascade => 0,
            Self::Restrict => 1,
            Self::SetNull => 2,
        }
    }

    /// What a stored code says; an unknown one keeps the row.
    pub(crate) const fn from_code(code: i16) -> Self {
        match code {
            0 => Self::Cascade,
            2 => Self::SetNull,
            _ => Self::Restrict,
        }
    }
}

/// The entities, as far as the store is concerned. The catalogue of the `entities` room is one.
pub trait Model: Send + Sync + 'static {
    /// All kinds, referred-to ones before those that refer to them.
    fn kinds(&self) -> Vec<KindFacts>;
    /// The unique values of a row.
    fn unique_keys(&self, kind: &str, body: &Body) -> Vec<UniqueKey>;
    /// The references of a row.
    fn references(&self, kind: &str, body: &Body) -> Vec<Reference>;
}

/// A model without entities, for a store that keeps only records.
#[derive(Debug, Clone, Copy)]
pub struct NoEntities;

impl Model for NoEntities {
    fn kinds(&self) -> Vec<KindFacts> {
        Vec::new()
    }
    fn unique_keys(&self, _kind: &str, _body: &Body) -> Vec<UniqueKey> {
        Vec::new()
    }
    fn references(&self, _kind: &str, _body: &Body) -> Vec<Reference> {
        Vec::new()
    }
}

/// Seals what must not lie on the disk in clear text. The sealer of the `pki` room is one.
pub trait Seal: Send + Sync + 'static {
    /// Seals `plain`, bound to `context`.
    ///
    /// # Errors
    ///
    /// The reason, without any of the plain text.
    fn seal(&self, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, String>;
    /// Opens what was sealed with the same context.
    ///
    /// # Errors
    ///
    /// The reason: another key, another context, or damage.
    fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Vec<u8>, String>;
}

impl Seal for pki::Sealer {
    fn seal(&self, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, String> {
        Self::seal(self, plain, context).map_err(|error| error.to_string())
    }
    fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Vec<u8>, String> {
        Self::open(self, sealed, context).map_err(|error| error.to_string())
    }
}
