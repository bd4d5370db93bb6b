//! Services: where requests go.

use schema::{
    Check, Condition, DecodeError, Expansion, Field, Map, Reader, Schema, Shorthand, validators,
};
use serde_json::Value;
use uuid::Uuid;

use crate::kind::EntityKind;
use crate::protocol::Protocol;
use crate::reading;

/// Kinds of services whose requests have no path.
const WITHOUT_PATH: [&str; 5] = ["tcp", "tls", "udp", "grpc", "grpcs"];

/// A service as the data path sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Id.
    pub id: Uuid,
    /// Name, unique.
    pub name: Option<String>,
    /// How to speak to it.
    pub protocol: Protocol,
    /// Host name, address, or name of an upstream.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Base path of requests.
    pub path: Option<String>,
    /// How many times a failed try is repeated.
    pub retries: u16,
    /// Milliseconds to connect.
    pub connect_timeout: u32,
    /// Milliseconds between two writes.
    pub write_timeout: u32,
    /// Milliseconds between two reads.
    pub read_timeout: u32,
    /// Whether its routes exist.
    pub enabled: bool,
    /// Whether its certificate is verified; `None` is the node's default.
    pub tls_verify: Option<bool>,
    /// Longest accepted chain; `None` is the node's default.
    pub tls_verify_depth: Option<u8>,
    /// Certificate that is shown to it.
    pub client_certificate: Option<Uuid>,
    /// Certificates that it is verified against.
    pub ca_certificates: Vec<Uuid>,
    /// Tags.
    pub tags: Vec<String>,
}

/// What a service is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("services", "service", "services", describe());
    kind.endpoint_key = Some("name");
    kind
}

/// What the members mean.
const MEANINGS: [(&str, &str); 15] = [
    (
        "name",
        "Name, by which paths and files address the service.",
    ),
    ("retries", "How many more targets are tried when one fails."),
    ("protocol", "How the service is spoken to."),
    ("host", "Host name or address, or the name of an upstream."),
    ("port", "Port of the service."),
    (
        "path",
        "What the paths of requests are put behind; HTTP only.",
    ),
    ("connect_timeout", "Milliseconds to connect."),
    (
        "write_timeout",
        "Milliseconds between two writes of a request.",
    ),
    (
        "read_timeout",
        "Milliseconds between two reads of an answer.",
    ),
    (
        "client_certificate",
        "The certificate that is shown to the service; TLS only.",
    ),
    (
        "tls_verify",
        "Whether the certificate of the service is verified; null is what the node does by default.",
    ),
    (
        "tls_verify_depth",
        "How many certificates may stand between that of the service and a trusted one; null is what the node does by default.",
    ),
    (
        "ca_certificates",
        "Ids of the authorities that are trusted; none leaves it to the node.",
    ),
    ("enabled", "Whether its routes exist."),
    ("url", "`protocol`, `host`, `port` and `path` in one."),
];

fn describe() -> Schema {
    let timeout = |name| {
        Field::integer(name)
            .between(1, 2_147_483_646)
            .default(60000)
    };
    Schema::new("services")
        .field(Field::id())
        .field(Field::created_at())
        .field(Field::updated_at())
        .field(Field::string("name").utf8_name().unique())
        .field(Field::integer("retries").default(5).between(0, 32767))
        .field(
            Field::string("protocol")
                .required()
                .default("http")
                .one_of(Protocol::NAMES),
        )
        .field(Field::host("host").required())
        .field(Field::port("port").required().default(80))
        .field(Field::path("path"))
        .field(timeout("connect_timeout"))
        .field(timeout("write_timeout"))
        .field(timeout("read_timeout"))
        .field(Field::tags())
        .field(Field::foreign("client_certificate", "certificates"))
        .field(Field::boolean("tls_verify"))
        .field(
            Field::integer("tls_verify_depth")
                .default(Value::Null)
                .between(0, 64),
        )
        .field(Field::array("ca_certificates", Field::string("").uuid()))
        .field(Field::boolean("enabled").required().default(true))
        .check(null_when(Condition::one_of(WITHOUT_PATH), "path"))
        .check(null_without_tls("client_certificate"))
        .check(null_without_tls("tls_verify"))
        .check(null_without_tls("tls_verify_depth"))
        .check(null_without_tls("ca_certificates"))
        .shorthand(Shorthand {
            field: Field::string("url"),
            expansion: Expansion::Code(expand_url),
            deprecated: false,
        })
        .describe(&MEANINGS)
}

fn null_without_tls(field: &'static str) -> Check {
    null_when(Condition::not_one_of(["https", "tls"]), field)
}

fn null_when(protocol: Condition, field: &'static str) -> Check {
    Check::conditional("protocol", protocol, field, Condition::eq(Value::Null))
}

fn expand_url(value: &Value) -> Map {
    // Compat: a null is read as the text of the reference's null object, whose parts are then
    // refused one by one.
    let parts = validators::parse_url(value.as_str().unwrap_or("userdata: NULL"));
    let port = parts
        .port
        .as_deref()
        .and_then(|port| port.parse::<i64>().ok());
    let protocol = parts.scheme.unwrap_or_else(|| {
        if port == Some(443) {
            "https".to_owned()
        } else {
            "http".to_owned()
        }
    });
    let port = port.unwrap_or(if protocol == "https" { 443 } else { 80 });
    let mut members = Map::new();
    if let Some(host) = parts.host {
        members.insert("host".to_owned(), Value::String(host));
    }
    members.insert("port".to_owned(), Value::from(port));
    members.insert("protocol".to_owned(), Value::String(protocol));
    members.insert(
        "path".to_owned(),
        parts.path.map_or(Value::Null, Value::String),
    );
    members
}

impl TryFrom<&Map> for Service {
    type Error = DecodeError;

    fn try_from(body: &Map) -> Result<Self, DecodeError> {
        let read = Reader::new("services", body);
        Ok(Self {
            id: reading::id(&read)?,
            name: read.text("name")?,
            protocol: reading::protocol(&read, "protocol")?.unwrap_or(Protocol::Http),
            host: read.required_text("host")?,
            port: read.integer("port")?.unwrap_or(80),
            path: read.text("path")?,
            retries: read.integer("retries")?.unwrap_or(5),
            connect_timeout: read.integer("connect_timeout")?.unwrap_or(60_000),
            write_timeout: read.integer("write_timeout")?.unwrap_or(60_000),
            read_timeout: read.integer("read_timeout")?.unwrap_or(60_000),
            enabled: read.boolean("enabled")?.unwrap_or(true),
            tls_verify: read.boolean("tls_verify")?,
            tls_verify_depth: read.integer("tls_verify_depth")?,
            client_certificate: reading::foreign(&read, "client_certificate")?,
            ca_certificates: reading::ids(&read, "ca_certificates")?,
            tags: read.texts("tags")?,
        })
    }
}
