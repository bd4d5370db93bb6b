//! Configuration of `cors`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value, json};

use super::rules;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("cors").fields([
        Field::array(
            "origins",
            Field::string("").custom("cors_origin_star_or_regex", rules::origin),
        )
        .describe(
            "Origins that may read answers: `*`, texts or regular expressions; unset is everybody.",
        ),
        Field::array("headers", Field::string(""))
            .describe("Request headers allowed; unset allows what the preflight asks for."),
        Field::array("exposed_headers", Field::string(""))
            .describe("Headers of answers that scripts may read."),
        Field::array(
            "methods",
            Field::string("").one_of([
                "GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT",
            ]),
        )
        .default(json!([
            "GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT"
        ]))
        .describe("Methods allowed."),
        Field::number("max_age").describe("Seconds a preflight answer may be kept."),
        Field::boolean("credentials")
            .required()
            .default(false)
            .describe("Whether cookies and the like may be sent."),
        Field::boolean("private_network")
            .required()
            .default(false)
            .describe("Whether requests from public to private networks are allowed."),
        Field::boolean("preflight_continue")
            .required()
            .default(false)
            .describe("Whether preflight requests go on to the service."),
    ])
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Origins that may read answers; none is everybody.
    pub(super) origins: Vec<String>,
    /// Request headers allowed.
    pub(super) headers: Vec<String>,
    /// Headers of answers that scripts may read.
    pub(super) exposed_headers: Vec<String>,
    /// Methods allowed.
    pub(super) methods: Vec<String>,
    /// Seconds a preflight answer may be kept.
    pub(super) max_age: Option<f64>,
    /// Whether cookies and the like may be sent.
    pub(super) credentials: bool,
    /// Whether requests into private networks are allowed.
    pub(super) private_network: bool,
    /// Whether preflight requests go on to the service.
    pub(super) preflight_continue: bool,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let flag = |name| Ok::<_, DecodeError>(read.boolean(name)?.unwrap_or(false));
        Ok(Self {
            origins: read.texts("origins")?,
            headers: read.texts("headers")?,
            exposed_headers: read.texts("exposed_headers")?,
            methods: read.texts("methods")?,
            max_age: read.number("max_age")?,
            credentials: flag("credentials")?,
            private_network: flag("private_network")?,
            preflight_continue: flag("preflight_continue")?,
        })
    }
}
