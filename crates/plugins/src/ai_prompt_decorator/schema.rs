//! Configuration of `ai-prompt-decorator`.

use schema::{Check, DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

use crate::ai::Dialect;
use crate::records::llm;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("ai-prompt-decorator")
        .fields([
            Field::record("prompts", prompts())
                .optional()
                .describe("Messages to add."),
            llm::max_request_body_size()
                .describe("Most bytes of a request body that are looked at."),
            llm::format(),
        ])
        .outer_check(Check::AtLeastOneOf(vec![
            "config.prompts.prepend",
            "config.prompts.append",
        ]))
}

fn prompts() -> Schema {
    Schema::record([
        Field::array("prepend", Field::record("", message()).optional())
            .optional()
            .len_max(15)
            .describe("Messages put before the chat, in this order."),
        Field::array("append", Field::record("", message()).optional())
            .optional()
            .len_max(15)
            .describe("Messages put after the chat, in this order."),
    ])
}

fn message() -> Schema {
    Schema::record([
        Field::string("role")
            .required()
            .one_of(["system", "assistant", "user"])
            .default("system")
            .describe("Who speaks."),
        Field::string("content")
            .required()
            .len_min(1)
            .len_max(500)
            .describe("What is said."),
    ])
}

/// What an instance is told.
#[derive(Debug)]
pub(super) struct Config {
    /// Role and text of the messages put before and after the chat.
    pub(super) before: Vec<(String, String)>,
    pub(super) after: Vec<(String, String)>,
    /// Most bytes of a body that are looked at.
    pub(super) limit: u64,
    /// The dialect of the requests.
    pub(super) dialect: Dialect,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let prompts = read.members("prompts")?.cloned().unwrap_or_default();
        let list = |name: &str| {
            let messages = prompts.get(name).and_then(Value::as_array);
            let messages = messages.into_iter().flatten();
            let pair = |message: &Value| {
                let text = |name: &str| message[name].as_str().map(str::to_owned);
                Some((text("role")?, text("content")?))
            };
            messages.filter_map(pair).collect()
        };
        Ok(Self {
            before: list("prepend"),
            after: list("append"),
            limit: read.integer("max_request_body_size")?.unwrap_or(8192),
            dialect: Dialect::named(read.text("llm_format")?.as_deref()),
        })
    }
}
