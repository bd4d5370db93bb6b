//! Configuration of `syslog`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

use crate::records::logs::{SEVERITIES, custom_fields, severities};

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

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Number of the least severity that is written; lower is more severe.
    pub(super) log_level: u8,
    /// Numbers of the severities of answers below 400, from 400 to 499, and from 500 on.
    pub(super) severities: [u8; 3],
    /// Number of the facility.
    pub(super) facility: u8,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let severity = |field| {
            let name = read.text(field)?.unwrap_or_else(|| "info".to_owned());
            let at = SEVERITIES.iter().rev().position(|known| *known == name);
            at.and_then(|at| u8::try_from(at).ok())
                .ok_or_else(|| read.error(field, "a severity"))
        };
        let facility = read.text("facility")?.unwrap_or_else(|| "user".to_owned());
        let facility = NUMBERS.iter().find(|(name, _)| *name == facility);
        Ok(Self {
            log_level: severity("log_level")?,
            severities: [
                severity("successful_severity")?,
                severity("client_errors_severity")?,
                severity("server_errors_severity")?,
            ],
            facility: facility
                .map(|(_, number)| *number)
                .ok_or_else(|| read.error("facility", "a facility"))?,
        })
    }
}

/// Numbers of the facilities, as syslog has them.
const NUMBERS: [(&str, u8); 20] = [
    ("kern", 0),
    ("user", 1),
    ("mail", 2),
    ("daemon", 3),
    ("auth", 4),
    ("syslog", 5),
    ("lpr", 6),
    ("news", 7),
    ("uucp", 8),
    ("cron", 9),
    ("authpriv", 10),
    ("ftp", 11),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];
