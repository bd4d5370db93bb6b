//! Configuration of `ai-prompt-template`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("ai-prompt-template").fields([
        Field::array("templates", Field::record("", templates()))
            .required()
            .describe("Templates that requests may name."),
        Field::boolean("allow_untemplated_requests")
            .required()
            .default(true)
            .describe("Whether requests without a template pass."),
        Field::boolean("log_original_request")
            .required()
            .default(false)
            .describe("Whether the request as received becomes part of the log record."),
        Field::integer("max_request_body_size")
            .gt(0)
            .default(8192)
            .describe("Most bytes of a request body that are looked at."),
    ])
}

fn templates() -> Schema {
    Schema::record([
        Field::string("name")
            .required()
            .describe("Name of the template; requests write `{template://name}`."),
        Field::string("template")
            .required()
            .describe("Text with `{{placeholders}}`."),
    ])
}

/// What an instance is told.
#[derive(Debug)]
pub(super) struct Config {
    /// Templates by name.
    pub(super) templates: Vec<(String, String)>,
    /// Whether requests without a template pass.
    pub(super) allows_others: bool,
    /// Whether the request as received becomes part of the log record.
    pub(super) logs_original: bool,
    /// Most bytes of a body that are looked at.
    pub(super) limit: u64,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let pair = |template: &Value| {
            let text = |name: &str| template[name].as_str().map(str::to_owned);
            Some((text("name")?, text("template")?))
        };
        Ok(Self {
            templates: read.list("templates")?.iter().filter_map(pair).collect(),
            allows_others: read.boolean("allow_untemplated_requests")?.unwrap_or(true),
            logs_original: read.boolean("log_original_request")?.unwrap_or(false),
            limit: read.integer("max_request_body_size")?.unwrap_or(8192),
        })
    }
}
