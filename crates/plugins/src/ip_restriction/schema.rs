//! Configuration of `ip-restriction`.

use schema::{Check, Field, Schema, validators};

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
