//! Configuration of `acl`.

use schema::{Check, Field, Schema};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("acl").fields([Field::array("allow", Field::string("")).describe("Groups that may pass; everybody else is refused."), Field::array("deny", Field::string("")).describe("Groups that are refused; everybody else may pass."), Field::boolean("hide_groups_header").required().default(false).describe("Whether the service is not told the groups in X-Consumer-Groups."), Field::boolean("always_use_authenticated_groups").required().default(false).describe("Whether groups that an authentication plugin found count even when a consumer is known.")]).outer_check(Check::OnlyOneOf(vec!["config.allow", "config.deny"])).outer_check(Check::AtLeastOneOf(vec!["config.allow", "config.deny"]))
}
