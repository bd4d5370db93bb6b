//! Configuration of `opentelemetry`.

use std::time::Duration;

use schema::{Check, DecodeError, Field, Reader, Schema, Shorthand};
use serde_json::{Map, Value, json};

use crate::outbox::Policy;
use crate::records::propagation::{old_header_type, propagation};
use crate::records::queue::{policy, queue};
use crate::trace::Propagation;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("opentelemetry")
        .fields(targets())
        .fields(exchange())
        .check(Check::AtLeastOneOf(vec![
            "traces_endpoint",
            "logs_endpoint",
        ]))
        .shorthand(Shorthand::expands(
            Field::url("endpoint")
                .referenceable()
                .going(
                    "OpenTelemetry: config.endpoint is deprecated, \
                     please use config.traces_endpoint instead",
                )
                .describe("Old name of `traces_endpoint`."),
            |value| schema::Map::from_iter([("traces_endpoint".to_owned(), value.clone())]),
        ))
}

fn targets() -> [Field; 7] {
    [
        Field::url("traces_endpoint")
            .referenceable()
            .describe("URL that spans are sent to."),
        Field::url("logs_endpoint")
            .referenceable()
            .describe("URL that log lines are sent to."),
        Field::map(
            "headers",
            Field::header_name(""),
            Field::string("").referenceable(),
        )
        .describe("Headers sent along."),
        Field::map("resource_attributes", Field::string(""), Field::string(""))
            .describe("Attributes of the resource, beside those of the node."),
        Field::record("queue", queue())
            .required()
            .default(json!({"max_batch_size": 200}))
            .describe("How spans wait to be sent."),
        Field::integer("batch_span_count")
            .going_from(
                "opentelemetry: config.batch_span_count is \
                 deprecated, please use config.queue.max_batch_size \
                 instead",
                200,
            )
            .describe("Old name of `queue.max_batch_size`."),
        Field::integer("batch_flush_delay")
            .going_from(
                "opentelemetry: config.batch_flush_delay is \
                 deprecated, please use \
                 config.queue.max_coalescing_delay instead",
                3,
            )
            .describe("Old name of `queue.max_coalescing_delay`."),
    ]
}

fn exchange() -> [Field; 7] {
    [
        Field::timeout("connect_timeout")
            .default(1000)
            .describe("Milliseconds to connect."),
        Field::timeout("send_timeout")
            .default(5000)
            .describe("Milliseconds between two writes."),
        Field::timeout("read_timeout")
            .default(5000)
            .describe("Milliseconds between two reads."),
        Field::string("http_response_header_for_traceid").describe(
            "Header of the answer that tells the trace id; \
             unset tells nobody.",
        ),
        old_header_type(
            [
                "b3",
                "b3-single",
                "w3c",
                "jaeger",
                "ot",
                "aws",
                "gcp",
                "datadog",
            ],
            "opentelemetry: config.header_type is deprecated, \
             please use config.propagation options instead",
        )
        .optional(),
        Field::number("sampling_rate")
            .optional()
            .between(0, 1)
            .describe(
                "Share of requests that are traced; the node's \
                 setting unless set.",
            ),
        Field::record("propagation", propagation())
            .required()
            .default(json!({"default_format": "w3c"}))
            .describe("Which trace headers are read, removed and written."),
    ]
}

/// What an instance is told.
#[derive(Clone)]
pub(super) struct Config {
    /// URL that spans are sent to.
    pub(super) traces_endpoint: Option<String>,
    /// URL that log lines are sent to.
    pub(super) logs_endpoint: Option<String>,
    /// Headers sent along; may be secret.
    pub(super) headers: Vec<(String, String)>,
    /// Attributes of the resource.
    pub(super) resource_attributes: Vec<(String, String)>,
    /// The longest of the times to connect, to send and to receive.
    pub(super) timeout: Duration,
    /// Header of the answer that tells the trace id.
    pub(super) response_header: Option<String>,
    /// Share of requests that are traced; `None` for that of the node.
    pub(super) sampling_rate: Option<f64>,
    /// How spans wait.
    pub(super) policy: Policy,
    /// Which trace headers are read and written.
    pub(super) propagation: Propagation,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let pairs = |name| {
            let members = read.members(name)?.cloned().unwrap_or_default();
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let pair = |(name, value): (String, Value)| Some((name, text(&value)?));
            Ok::<Vec<_>, DecodeError>(members.into_iter().filter_map(pair).collect())
        };
        let mut timeout = 0;
        for name in ["connect_timeout", "send_timeout", "read_timeout"] {
            timeout = timeout.max(read.integer::<u64>(name)?.unwrap_or(5000));
        }
        let mut policy = policy(&read)?;
        if let Some(size) = read.integer("batch_span_count")? {
            policy.max_batch = size;
        }
        if let Some(delay) = read.integer::<u64>("batch_flush_delay")? {
            policy.patience = Duration::from_secs(delay);
        }
        Ok(Self {
            traces_endpoint: read.text("traces_endpoint")?,
            logs_endpoint: read.text("logs_endpoint")?,
            headers: pairs("headers")?,
            resource_attributes: pairs("resource_attributes")?,
            timeout: Duration::from_millis(timeout.max(1)),
            response_header: read.text("http_response_header_for_traceid")?,
            sampling_rate: read.number("sampling_rate")?,
            policy,
            propagation: Propagation::read(&read)?,
        })
    }
}
