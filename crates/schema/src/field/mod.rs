//! The description of a document: schemas and their fields.
//!
//! Built once when the program starts and shared; nothing here looks at values.

mod make;
mod marks;
mod rules;

use serde_json::Value;

use crate::check::Check;
use crate::rule::{Rule, Validator};
use crate::shorthand::Shorthand;

/// The description of a record: an entity, a plugin's configuration, a nested record.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// Name of the entity or plugin; empty for nested records.
    pub name: &'static str,
    /// Members in the order in which they are stored and printed.
    pub fields: Vec<Field>,
    /// Checks over several members of this record.
    pub checks: Vec<Check>,
    /// For a plugin's configuration: checks that the reference runs on the enclosing plugin,
    /// with paths from there (`config.allow`).
    pub outer_checks: Vec<Check>,
    /// Input-only aliases.
    pub shorthands: Vec<Shorthand>,
    /// A validator of the whole record in code; its message takes the place of the record.
    pub custom: Option<Validator>,
}

impl Schema {
    /// An empty description.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    /// A nested record of these fields.
    #[must_use]
    pub fn record(fields: impl IntoIterator<Item = Field>) -> Self {
        Self::new("").fields(fields)
    }

    /// Adds a field.
    #[must_use]
    pub fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// Adds fields.
    #[must_use]
    pub fn fields(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.fields.extend(fields);
        self
    }

    /// Adds a check over several members.
    #[must_use]
    pub fn check(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    /// Adds a check that runs on the plugin around this configuration; paths start with
    /// `config.`.
    #[must_use]
    pub fn outer_check(mut self, check: Check) -> Self {
        self.outer_checks.push(check);
        self
    }

    /// Adds an input-only alias.
    #[must_use]
    pub fn shorthand(mut self, shorthand: Shorthand) -> Self {
        self.shorthands.push(shorthand);
        self
    }

    /// Sets a validator of the whole record.
    #[must_use]
    pub fn custom(mut self, validator: Validator) -> Self {
        self.custom = Some(validator);
        self
    }

    /// Says what members mean, by dotted path; lists of records are passed through.
    ///
    /// # Panics
    ///
    /// In debug builds, if there is no such member.
    #[must_use]
    pub fn describe(mut self, texts: &[(&str, &'static str)]) -> Self {
        for (path, text) in texts {
            let field = self.find_path(path);
            debug_assert!(field.is_some(), "`{}` has no member `{path}`", self.name);
            if let Some(field) = self.find_path(path) {
                field.description = text;
            }
        }
        self
    }

    fn find_path(&mut self, path: &str) -> Option<&mut Field> {
        let (name, rest) = match path.split_once('.') {
            Some((name, rest)) => (name, Some(rest)),
            None => (path, None),
        };
        let is_named = |field: &&mut Field| field.name == name;
        let field = self.fields.iter_mut().find(is_named);
        let Some(rest) = rest else {
            let aliases = self.shorthands.iter_mut().map(|alias| &mut alias.field);
            return field.or_else(|| aliases.into_iter().find(is_named));
        };
        match &mut field?.kind {
            FieldKind::Record(inner) => inner.find_path(rest),
            FieldKind::Array(element) | FieldKind::Set(element) => match &mut element.kind {
                FieldKind::Record(inner) => inner.find_path(rest),
                _ => None,
            },
            _ => None,
        }
    }

    /// The field of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// The kind of a value.
#[derive(Clone, Debug)]
pub enum FieldKind {
    /// Text, by default of at least one byte.
    String,
    /// A whole number; `80.0` counts as one.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list in which order matters.
    Array(Box<Field>),
    /// A list without duplicates, in order of first appearance.
    Set(Box<Field>),
    /// Free keys with values of one kind.
    Map {
        /// Rules of the keys.
        keys: Box<Field>,
        /// Rules of the values.
        values: Box<Field>,
    },
    /// Fixed members.
    Record(Box<Schema>),
    /// The primary key of another entity (plural name), `{"id": "…"}`.
    Foreign(&'static str),
    /// Any JSON value.
    Json,
    /// A record whose description is chosen by another member (a plugin's `config`).
    Abstract,
}

impl FieldKind {
    /// The name of the kind in schema documents.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Array(_) => "array",
            Self::Set(_) => "set",
            Self::Map { .. } => "map",
            Self::Record(_) | Self::Abstract => "record",
            Self::Foreign(_) => "foreign",
            Self::Json => "json",
        }
    }
}

/// One member of a record, or the rules of elements, keys and values.
#[derive(Clone, Debug)]
pub struct Field {
    /// Name of the member; empty for elements, keys and values.
    pub name: &'static str,
    /// Kind of the value.
    pub kind: FieldKind,
    /// Whether it must be there and not null; `None` is the default of the kind (records are
    /// required, everything else is not).
    pub required: Option<bool>,
    /// The value when it is absent on insert and upsert. `Some(Null)` is a published default.
    pub default: Option<Value>,
    /// Whether the server makes the value up when it is absent.
    pub auto: bool,
    /// Whether no two entities (of a workspace) may share the value.
    pub unique: bool,
    /// Whether uniqueness spans workspaces.
    pub unique_across_workspaces: bool,
    /// Whether it cannot be changed after insert.
    pub immutable: bool,
    /// Whether a `{vault://…}` reference may stand for the value.
    pub referenceable: bool,
    /// Whether schema documents leave out the members of this record.
    pub published_abstract: bool,
    /// Whether the reference's open-source line lacks the member. Bodies leave it out while it
    /// has no value, and the reference's schema documents do not list it; its default is what an
    /// absent value means.
    pub extension: bool,
    /// Whether the value is a secret that is sealed at rest.
    pub encrypted: bool,
    /// Whether schema documents say so; the reference does not call every secret one.
    pub published_as_secret: bool,
    /// Whether answers leave it out.
    pub write_only: bool,
    /// Whether it is accepted in input but not part of the stored entity.
    pub transient: bool,
    /// What happens on deletion of the referenced entity; foreign fields only.
    pub on_delete: Option<&'static str>,
    /// Rules in order of evaluation.
    pub rules: Vec<Rule>,
    /// The message that replaces those of the rules.
    pub err: Option<&'static str>,
    /// What it means, for people.
    pub description: &'static str,
    /// What schema documents say about the description of a member that is any JSON.
    pub json_description: Option<fn() -> Value>,
    /// Marked as going away, with what replaces it.
    pub deprecated: Option<&'static str>,
    /// What schema documents say about its going away.
    pub deprecation: Option<Deprecation>,
}

/// What schema documents say about a field that is going away.
#[derive(Clone, Debug)]
pub struct Deprecation {
    /// The sentence that clients show.
    pub message: &'static str,
    /// The default it had while it counted.
    pub old_default: Option<Value>,
}

impl Field {
    fn new(name: &'static str, kind: FieldKind) -> Self {
        Self {
            name,
            kind,
            required: None,
            default: None,
            auto: false,
            unique: false,
            unique_across_workspaces: false,
            immutable: false,
            referenceable: false,
            published_abstract: false,
            extension: false,
            encrypted: false,
            published_as_secret: false,
            write_only: false,
            transient: false,
            on_delete: None,
            rules: Vec::new(),
            err: None,
            description: "",
            json_description: None,
            deprecated: None,
            deprecation: None,
        }
    }
}
