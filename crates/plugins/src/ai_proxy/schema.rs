//! Configuration of `ai-proxy`.

use schema::{Check, Condition, DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

use crate::ai::Dialect;
use crate::records::llm;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    let native = |format: &'static str, message| {
        let provider = "config.model.provider";
        let is_format = Condition::eq(format);
        Check::conditional(
            "config.llm_format",
            is_format,
            provider,
            Condition::eq(format),
        )
        .with_err(message)
    };
    llm::model(Schema::new("ai-proxy"))
        .fields([
            Field::string("response_streaming")
                .optional()
                .one_of(["allow", "deny", "always"])
                .default("allow")
                .describe("Whether answers may, must not or must be streamed."),
            llm::max_request_body_size(),
            Field::boolean("model_name_header")
                .default(true)
                .describe("Whether the answer names the model in X-Kong-LLM-Model."),
            llm::format(),
        ])
        .outer_check(
            Check::conditional(
                "config.llm_format",
                Condition::one_of(["bedrock", "gemini"]),
                "config.route_type",
                Condition::eq("llm/v1/chat"),
            )
            .with_err(
                "native provider options in llm_format can only be used with the 'llm/v1/chat' \
                 route_type",
            ),
        )
        .outer_check(native(
            "bedrock",
            "native llm_format 'bedrock' can only be used with the 'bedrock' model.provider",
        ))
        .outer_check(native(
            "gemini",
            "native llm_format 'gemini' can only be used with the 'gemini' model.provider",
        ))
}

/// What an instance is told beside the model.
#[derive(Debug)]
pub(super) struct Config {
    /// Whether answers may, must not or must be streamed.
    pub(super) streaming: Streaming,
    /// Most bytes of a body that are looked at.
    pub(super) limit: u64,
    /// Whether the answer names the model.
    pub(super) names_model: bool,
    /// The dialect of the requests.
    pub(super) dialect: Dialect,
}

/// Whether answers are streamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Streaming {
    Allow,
    Deny,
    Always,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        Ok(Self {
            streaming: match read.text("response_streaming")?.as_deref() {
                Some("deny") => Streaming::Deny,
                Some("always") => Streaming::Always,
                _ => Streaming::Allow,
            },
            limit: read.integer("max_request_body_size")?.unwrap_or(8192),
            names_model: read.boolean("model_name_header")?.unwrap_or(true),
            dialect: Dialect::named(read.text("llm_format")?.as_deref()),
        })
    }
}
