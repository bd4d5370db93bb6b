//! Configuration of `syslog`.

use schema::{Field, Schema};

use crate::records::logs::{custom_fields, severities};

/// Facilities of syslog.
const FACILITIES: [&str; 20] = [
    "auth", "authpriv", "cron", "daemon", "ftp", "kern", "lpr", "mail", "news", "syslog", "user",
    "uucp", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    severities(Schema::new("syslog"), Field::required)
        .field(custom_fields())
        .field(
            Field::string("facility")
                .required()
                .one_of(FACILITIES)
                .default("user")
                .describe("Facility of the records."),
        )
}
