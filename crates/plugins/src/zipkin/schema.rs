//! Configuration of `zipkin`.

use std::time::Duration;

use schema::{DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value, json};

use super::rules;
use crate::outbox::Policy;
use crate::records::propagation::{old_header_type, propagation};
use crate::records::queue::{policy, queue};
use crate::trace::Propagation;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("zipkin")
        .fields(spans())
        .fields(headers())
        .fields(names())
        .fields(exchange())
}

fn spans() -> [Field; 6] {
    [
        Field::string("local_service_name")
            .required()
            .default("kong")
            .describe("Name of this gateway in spans."),
        Field::url("http_endpoint").describe("URL the spans are sent to; unset reports nothing."),
        Field::number("sample_ratio")
            .between(0, 1)
            .default(0.001)
            .describe(
                "Share of requests traced when the client does not \
                 decide.",
            ),
        Field::string("default_service_name").describe("Name of services that have none."),
        Field::boolean("include_credential")
            .required()
            .default(true)
            .describe("Whether spans name the credential of the caller."),
        Field::integer("traceid_byte_count")
            .required()
            .one_of([8, 16])
            .default(16)
            .describe("Bytes of a trace id."),
    ]
}

fn headers() -> [Field; 2] {
    const FORMATS: [&str; 8] = [
        "b3",
        "b3-single",
        "w3c",
        "jaeger",
        "ot",
        "aws",
        "datadog",
        "gcp",
    ];
    [
        old_header_type(
            FORMATS,
            "zipkin: config.header_type is deprecated, please \
             use config.propagation options instead",
        )
        .required(),
        Field::string("default_header_type")
            .required()
            .one_of(FORMATS)
            .default("b3")
            .going_from(
                "zipkin: config.default_header_type is deprecated, \
                 please use config.propagation.default_format \
                 instead",
                "b3",
            )
            .describe("Old way to say which trace headers are written when none came."),
    ]
}

fn names() -> [Field; 3] {
    [
        Field::string("tags_header")
            .required()
            .default("Zipkin-Tags")
            .describe("Request header that adds tags to the span."),
        Field::array("static_tags", Field::record("", static_tags()))
            .custom("unique_tag_names", rules::distinct_names)
            .describe("Tags of every span."),
        Field::string("http_span_name")
            .required()
            .one_of(["method", "method_path"])
            .default("method")
            .describe("What names the span: the method, or method and path."),
    ]
}

fn exchange() -> [Field; 7] {
    [
        Field::timeout("connect_timeout")
            .default(2000)
            .describe("Milliseconds to connect."),
        Field::timeout("send_timeout")
            .default(5000)
            .describe("Milliseconds between two writes."),
        Field::timeout("read_timeout")
            .default(5000)
            .describe("Milliseconds between two reads."),
        Field::string("http_response_header_for_traceid")
            .describe("Header of the answer that tells the trace id; unset tells nobody."),
        Field::string("phase_duration_flavor")
            .required()
            .one_of(["annotations", "tags"])
            .default("annotations")
            .describe("Whether times of phases are annotations or tags."),
        Field::record("queue", queue())
            .required()
            .describe("How spans wait to be sent."),
        Field::record("propagation", propagation())
            .required()
            .default(json!({"default_format": "b3"}))
            .describe("Which trace headers are read, removed and written."),
    ]
}

fn static_tags() -> Schema {
    Schema::record([
        Field::string("name")
            .required()
            .not_one_of([
                "error",
                "http.method",
                "http.path",
                "http.status_code",
                "kong.balancer.state",
                "kong.balancer.try",
                "kong.consumer",
                "kong.credential",
                "kong.node.id",
                "kong.route",
                "kong.service",
                "lc",
                "peer.hostname",
            ])
            .describe("Name of the tag."),
        Field::string("value")
            .required()
            .describe("Value of the tag."),
    ])
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Name of this gateway in spans.
    pub(super) local_service_name: String,
    /// URL the spans are sent to; `None` reports nothing.
    pub(super) endpoint: Option<String>,
    /// Share of requests traced when the client does not decide.
    pub(super) sample_ratio: f64,
    /// Name of services that have none.
    pub(super) default_service_name: Option<String>,
    /// Whether spans name the credential.
    pub(super) include_credential: bool,
    /// Bytes of a trace id.
    pub(super) trace_id_bytes: usize,
    /// Request header that adds tags.
    pub(super) tags_header: String,
    /// Tags of every request.
    pub(super) static_tags: Vec<(String, String)>,
    /// Whether the path is part of a span's name.
    pub(super) names_path: bool,
    /// The longest of the times to connect, to send and to receive.
    pub(super) timeout: Duration,
    /// Header of the answer that tells the trace id.
    pub(super) response_header: Option<String>,
    /// Whether times of phases are tags.
    pub(super) has_phase_tags: bool,
    /// How spans wait.
    pub(super) policy: Policy,
    /// Which trace headers are read and written.
    pub(super) propagation: Propagation,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let text = |name, default: &str| {
            let text = read.text(name)?;
            Ok::<_, DecodeError>(text.unwrap_or_else(|| default.to_owned()))
        };
        let mut timeout = 0;
        for name in ["connect_timeout", "send_timeout", "read_timeout"] {
            timeout = timeout.max(read.integer::<u64>(name)?.unwrap_or(5000));
        }
        let tag = |row: &Value| {
            let text = |name| Some(row.get(name)?.as_str()?.to_owned());
            Some((text("name")?, text("value")?))
        };
        Ok(Self {
            local_service_name: text("local_service_name", "kong")?,
            endpoint: read.text("http_endpoint")?,
            sample_ratio: read.number("sample_ratio")?.unwrap_or(0.001),
            default_service_name: read.text("default_service_name")?,
            include_credential: read.boolean("include_credential")?.unwrap_or(true),
            trace_id_bytes: read.integer("traceid_byte_count")?.unwrap_or(16),
            tags_header: text("tags_header", "Zipkin-Tags")?,
            static_tags: read.list("static_tags")?.iter().filter_map(tag).collect(),
            names_path: text("http_span_name", "method")? == "method_path",
            timeout: Duration::from_millis(timeout.max(1)),
            response_header: read.text("http_response_header_for_traceid")?,
            has_phase_tags: text("phase_duration_flavor", "annotations")? == "tags",
            policy: policy(&read)?,
            propagation: Propagation::read(&read)?,
        })
    }
}
