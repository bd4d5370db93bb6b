//! Configuration of `azure-functions`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("azure-functions").fields([
        Field::number("timeout")
            .default(600_000)
            .describe("Milliseconds to wait for the function."),
        Field::number("keepalive")
            .default(60_000)
            .describe("Milliseconds an idle connection is kept."),
        Field::boolean("https")
            .default(true)
            .describe("Whether TLS is used."),
        Field::boolean("https_verify")
            .default(false)
            .describe("Whether the certificate of the other side is verified."),
        Field::string("apikey")
            .encrypted()
            .referenceable()
            .describe("Key shown to the function."),
        Field::string("clientid")
            .encrypted()
            .referenceable()
            .describe("Client id shown with the key."),
        Field::string("appname")
            .required()
            .describe("Name of the application."),
        Field::string("hostdomain")
            .required()
            .default("azurewebsites.net")
            .describe("Domain of the application."),
        Field::string("routeprefix")
            .default("api")
            .describe("Path in front of the function's name."),
        Field::string("functionname")
            .required()
            .describe("Name of the function."),
    ])
}

/// What an instance is told.
pub(super) struct Config {
    /// Milliseconds to wait for the function.
    pub(super) timeout: f64,
    /// Milliseconds an idle connection is kept.
    pub(super) keepalive: f64,
    /// Whether TLS is used.
    pub(super) https: bool,
    /// Whether the certificate is verified.
    pub(super) https_verify: bool,
    /// Key shown to the function.
    pub(super) apikey: Option<String>,
    /// Client id shown with the key.
    pub(super) clientid: Option<String>,
    /// Name of the application.
    pub(super) appname: String,
    /// Domain of the application.
    pub(super) hostdomain: String,
    /// Path in front of the function's name.
    pub(super) routeprefix: String,
    /// Name of the function.
    pub(super) functionname: String,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        Ok(Self {
            timeout: read.number("timeout")?.unwrap_or(600_000.0),
            keepalive: read.number("keepalive")?.unwrap_or(60_000.0),
            https: read.boolean("https")?.unwrap_or(true),
            https_verify: read.boolean("https_verify")?.unwrap_or(false),
            apikey: read.text("apikey")?,
            clientid: read.text("clientid")?,
            appname: read.required_text("appname")?,
            hostdomain: read.required_text("hostdomain")?,
            routeprefix: read.text("routeprefix")?.unwrap_or_default(),
            functionname: read.required_text("functionname")?,
        })
    }
}
