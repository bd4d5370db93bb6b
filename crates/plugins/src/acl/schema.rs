//! Configuration of `acl`.

use schema::{Check, DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("acl")
        .fields([
            Field::array("allow", Field::string(""))
                .describe("Groups that may pass; everybody else is refused."),
            Field::array("deny", Field::string(""))
                .describe("Groups that are refused; everybody else may pass."),
            Field::boolean("hide_groups_header")
                .required()
                .default(false)
                .describe(
                    "Whether the service is not told the groups in \
                     X-Consumer-Groups.",
                ),
            Field::boolean("always_use_authenticated_groups")
                .required()
                .default(false)
                .describe(
                    "Whether groups that an authentication plugin \
                     found count even when a consumer is known.",
                ),
        ])
        .outer_check(Check::OnlyOneOf(vec!["config.allow", "config.deny"]))
        .outer_check(Check::AtLeastOneOf(vec!["config.allow", "config.deny"]))
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Which groups the list is about.
    pub(super) groups: Vec<String>,
    /// Whether members of those groups may pass, or are refused.
    pub(super) allows: bool,
    /// Whether the service is not told the groups.
    pub(super) hide_groups_header: bool,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let allow = read.texts("allow")?;
        let allows = !allow.is_empty();
        Ok(Self {
            groups: if allows { allow } else { read.texts("deny")? },
            allows,
            hide_groups_header: read.boolean("hide_groups_header")?.unwrap_or(false),
        })
    }
}
