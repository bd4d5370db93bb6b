//! One description of a document, from which everything else is derived.
//!
//! A [`Schema`] says which members a document has, of what kind, with which rules and
//! defaults. From that one description come validation and completion
//! ([`Schema::process`]), the JSON Schema ([`Schema::json_schema`]) and the reference's own
//! schema document ([`Schema::admin_form`]). Messages and their order are those of the
//! reference, byte for byte, because clients match on them.
//!
//! This room knows no entity, no plugin and no storage; uniqueness and references are marks
//! on fields that other rooms act on.

mod check;
mod check_apply;
mod complete;
mod field;
mod form;
mod json_schema;
mod lua_text;
mod merge;
mod outline;
mod packed;
mod pattern;
mod process;
mod read;
mod regex_check;
mod rule;
#[doc(hidden)]
pub mod sample;
mod shorthand;
mod validate;
pub mod validators;
mod violations;

pub use check::{Check, Condition, CustomCheck, Failure};
pub use field::{Deprecation, Field, FieldKind, Schema};
pub use lua_text::table_text;
pub use outline::Line;
pub use packed::Packed;
pub use pattern::Pattern;
pub use process::{Makers, Mode};
pub use read::{DecodeError, Reader, whole_number};
pub use regex_check::compile_error;
pub use rule::{Rule, Validator};
pub use shorthand::{Expansion, Shorthand};
pub use violations::{Violation, Violations};

/// The body of an entity: members in the order of their description.
pub type Map = serde_json::Map<String, serde_json::Value>;
