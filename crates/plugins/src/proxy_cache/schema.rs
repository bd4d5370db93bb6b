//! Configuration of `proxy-cache`.

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value, json};

use super::rules;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("proxy-cache")
        .fields(rules())
        .fields(storage())
        .outer_check(rules::known_memory())
}

fn rules() -> [Field; 8] {
    [
        Field::array("response_code", Field::integer("").between(100, 900))
            .required()
            .len_min(1)
            .default(json!([200, 301, 404]))
            .describe("Statuses of answers that are kept."),
        Field::array(
            "request_method",
            Field::string("").one_of(["HEAD", "GET", "POST", "PATCH", "PUT"]),
        )
        .required()
        .default(json!(["GET", "HEAD"]))
        .describe("Methods whose answers are kept."),
        Field::array("content_type", Field::string(""))
            .required()
            .default(json!(["text/plain", "application/json"]))
            .describe("Content types of answers that are kept."),
        Field::integer("cache_ttl")
            .gt(0)
            .default(300)
            .describe("Seconds an answer is good for."),
        Field::string("strategy")
            .required()
            .one_of(["memory"])
            .describe("Where answers are kept."),
        Field::boolean("cache_control")
            .required()
            .default(false)
            .describe("Whether the Cache-Control of requests and answers decides."),
        Field::boolean("ignore_uri_case")
            .optional()
            .default(false)
            .describe("Whether upper and lower case in paths are the same."),
        Field::integer("storage_ttl")
            .describe("Seconds an answer stays in memory, beyond being good."),
    ]
}

fn storage() -> [Field; 4] {
    [
        Field::record("memory", memory())
            .required()
            .describe("Settings of the memory strategy."),
        Field::array("vary_query_params", Field::string(""))
            .describe("Query parameters that tell answers apart; unset is all."),
        Field::array("vary_headers", Field::string(""))
            .describe("Request headers that tell answers apart."),
        Field::record("response_headers", response_headers())
            .required()
            .describe("Headers added to answers."),
    ]
}

fn memory() -> Schema {
    Schema::record([Field::string("dictionary_name")
        .required()
        .default("kong_db_cache")
        .describe("Name of the shared memory.")])
}

fn response_headers() -> Schema {
    Schema::record([
        Field::boolean("age")
            .default(true)
            .describe("Whether Age is added."),
        Field::boolean("X-Cache-Status")
            .default(true)
            .describe("Whether X-Cache-Status is added."),
        Field::boolean("X-Cache-Key")
            .default(true)
            .describe("Whether X-Cache-Key is added."),
    ])
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Statuses of answers that are kept.
    pub(super) response_code: Vec<i64>,
    /// Methods whose answers are kept.
    pub(super) request_method: Vec<String>,
    /// Content types of answers that are kept.
    pub(super) content_type: Vec<String>,
    /// Seconds an answer is good for.
    pub(super) cache_ttl: u64,
    /// Whether `Cache-Control` decides.
    pub(super) cache_control: bool,
    /// Whether upper and lower case in paths are the same.
    pub(super) ignore_uri_case: bool,
    /// Seconds an answer stays in memory.
    pub(super) storage_ttl: Option<u64>,
    /// Query parameters that tell answers apart; none is all.
    pub(super) vary_query_params: Vec<String>,
    /// Request headers that tell answers apart.
    pub(super) vary_headers: Vec<String>,
    /// Which headers are added: age, status, key.
    pub(super) shows: [bool; 3],
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let codes = read.list("response_code")?;
        let shown = read
            .members("response_headers")?
            .cloned()
            .unwrap_or_default();
        let shows = |name: &str| shown.get(name).and_then(Value::as_bool).unwrap_or(true);
        let flag = |name| Ok::<_, DecodeError>(read.boolean(name)?.unwrap_or(false));
        Ok(Self {
            response_code: codes.iter().filter_map(schema::whole_number).collect(),
            request_method: read.texts("request_method")?,
            content_type: read.texts("content_type")?,
            cache_ttl: read.integer("cache_ttl")?.unwrap_or(300),
            cache_control: flag("cache_control")?,
            ignore_uri_case: flag("ignore_uri_case")?,
            storage_ttl: read.integer("storage_ttl")?,
            vary_query_params: read.texts("vary_query_params")?,
            vary_headers: read.texts("vary_headers")?,
            shows: [shows("age"), shows("X-Cache-Status"), shows("X-Cache-Key")],
        })
    }
}
