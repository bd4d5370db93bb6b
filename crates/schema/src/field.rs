//! The description of a document: schemas and their fields.
//!
//! Built once when the program starts and shared; nothing here looks at values.

use serde_json::Value;

use crate::check::Check;
use crate::pattern::Pattern;
use crate::rule::{Rule, Validator};
use crate::shorthand::Shorthand;
use crate::validators;

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
    /// Whether the value is a secret that is sealed at rest.
    pub encrypted: bool,
    /// Whether schema documents say so; the reference does not call every secret one.
    pub published_as_secret: bool,
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
    /// Marked as going away, with what replaces it.
    pub deprecated: Option<&'static str>,
}

/// The constructors.
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
            encrypted: false,
            published_as_secret: false,
            transient: false,
            on_delete: None,
            rules: Vec::new(),
            err: None,
            description: "",
            deprecated: None,
        }
    }

    /// Text.
    #[must_use]
    pub fn string(name: &'static str) -> Self {
        Self::new(name, FieldKind::String)
    }

    /// A whole number.
    #[must_use]
    pub fn integer(name: &'static str) -> Self {
        Self::new(name, FieldKind::Integer)
    }

    /// A number.
    #[must_use]
    pub fn number(name: &'static str) -> Self {
        Self::new(name, FieldKind::Number)
    }

    /// True or false.
    #[must_use]
    pub fn boolean(name: &'static str) -> Self {
        Self::new(name, FieldKind::Boolean)
    }

    /// A list; `elements` is built with an empty name.
    #[must_use]
    pub fn array(name: &'static str, elements: Self) -> Self {
        Self::new(name, FieldKind::Array(Box::new(elements)))
    }

    /// A list without duplicates; `elements` is built with an empty name.
    #[must_use]
    pub fn set(name: &'static str, elements: Self) -> Self {
        Self::new(name, FieldKind::Set(Box::new(elements)))
    }

    /// Free keys; `keys` and `values` are built with an empty name.
    #[must_use]
    pub fn map(name: &'static str, keys: Self, values: Self) -> Self {
        Self::new(
            name,
            FieldKind::Map {
                keys: Box::new(keys),
                values: Box::new(values),
            },
        )
    }

    /// A record; required unless said otherwise.
    #[must_use]
    pub fn record(name: &'static str, schema: Schema) -> Self {
        Self::new(name, FieldKind::Record(Box::new(schema)))
    }

    /// The primary key of an entity (plural name).
    #[must_use]
    pub fn foreign(name: &'static str, entity: &'static str) -> Self {
        Self::new(name, FieldKind::Foreign(entity))
    }

    /// Any JSON value.
    #[must_use]
    pub fn json(name: &'static str) -> Self {
        Self::new(name, FieldKind::Json)
    }

    /// A record described elsewhere.
    #[must_use]
    pub fn abstract_record(name: &'static str) -> Self {
        Self::new(name, FieldKind::Abstract)
    }

    /// The primary key of most entities: a UUID made on insert.
    #[must_use]
    pub fn id() -> Self {
        Self::string("id").uuid().auto()
    }

    /// Seconds since 1970 of the insert.
    #[must_use]
    pub fn created_at() -> Self {
        Self::integer("created_at").timestamp().auto()
    }

    /// Seconds since 1970 of the last write.
    #[must_use]
    pub fn updated_at() -> Self {
        Self::integer("updated_at").timestamp().auto()
    }

    /// The usual set of tags.
    #[must_use]
    pub fn tags() -> Self {
        let element = Self::string("").required().custom("tag", validators::tag);
        Self::set("tags", element)
    }

    /// A port, 0 to 65535.
    #[must_use]
    pub fn port(name: &'static str) -> Self {
        Self::integer(name).between(0, 65535)
    }

    /// A host name or address without a port.
    #[must_use]
    pub fn host(name: &'static str) -> Self {
        Self::string(name).custom("host", validators::host)
    }

    /// A request path.
    #[must_use]
    pub fn path(name: &'static str) -> Self {
        Self::string(name)
            .starts_with("/")
            .match_none([(Pattern::new("//", "//"), "must not have empty segments")])
            .custom("path", validators::path)
    }

    /// A URL with scheme and host.
    #[must_use]
    pub fn url(name: &'static str) -> Self {
        Self::string(name).custom("url", validators::url)
    }

    /// The name of a header.
    #[must_use]
    pub fn header_name(name: &'static str) -> Self {
        Self::string(name).custom("header_name", validators::header_name)
    }

    /// A server name for TLS.
    #[must_use]
    pub fn sni(name: &'static str) -> Self {
        Self::string(name).custom("sni", validators::sni)
    }

    /// Milliseconds, 0 to 2147483646.
    #[must_use]
    pub fn timeout(name: &'static str) -> Self {
        Self::integer(name).between(0, 2_147_483_646)
    }
}

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

    /// Going away, with what replaces it.
    #[must_use]
    pub fn deprecated(mut self, note: &'static str) -> Self {
        self.deprecated = Some(note);
        self
    }
}

