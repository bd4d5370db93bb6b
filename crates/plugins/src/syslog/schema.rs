//! Configuration of `syslog`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

use crate::records::logs::{Threshold, custom_fields, severities};

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
    /// Which answers are written, and how severe they are.
    pub(super) threshold: Threshold,
    /// Number of the facility.
    pub(super) facility: u8,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let facility = read.text("facility")?.unwrap_or_else(|| "user".to_owned());
        let facility = NUMBERS.iter().find(|(name, _)| *name == facility);
        Ok(Self {
            threshold: Threshold::read(&read)?,
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
