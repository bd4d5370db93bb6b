//! Configuration of `key-auth`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value, json};

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Names under which a key is looked for, in order. Default `apikey`.
    pub(super) key_names: Vec<String>,
    /// Whether the key is taken out of the request before it goes on.
    pub(super) hide_credentials: bool,
    /// Consumer (id or user name) that stands in for a caller who failed to prove itself.
    pub(super) anonymous: Option<String>,
    /// Whether headers are searched.
    pub(super) key_in_header: bool,
    /// Whether the query is searched.
    pub(super) key_in_query: bool,
    /// Whether a form or JSON body is searched.
    pub(super) key_in_body: bool,
    /// Whether `OPTIONS` requests must prove themselves too.
    pub(super) run_on_preflight: bool,
    /// Realm named in `WWW-Authenticate`.
    pub(super) realm: Option<String>,
}

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    let flag = |name, default: bool, description| {
        Field::boolean(name)
            .required()
            .default(default)
            .describe(description)
    };
    Schema::new("key-auth")
        .field(
            Field::array("key_names", Field::header_name(""))
                .required()
                .default(json!(["apikey"]))
                .describe("Names under which a key is looked for, in this order."),
        )
        .field(flag(
            "hide_credentials",
            false,
            "Whether the key is taken out of the request before it goes to the service.",
        ))
        .field(Field::string("anonymous").describe(
            "Consumer (id or user name) that stands in for a caller who shows no valid key.",
        ))
        .field(flag("key_in_header", true, "Whether headers are searched."))
        .field(flag("key_in_query", true, "Whether the query is searched."))
        .field(flag(
            "key_in_body",
            false,
            "Whether the body is searched, if it is a form or JSON.",
        ))
        .field(flag(
            "run_on_preflight",
            true,
            "Whether OPTIONS requests must show a key too.",
        ))
        .field(
            Field::string("realm")
                .optional()
                .describe("Realm named in the WWW-Authenticate header of a refusal."),
        )
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let key_names = match read.value("key_names") {
            None => vec!["apikey".to_owned()],
            Some(_) => read.texts("key_names")?,
        };
        let flag = |name, default| Ok::<_, DecodeError>(read.boolean(name)?.unwrap_or(default));
        Ok(Self {
            key_names,
            hide_credentials: flag("hide_credentials", false)?,
            anonymous: read.text("anonymous")?,
            key_in_header: flag("key_in_header", true)?,
            key_in_query: flag("key_in_query", true)?,
            key_in_body: flag("key_in_body", false)?,
            run_on_preflight: flag("run_on_preflight", true)?,
            realm: read.text("realm")?,
        })
    }
}
