//! Configuration of `ai-prompt-guard`.

use schema::{Check, Condition, DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

use crate::ai::Dialect;
use crate::records::llm;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("ai-prompt-guard")
        .fields([
            Field::array("allow_patterns", Field::string("").len_min(1).len_max(500))
                .optional()
                .len_max(10)
                .describe("A prompt must match one of these."),
            Field::array("deny_patterns", Field::string("").len_min(1).len_max(500))
                .optional()
                .len_max(10)
                .describe("A prompt must match none of these."),
            Field::boolean("allow_all_conversation_history")
                .required()
                .default(false)
                .describe("Whether only the last message of the user is looked at."),
            llm::max_request_body_size()
                .describe("Most bytes of a request body that are looked at."),
            Field::boolean("match_all_roles")
                .required()
                .default(false)
                .describe("Whether messages of all roles are looked at, not only the user's."),
            llm::format(),
        ])
        .outer_check(Check::AtLeastOneOf(vec![
            "config.allow_patterns",
            "config.deny_patterns",
        ]))
        .outer_check(Check::conditional(
            "config.match_all_roles",
            Condition::eq(true),
            "config.allow_all_conversation_history",
            Condition::eq(false),
        ))
}

/// What an instance is told.
#[derive(Debug)]
pub(super) struct Config {
    /// A prompt must match one of these, if there are any.
    pub(super) allow: Vec<String>,
    /// A prompt must match none of these.
    pub(super) deny: Vec<String>,
    /// Whether only the last message is looked at.
    pub(super) looks_at_last: bool,
    /// Whether messages of all roles are looked at.
    pub(super) looks_at_all_roles: bool,
    /// Most bytes of a body that are looked at.
    pub(super) limit: u64,
    /// The dialect of the requests.
    pub(super) dialect: Dialect,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let is_on = |name| Ok(read.boolean(name)?.unwrap_or(false));
        Ok(Self {
            allow: read.texts("allow_patterns")?,
            deny: read.texts("deny_patterns")?,
            looks_at_last: is_on("allow_all_conversation_history")?,
            looks_at_all_roles: is_on("match_all_roles")?,
            limit: read.integer("max_request_body_size")?.unwrap_or(8192),
            dialect: Dialect::named(read.text("llm_format")?.as_deref()),
        })
    }
}
