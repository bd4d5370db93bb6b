//! Configuration of `file-log`.

use schema::{Field, Pattern, Schema};

use crate::records::logs::custom_fields;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("file-log").fields([
        Field::string("path")
            .required()
            .matches(Pattern::new(r"^[^*&%%\`]+$", r"^[^*&%\\`]+$"))
            .err("not a valid filename")
            .describe("File to append to."),
        Field::boolean("reopen").required().default(false).describe(
            "Whether the file is opened anew for each record, for tools that move it away.",
        ),
        custom_fields(),
    ])
}
