//! Configuration of `ip-restriction`.

use schema::{Check, DecodeError, Field, Reader, Schema, validators};
use serde_json::{Map, Value};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("ip-restriction")
        .fields([
            Field::array(
                "allow",
                Field::string("").custom("ip_or_cidr", validators::ip_or_cidr),
            )
            .describe("Addresses and networks that may pass; all others are refused."),
            Field::array(
                "deny",
                Field::string("").custom("ip_or_cidr", validators::ip_or_cidr),
            )
            .describe("Addresses and networks that are refused, whatever else is allowed."),
            Field::number("status")
                .optional()
                .describe("Status of a refusal."),
            Field::string("message")
                .optional()
                .describe("Message of a refusal."),
        ])
        .outer_check(Check::AtLeastOneOf(vec!["config.allow", "config.deny"]))
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Addresses and networks that may pass; all others are refused unless it is empty.
    pub(super) allow: Vec<String>,
    /// Addresses and networks that are refused.
    pub(super) deny: Vec<String>,
    /// Status of a refusal. Default 403.
    pub(super) status: u16,
    /// Message of a refusal.
    pub(super) message: Option<String>,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        Ok(Self {
            allow: read.texts("allow")?,
            deny: read.texts("deny")?,
            status: read.integer("status")?.unwrap_or(403),
            message: read.text("message")?,
        })
    }
}