/// Rules. They are kept in the order of evaluation, not in that of these calls.
impl Field {
    /// Adds a rule.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        let at = self
            .rules
            .partition_point(|present| present.rank() <= rule.rank());
        self.rules.insert(at, rule);
        self
    }

    /// Must be this value.
    #[must_use]
    pub fn eq(self, value: impl Into<Value>) -> Self {
        self.rule(Rule::Eq(value.into()))
    }

    /// Must be one of these.
    #[must_use]
    pub fn one_of<T: Into<Value>>(self, values: impl IntoIterator<Item = T>) -> Self {
        self.rule(Rule::OneOf(values.into_iter().map(Into::into).collect()))
    }

    /// Must be none of these.
    #[must_use]
    pub fn not_one_of<T: Into<Value>>(self, values: impl IntoIterator<Item = T>) -> Self {
        self.rule(Rule::NotOneOf(values.into_iter().map(Into::into).collect()))
    }

    /// Must be greater.
    #[must_use]
    pub fn gt(self, limit: impl Into<f64>) -> Self {
        self.rule(Rule::Gt(limit.into()))
    }

    /// Must be a time in seconds.
    #[must_use]
    pub fn timestamp(self) -> Self {
        self.rule(Rule::Timestamp)
    }

    /// Must be a UUID.
    #[must_use]
    pub fn uuid(self) -> Self {
        self.rule(Rule::Uuid)
    }

    /// Must be a regular expression.
    #[must_use]
    pub fn is_regex(self) -> Self {
        self.rule(Rule::IsRegex)
    }

    /// Must lie between these, both included.
    #[must_use]
    pub fn between(self, low: impl Into<f64>, high: impl Into<f64>) -> Self {
        self.rule(Rule::Between(low.into(), high.into()))
    }

    /// Must have this length.
    #[must_use]
    pub fn len_eq(self, length: usize) -> Self {
        self.rule(Rule::LenEq(length))
    }

    /// Must have at least this length; zero lifts the implied least length of texts.
    #[must_use]
    pub fn len_min(self, length: usize) -> Self {
        self.rule(Rule::LenMin(length))
    }

    /// Must have at most this length.
    #[must_use]
    pub fn len_max(self, length: usize) -> Self {
        self.rule(Rule::LenMax(length))
    }

    /// Must start with this text.
    #[must_use]
    pub fn starts_with(self, prefix: &'static str) -> Self {
        self.rule(Rule::StartsWith(prefix))
    }

    /// Must match.
    #[must_use]
    pub fn matches(self, pattern: Pattern) -> Self {
        self.rule(Rule::Match(pattern))
    }

    /// Must match none of these, each with its message.
    #[must_use]
    pub fn match_none(self, list: impl IntoIterator<Item = (Pattern, &'static str)>) -> Self {
        self.rule(Rule::MatchNone(list.into_iter().collect()))
    }

    /// Must match all of these, each with its message.
    #[must_use]
    pub fn match_all(self, list: impl IntoIterator<Item = (Pattern, &'static str)>) -> Self {
        self.rule(Rule::MatchAll(list.into_iter().collect()))
    }

    /// Must match one of these.
    #[must_use]
    pub fn match_any(self, list: impl IntoIterator<Item = Pattern>, message: &'static str) -> Self {
        self.rule(Rule::MatchAny(list.into_iter().collect(), message))
    }

    /// Must contain this element.
    #[must_use]
    pub fn contains(self, value: impl Into<Value>) -> Self {
        self.rule(Rule::Contains(value.into()))
    }

    /// Must satisfy code.
    #[must_use]
    pub fn custom(self, name: &'static str, validator: Validator) -> Self {
        self.rule(Rule::Custom(name, validator))
    }

    /// The usual rule of names: letters, digits, `.`, `-`, `_`, `~` and UTF-8.
    #[must_use]
    pub fn utf8_name(self) -> Self {
        self.custom("utf8_name", validators::utf8_name)
    }

    /// Elements may come from one of these sets only.
    #[must_use]
    pub fn exclusive_subsets(self, sets: &[&[&'static str]]) -> Self {
        self.rule(Rule::ExclusiveSubsets(
            sets.iter().map(|set| set.to_vec()).collect(),
        ))
    }
}
