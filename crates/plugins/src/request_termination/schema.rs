//! Configuration of `request-termination`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Status to answer with, 100 to 599. Default 503.
    pub(super) status_code: u16,
    /// Message in a JSON body. Absent: the usual one of the status, if it has one.
    pub(super) message: Option<String>,
    /// Content type of `body`. Default JSON.
    pub(super) content_type: Option<String>,
    /// Body to send as it is.
    pub(super) body: Option<String>,
    /// Whether the answer describes the request.
    pub(super) echo: bool,
    /// Header or query parameter without which requests pass.
    pub(super) trigger: Option<String>,
}

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("request-termination")
        .field(
            Field::integer("status_code")
                .required()
                .default(503)
                .between(100, 599)
                .describe("Status to answer with."),
        )
        .field(Field::string("message").describe("Message of the JSON body."))
        .field(Field::string("content_type").describe("Content type of `body`."))
        .field(Field::string("body").describe("Body to send as it is, instead of a message."))
        .field(
            Field::boolean("echo")
                .required()
                .default(false)
                .describe("Whether the answer describes the request, for debugging."),
        )
        .field(
            Field::header_name("trigger")
                .describe("Header or query parameter without which requests pass."),
        )
        .custom(exclusive)
}

/// Refuses combinations of which one part would have no effect.
///
/// Compat: rules and texts of the reference.
fn exclusive(config: &Value) -> Result<(), String> {
    let has = |field: &str| config.get(field).is_some_and(|value| !value.is_null());
    if has("message") && (has("content_type") || has("body")) {
        return Err("message cannot be used with content_type or body".to_owned());
    }
    if has("content_type") && !has("body") {
        return Err("content_type requires a body".to_owned());
    }
    let is_echo = config.get("echo").and_then(Value::as_bool) == Some(true);
    if is_echo && has("content_type") && has("body") {
        return Err("echo cannot be used with content_type and body".to_owned());
    }
    Ok(())
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        Ok(Self {
            status_code: read.integer("status_code")?.unwrap_or(503),
            message: read.text("message")?,
            content_type: read.text("content_type")?,
            body: read.text("body")?,
            echo: read.boolean("echo")?.unwrap_or(false),
            trigger: read.text("trigger")?,
        })
    }
}
