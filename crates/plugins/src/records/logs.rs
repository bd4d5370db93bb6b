//! What plugins that log have in common.

use schema::{DecodeError, Field, Reader, Schema};

/// The server that records are sent to.
pub(crate) fn server() -> [Field; 2] {
    [
        Field::host("host")
            .required()
            .describe("Name or address of the server."),
        Field::port("port")
            .required()
            .describe("Port of the server."),
    ]
}

/// Its name or address, and its port.
pub(crate) fn host_and_port(config: &Reader<'_>) -> Result<(String, u16), DecodeError> {
    let port = config.integer("port")?;
    let port = port.ok_or_else(|| config.error("port", "a port"))?;
    Ok((config.required_text("host")?, port))
}

/// Severities of syslog.
pub(crate) const SEVERITIES: [&str; 8] = [
    "debug", "info", "notice", "warning", "err", "crit", "alert", "emerg",
];

/// Further members of the log record, as Lua code that computes them.
pub(crate) fn custom_fields() -> Field {
    Field::map(
        "custom_fields_by_lua",
        Field::string("").len_min(1),
        Field::string("").len_min(1),
    )
    .describe("Members added to the record: Lua code that returns the value, by name.")
}

/// From which severity on records are written, and the severities of answers.
pub(crate) fn severities(schema: Schema, mark: fn(Field) -> Field) -> Schema {
    let field = |name, description| {
        mark(
            Field::string(name)
                .one_of(SEVERITIES)
                .default("info")
                .describe(description),
        )
    };
    schema.fields([
        field("log_level", "Severity from which on records are written."),
        field(
            "successful_severity",
            "Severity of records of answers below 400.",
        ),
        field(
            "client_errors_severity",
            "Severity of records of answers from 400 to 499.",
        ),
        field(
            "server_errors_severity",
            "Severity of records of answers from 500 on.",
        ),
    ])
}

/// Which answers are written, and how severe they are. Numbers are those of syslog: lower is more
/// severe.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Threshold {
    log_level: u8,
    /// Of answers below 400, from 400 to 499, and from 500 on.
    severities: [u8; 3],
}

impl Threshold {
    /// Reads what [`severities`] describes.
    pub(crate) fn read(config: &Reader<'_>) -> Result<Self, DecodeError> {
        let severity = |field| {
            let name = config.text(field)?.unwrap_or_else(|| "info".to_owned());
            let at = SEVERITIES.iter().rev().position(|known| *known == name);
            at.and_then(|at| u8::try_from(at).ok())
                .ok_or_else(|| config.error(field, "a severity"))
        };
        Ok(Self {
            log_level: severity("log_level")?,
            severities: [
                severity("successful_severity")?,
                severity("client_errors_severity")?,
                severity("server_errors_severity")?,
            ],
        })
    }

    /// The severity of an answer; nothing if it is not written.
    pub(crate) fn of(&self, status: u16) -> Option<u8> {
        let [good, client, server] = self.severities;
        let severity = match status {
            500.. => server,
            400..500 => client,
            _ => good,
        };
        (severity <= self.log_level).then_some(severity)
    }
}
