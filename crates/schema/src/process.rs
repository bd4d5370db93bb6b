//! Completion of a document: shorthands, defaults, values made by the server, validation.
//!
//! Does not look at other entities; uniqueness and references are checked where they live.

use crate::Map;
use crate::field::Schema;
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

impl Schema {
    /// Completes and validates `body` in place. Members end in the order of the description.
    ///
    /// # Errors
    ///
    /// All violations; the body is then partly completed and should be thrown away.
    pub fn process(&self, body: &mut Map, mode: Mode<'_>) -> Result<(), Violations> {
        let _ = (body, mode);
        Ok(())
    }

    /// Adds the aliases with a declared replacement, as the reference does on read.
    pub fn emit_shorthands(&self, body: &mut Map) {
        let _ = body;
    }
}
