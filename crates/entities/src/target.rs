//! Targets: the addresses behind an upstream.

use schema::{DecodeError, Field, Map, Reader, Schema, validators};
use serde_json::Value;
use uuid::Uuid;

use crate::kind::EntityKind;
use crate::reading;

/// The port of a target that names none.
pub const DEFAULT_PORT: u16 = 8000;

/// A target as the data path sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Id.
    pub id: Uuid,
    /// The upstream it belongs to.
    pub upstream: Uuid,
    /// Host name or address; IPv6 without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Share of the traffic; 0 gets none.
    pub weight: u16,
    /// Tags.
    pub tags: Vec<String>,
}

/// What a target is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("targets", "target", "targets", describe());
    kind.endpoint_key = Some("target");
    kind.cache_key = &["upstream", "target"];
    kind.nested = Some(("upstreams", "targets"));
    kind
}

/// What the members mean.
const MEANINGS: [(&str, &str); 5] = [
    (
        "created_at",
        "Second since 1970 at which it was made, with a fraction.",
    ),
    (
        "updated_at",
        "Second since 1970 of the last write, with a fraction.",
    ),
    ("upstream", "The upstream it belongs to."),
    (
        "target",
        "Host name or address with a port; 8000 if it has none.",
    ),
    (
        "weight",
        "Share of the requests among the targets; 0 gets none.",
    ),
];

fn describe() -> Schema {
    Schema::new("targets")
        .field(Field::id())
        .field(Field::number("created_at").timestamp().auto())
        .field(Field::number("updated_at").timestamp().auto())
        .field(
            Field::foreign("upstream", "upstreams")
                .required()
                .on_delete("cascade"),
        )
        .field(
            Field::string("target")
                .required()
                .custom("target_host_port", address),
        )
        .field(Field::integer("weight").default(100).between(0, 65535))
        .field(Field::tags())
        .describe(&MEANINGS)
}

impl TryFrom<&Map> for Target {
    type Error = DecodeError;

    fn try_from(body: &Map) -> Result<Self, DecodeError> {
        let read = Reader::new("targets", body);
        let address = read.required_text("target")?;
        let (host, port) = split(&address).ok_or_else(|| read.error("target", "an address"))?;
        Ok(Self {
            id: reading::id(&read)?,
            upstream: reading::required_foreign(&read, "upstream")?,
            host,
            port,
            weight: read.integer("weight")?.unwrap_or(100),
            tags: read.texts("tags")?,
        })
    }
}

fn address(value: &Value) -> Result<(), String> {
    let text = value.as_str().unwrap_or_default();
    validators::parse_address(text)
        .map(|_| ())
        .map_err(|_| format!("Invalid target ('{text}'); not a valid hostname or ip address"))
}

/// Host and port of an address such as `a.test:80`, `[::1]:80`, `10.0.0.1`, `::1`.
fn split(address: &str) -> Option<(String, u16)> {
    let parts = validators::parse_address(address).ok()?;
    Some((parts.host, parts.port.unwrap_or(DEFAULT_PORT)))
}
