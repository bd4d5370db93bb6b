//! Marks of a field: required, default, made by the server, unique, secret and the like.

use serde_json::Value;

use super::{Deprecation, Field, FieldKind};

/// Marks.
impl Field {
    /// Must be there and not null.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = Some(true);
        self
    }

    /// May be absent or null, which matters for records.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.required = Some(false);
        self
    }

    /// Whether it must be there, by mark or by kind.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required
            .unwrap_or(matches!(self.kind, FieldKind::Record(_)))
    }

    /// The value when it is absent.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self
    }

    /// Publishes the defaults of a record's members as the default of the record. Completion
    /// needs no such thing.
    #[must_use]
    pub fn with_members_default(mut self) -> Self {
        if let FieldKind::Record(schema) = &self.kind {
            let defaults = schema.fields.iter().filter_map(|field| {
                let value = field.default.clone().filter(|value| !value.is_null())?;
                Some((field.name.to_owned(), value))
            });
            self.default = Some(Value::Object(defaults.collect()));
        }
        self
    }

    /// Made by the server when absent.
    #[must_use]
    pub fn auto(mut self) -> Self {
        self.auto = true;
        self
    }

    /// No two entities may share it.
    #[must_use]
    pub fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    /// No two entities may share it, in any workspace.
    #[must_use]
    pub fn unique_across_workspaces(mut self) -> Self {
        self.unique = true;
        self.unique_across_workspaces = true;
        self
    }

    /// Cannot be changed.
    #[must_use]
    pub fn immutable(mut self) -> Self {
        self.immutable = true;
        self
    }

    /// May be a vault reference.
    #[must_use]
    pub fn referenceable(mut self) -> Self {
        self.referenceable = true;
        self
    }

    /// Schema documents leave out the members of this record.
    #[must_use]
    pub fn published_abstract(mut self) -> Self {
        self.published_abstract = true;
        self
    }

    /// Is unknown to the reference's open-source line: bodies leave it out while it has no
    /// value, and schema documents do not list it.
    #[must_use]
    pub fn extension(mut self) -> Self {
        self.extension = true;
        self
    }

    /// Is a secret, and schema documents say so.
    #[must_use]
    pub fn encrypted(mut self) -> Self {
        self.encrypted = true;
        self.published_as_secret = true;
        self
    }

    /// Is a secret, which schema documents do not mention.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.encrypted = true;
        self
    }

    /// Is stored and left out of answers.
    #[must_use]
    pub fn write_only(mut self) -> Self {
        self.write_only = true;
        self
    }

    /// Accepted, not stored.
    #[must_use]
    pub fn transient(mut self) -> Self {
        self.transient = true;
        self
    }

    /// `cascade` or nothing (restrict).
    #[must_use]
    pub fn on_delete(mut self, action: &'static str) -> Self {
        self.on_delete = Some(action);
        self
    }

    /// The message that replaces those of the rules.
    #[must_use]
    pub fn err(mut self, message: &'static str) -> Self {
        self.err = Some(message);
        self
    }

    /// What it means.
    #[must_use]
    pub fn describe(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Is any JSON, whose description schema documents name so.
    #[must_use]
    pub fn json_description(mut self, published: fn() -> Value) -> Self {
        self.json_description = Some(published);
        self
    }

    /// Going away, with what replaces it.
    #[must_use]
    pub fn deprecated(mut self, note: &'static str) -> Self {
        self.deprecated = Some(note);
        self
    }

    /// Going away, and schema documents say so in this sentence.
    #[must_use]
    pub fn going(mut self, message: &'static str) -> Self {
        self.deprecation = Some(Deprecation {
            message,
            old_default: None,
        });
        self
    }

    /// The same, for a field that had a default.
    #[must_use]
    pub fn going_from(mut self, message: &'static str, old_default: impl Into<Value>) -> Self {
        self.deprecation = Some(Deprecation {
            message,
            old_default: Some(old_default.into()),
        });
        self
    }
}
