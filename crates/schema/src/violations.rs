//! What is wrong with a document: one tree, three renderings.
//!
//! The tree mirrors the document. It renders as the Admin API's `fields` object, as a flat
//! list of paths with messages, and as the reference's one-line message.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::lua_text;

/// The member under which messages about a whole record are rendered.
const ENTITY: &str = "@entity";

/// All violations of one record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations {
    entity: Vec<String>,
    members: BTreeMap<String, Violation>,
}

/// What is wrong below one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// The member itself.
    Text(String),
    /// Members of a record.
    Record(Violations),
    /// Elements of a list, by zero-based position.
    Elements(BTreeMap<usize, Self>),
}

impl Violations {
    /// No violations yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One violation of one member.
    #[must_use]
    pub fn of(member: &str, message: impl Into<String>) -> Self {
        let mut violations = Self::new();
        violations.add(member, message);
        violations
    }

    /// One violation of the whole record.
    #[must_use]
    pub fn of_entity(message: impl Into<String>) -> Self {
        let mut violations = Self::new();
        violations.add_entity(message);
        violations
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entity.is_empty() && self.members.is_empty()
    }

    /// Adds a message about the whole record.
    pub fn add_entity(&mut self, message: impl Into<String>) {
        self.entity.push(message.into());
    }

    /// The messages about the whole record.
    #[must_use]
    pub fn entity(&self) -> &[String] {
        &self.entity
    }

    /// The members with something wrong, sorted by name.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Violation)> {
        self.members
            .iter()
            .map(|(name, violation)| (name.as_str(), violation))
    }

    /// What is wrong at a dotted path of record members (`config.minute`).
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Violation> {
        match path.split_once('.') {
            None => self.members.get(path),
            Some((head, rest)) => match self.members.get(head)? {
                Violation::Record(inner) => inner.get(rest),
                text @ Violation::Text(_) => Some(text),
                Violation::Elements(_) => None,
            },
        }
    }

    /// Whether the member itself has something wrong.
    pub(crate) fn has(&self, member: &str) -> bool {
        self.members.contains_key(member)
    }

    /// Sets what is wrong with a member whose name is taken literally.
    pub fn set_member(&mut self, member: &str, violation: Violation) {
        self.members.insert(member.to_owned(), violation);
    }

    /// Sets the message of a dotted path of record members, replacing what was there.
    pub fn add(&mut self, path: &str, message: impl Into<String>) {
        self.set(path, Violation::Text(message.into()));
    }

    /// Sets what is wrong at a dotted path of record members, replacing what was there.
    pub fn set(&mut self, path: &str, violation: Violation) {
        match path.split_once('.') {
            None => {
                self.members.insert(path.to_owned(), violation);
            }
            Some((head, rest)) => {
                let slot = self
                    .members
                    .entry(head.to_owned())
                    .or_insert_with(|| Violation::Record(Self::new()));
                if !matches!(slot, Violation::Record(_)) {
                    *slot = Violation::Record(Self::new());
                }
                if let Violation::Record(inner) = slot {
                    inner.set(rest, violation);
                }
            }
        }
    }

    /// Takes over everything of `other`.
    pub fn merge(&mut self, other: Self) {
        self.entity.extend(other.entity);
        for (name, violation) in other.members {
            match (self.members.get_mut(&name), violation) {
                (Some(Violation::Record(mine)), Violation::Record(theirs)) => mine.merge(theirs),
                (_, violation) => {
                    self.members.insert(name, violation);
                }
            }
        }
    }

    /// The Admin API's `fields` object. Elements become arrays padded with `null`.
    #[must_use]
    pub fn fields(&self) -> Value {
        let mut object = serde_json::Map::new();
        if !self.entity.is_empty() {
            object.insert(ENTITY.to_owned(), Value::from(self.entity.clone()));
        }
        for (name, violation) in &self.members {
            object.insert(name.clone(), violation.fields());
        }
        Value::Object(object)
    }

    /// Every message with its path (`config.minute`, `paths[1]`, zero-based). Messages about a
    /// whole record carry the path of the record, which is empty for the document itself.
    pub fn iter(&self) -> impl Iterator<Item = (String, &str)> {
        let mut found = Vec::new();
        self.collect("", &mut found);
        found.into_iter()
    }

    fn collect<'a>(&'a self, path: &str, found: &mut Vec<(String, &'a str)>) {
        for message in &self.entity {
            found.push((path.to_owned(), message));
        }
        for (name, violation) in &self.members {
            let below = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            violation.collect(&below, found);
        }
    }

    /// The reference's one-line message, `schema violation (host: required field missing)`.
    ///
    /// Compat: members two levels down are named `parent.child`; deeper trees are printed as a
    /// Lua table over several lines, as the reference does.
    #[must_use]
    pub fn message(&self) -> String {
        let mut parts = self.entity.clone();
        for (name, violation) in &self.members {
            match violation.fields() {
                Value::String(text) => parts.push(format!("{name}: {text}")),
                tree => parts.extend(
                    lua_text::entries(&tree)
                        .into_iter()
                        .map(|(key, value)| format!("{name}.{key}: {}", lua_text::inner(value))),
                ),
            }
        }
        let joined = parts.join("; ");
        if parts.len() == 1 {
            format!("schema violation ({joined})")
        } else {
            format!("{} schema violations ({joined})", parts.len())
        }
    }
}

impl Violation {
    /// The rendering inside the Admin API's `fields` object.
    #[must_use]
    pub fn fields(&self) -> Value {
        match self {
            Self::Text(text) => Value::String(text.clone()),
            Self::Record(inner) => inner.fields(),
            Self::Elements(elements) => {
                let length = elements.keys().next_back().map_or(0, |last| last + 1);
                let at =
                    |position: usize| elements.get(&position).map_or(Value::Null, Self::fields);
                Value::Array((0..length).map(at).collect())
            }
        }
    }

    fn collect<'a>(&'a self, path: &str, found: &mut Vec<(String, &'a str)>) {
        match self {
            Self::Text(text) => found.push((path.to_owned(), text)),
            Self::Record(inner) => inner.collect(path, found),
            Self::Elements(elements) => {
                for (position, violation) in elements {
                    violation.collect(&format!("{path}[{position}]"), found);
                }
            }
        }
    }
}
