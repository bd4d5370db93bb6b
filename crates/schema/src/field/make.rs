//! Making fields: one constructor a kind, and the usual value types.

use super::{Field, FieldKind, Schema};
use crate::pattern::Pattern;
use crate::validators;

/// The constructors.
impl Field {
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
        Self::string("id")
            .uuid()
            .auto()
            .describe("UUID; made up when it is left out.")
    }

    /// Seconds since 1970 of the insert.
    #[must_use]
    pub fn created_at() -> Self {
        Self::integer("created_at")
            .timestamp()
            .auto()
            .describe("Second since 1970 at which it was made.")
    }

    /// Seconds since 1970 of the last write.
    #[must_use]
    pub fn updated_at() -> Self {
        Self::integer("updated_at")
            .timestamp()
            .auto()
            .describe("Second since 1970 of the last write; what is sent is ignored.")
    }

    /// The usual set of tags.
    #[must_use]
    pub fn tags() -> Self {
        let element = Self::string("").required().custom("tag", validators::tag);
        Self::set("tags", element).describe("Words to find it by, without `,` and `/`.")
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
