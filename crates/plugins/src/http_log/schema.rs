//! Configuration of `http-log`.

use schema::{DecodeError, Field, Pattern, Reader, Schema};
use serde_json::{Map, Value};

use super::rules;
use crate::outbox::Policy;
use crate::records::logs::custom_fields;
use crate::records::queue::{policy, queue, settings_before_queue};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("http-log")
        .fields(endpoint())
        .fields(settings_before_queue!("http-log"))
        .fields(delivery())
        .custom(rules::one_authorization)
}

fn endpoint() -> [Field; 5] {
    [
        Field::url("http_endpoint")
            .required()
            .encrypted()
            .referenceable()
            .describe("URL the records are sent to."),
        Field::string("method")
            .one_of(["POST", "PUT", "PATCH"])
            .default("POST")
            .describe("Method of the requests."),
        Field::string("content_type")
            .one_of(["application/json", "application/json; charset=utf-8"])
            .default("application/json")
            .describe("Content-Type of the requests."),
        Field::number("timeout")
            .default(10_000)
            .describe("Milliseconds to connect, send and receive."),
        Field::number("keepalive")
            .default(60_000)
            .describe("Milliseconds an idle connection is kept."),
    ]
}

fn delivery() -> [Field; 3] {
    [
        Field::map(
            "headers",
            Field::header_name("").match_none([
                (
                    Pattern::new("^[Hh][Oo][Ss][Tt]$", "^[Hh][Oo][Ss][Tt]$"),
                    "cannot contain 'Host' header",
                ),
                (
                    Pattern::new(
                        "^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[Ll][Ee][nn][Gg][Tt][Hh]$",
                        "^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]-[Ll][Ee][nn][Gg][Tt][Hh]$",
                    ),
                    "cannot contain 'Content-Length' header",
                ),
                (
                    Pattern::new(
                        "^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]%-[Tt][Yy][Pp][Ee]$",
                        "^[Cc][Oo][Nn][Tt][Ee][Nn][Tt]-[Tt][Yy][Pp][Ee]$",
                    ),
                    "cannot contain 'Content-Type' header",
                ),
            ]),
            Field::string("").referenceable(),
        )
        .describe("Headers sent along."),
        Field::record("queue", queue())
            .required()
            .describe("How records wait to be sent."),
        custom_fields(),
    ]
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// URL the records are sent to.
    pub(super) endpoint: String,
    /// Method of the requests.
    pub(super) method: String,
    /// Content type of the requests.
    pub(super) content_type: String,
    /// Milliseconds to connect, to send and to receive.
    pub(super) timeout: f64,
    /// Milliseconds an idle connection is kept.
    pub(super) keepalive: f64,
    /// Header lines sent along.
    pub(super) headers: Vec<(String, String)>,
    /// How records wait.
    pub(super) policy: Policy,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let headers = read.members("headers")?.cloned().unwrap_or_default();
        let header = |(name, value): (&String, &Value)| {
            let value = value.as_str().unwrap_or_default();
            (name.clone(), value.to_owned())
        };
        Ok(Self {
            endpoint: read.required_text("http_endpoint")?,
            method: read.text("method")?.unwrap_or_else(|| "POST".to_owned()),
            content_type: read
                .text("content_type")?
                .unwrap_or_else(|| "application/json".to_owned()),
            timeout: read.number("timeout")?.unwrap_or(10_000.0),
            keepalive: read.number("keepalive")?.unwrap_or(60_000.0),
            headers: headers.iter().map(header).collect(),
            policy: policy(&read)?,
        })
    }
}
