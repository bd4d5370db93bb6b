//! Configuration of `ldap-auth`.

use schema::{Check, Condition, DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("ldap-auth")
        .fields(server())
        .fields(callers())
        .check(
            Check::conditional(
                "ldaps",
                Condition::eq(true),
                "start_tls",
                Condition::eq(false),
            )
            .with_err("'ldaps' and 'start_tls' cannot be enabled simultaneously"),
        )
}

fn server() -> [Field; 7] {
    [
        Field::host("ldap_host")
            .required()
            .describe("Name or address of the server."),
        Field::port("ldap_port")
            .required()
            .default(389)
            .describe("Port of the server."),
        Field::boolean("ldaps")
            .required()
            .default(false)
            .describe("Whether TLS is used from the start."),
        Field::boolean("start_tls")
            .required()
            .default(false)
            .describe("Whether the connection is raised to TLS."),
        Field::boolean("verify_ldap_host")
            .required()
            .default(false)
            .describe("Whether the server's certificate is verified."),
        Field::string("base_dn")
            .required()
            .describe("Where users stand in the directory."),
        Field::string("attribute")
            .required()
            .describe("Attribute that holds the user name."),
    ]
}

fn callers() -> [Field; 7] {
    [
        Field::number("cache_ttl")
            .required()
            .default(60)
            .describe("Seconds a verdict is remembered."),
        Field::boolean("hide_credentials")
            .required()
            .default(false)
            .describe(
                "Whether the credential is taken out of the request before it goes to the service.",
            ),
        Field::number("timeout")
            .default(10_000)
            .describe("Milliseconds to wait for the server."),
        Field::number("keepalive")
            .default(60_000)
            .describe("Milliseconds an idle connection is kept."),
        Field::string("anonymous")
            .describe("Consumer (id or user name) that stands in for a caller who proves nothing."),
        Field::string("header_type")
            .default("ldap")
            .describe("Scheme in front of the credentials in the header."),
        Field::string("realm")
            .optional()
            .describe("Realm named in the WWW-Authenticate header of a refusal."),
    ]
}

/// What an instance is told.
pub(super) struct Config {
    /// Where the server is.
    pub(super) host: String,
    pub(super) port: u16,
    /// Whether TLS is used from the start.
    pub(super) ldaps: bool,
    /// Whether the connection is raised to TLS.
    pub(super) start_tls: bool,
    /// Whether the server's certificate is verified.
    pub(super) verifies: bool,
    /// Where users stand in the directory.
    pub(super) base_dn: String,
    /// Attribute that holds the user name.
    pub(super) attribute: String,
    /// Seconds a verdict is remembered.
    pub(super) cache_ttl: f64,
    /// Whether the service does not see the credential.
    pub(super) hide_credentials: bool,
    /// Milliseconds to wait for the server.
    pub(super) timeout: f64,
    /// Milliseconds an idle connection is kept.
    pub(super) keepalive: f64,
    /// Who stands in for a caller who proves nothing.
    pub(super) anonymous: Option<String>,
    /// Scheme in front of the credentials.
    pub(super) header_type: String,
    /// Realm named in a refusal.
    pub(super) realm: Option<String>,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let is_on = |name| Ok(read.boolean(name)?.unwrap_or(false));
        let header_type = read.text("header_type")?;
        Ok(Self {
            host: read.required_text("ldap_host")?,
            port: read.integer("ldap_port")?.unwrap_or(389),
            ldaps: is_on("ldaps")?,
            start_tls: is_on("start_tls")?,
            verifies: is_on("verify_ldap_host")?,
            base_dn: read.required_text("base_dn")?,
            attribute: read.required_text("attribute")?,
            cache_ttl: read.number("cache_ttl")?.unwrap_or(60.0),
            hide_credentials: is_on("hide_credentials")?,
            timeout: read.number("timeout")?.unwrap_or(10_000.0),
            keepalive: read.number("keepalive")?.unwrap_or(60_000.0),
            anonymous: read.text("anonymous")?,
            header_type: header_type.unwrap_or_else(|| "ldap".to_owned()),
            realm: read.text("realm")?,
        })
    }
}
