//! Completion and validation of a document in the reference's order.
//!
//! Shorthands are expanded first (an error there ends the work), then server-made values and
//! defaults are filled in, then a patch is merged over what is stored, then everything is
//! validated. Does not look at other entities; uniqueness and references are checked where
//! they live.

use serde_json::Value;

use crate::Map;
use crate::complete::Completion;
use crate::field::Schema;
use crate::merge::merge;
use crate::validate::Validation;
use crate::violations::Violations;

/// How a document is written.
#[derive(Clone, Copy, Debug)]
pub enum Mode<'a> {
    /// A new entity: defaults and server-made values are filled in.
    Insert,
    /// Replaces or creates: like insert.
    Upsert,
    /// A patch of a stored entity; afterwards the body is the whole new entity.
    Update {
        /// The entity as stored.
        stored: &'a Map,
    },
}

/// Where server-made values come from. Without makers such members stay absent.
#[derive(Clone, Copy, Debug)]
pub struct Makers {
    /// Milliseconds since 1970.
    pub unix_millis: fn() -> u64,
    /// A new UUID.
    pub uuid: fn() -> String,
    /// A new secret.
    pub secret: fn() -> String,
}

impl Schema {
    /// Completes and validates `body` in place, leaving absent server-made values absent.
    /// Members end in the order of the description.
    ///
    /// # Errors
    ///
    /// All violations; the body is then partly completed and should be thrown away.
    pub fn process(&self, body: &mut Map, mode: Mode<'_>) -> Result<(), Violations> {
        self.process_with(body, mode, None)
    }

    /// [`Schema::process`], with server-made values from `makers`.
    ///
    /// # Errors
    ///
    /// All violations; the body is then partly completed and should be thrown away.
    pub fn process_with(
        &self,
        body: &mut Map,
        mode: Mode<'_>,
        makers: Option<&Makers>,
    ) -> Result<(), Violations> {
        let update = matches!(mode, Mode::Update { .. });
        let mut completion = Completion::new(makers);
        completion.complete(self, body, update);
        if !completion.faults.is_empty() {
            return Err(completion.faults);
        }
        let mut violations = Violations::new();
        if let Mode::Update { stored } = mode {
            self.refuse_immutable(body, stored, &mut violations);
            let patch = std::mem::take(body);
            *body = merge(self, patch, stored);
            completion.complete_inner(self, body);
        }
        Validation { update }.record(self, body, &mut violations);
        if violations.is_empty() {
            Ok(())
        } else {
            Err(violations)
        }
    }

    /// Adds the aliases with a declared replacement, as the reference does on read.
    pub fn emit_shorthands(&self, body: &mut Map) {
        for shorthand in &self.shorthands {
            if let Some(path) = shorthand.emitted_from() {
                let value = lookup(body, path).cloned().unwrap_or(Value::Null);
                body.insert(shorthand.field.name.to_owned(), value);
            }
        }
        for field in &self.fields {
            if let (crate::FieldKind::Record(inner), Some(Value::Object(members))) =
                (&field.kind, body.get_mut(field.name))
            {
                inner.emit_shorthands(members);
            }
        }
    }

    fn refuse_immutable(&self, patch: &Map, stored: &Map, violations: &mut Violations) {
        for field in self.fields.iter().filter(|field| field.immutable) {
            if let Some(value) = patch.get(field.name)
                && Some(value) != stored.get(field.name)
            {
                violations.add(field.name, "immutable field cannot be updated");
            }
        }
    }
}

/// The value at a dotted path. `None` if it or a record on the way is absent.
pub(crate) fn lookup<'a>(body: &'a Map, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => body.get(path),
        Some((head, rest)) => lookup(body.get(head)?.as_object()?, rest),
    }
}
