//! Configuration of `datadog`.

use schema::{Check, Condition, DecodeError, Field, Pattern, Reader, Schema};
use serde_json::{Map, Value, json};

use crate::measures::{Consumer, Measure, kind};
use crate::outbox::Policy;
use crate::records::queue::{policy, queue, settings_before_queue};

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("datadog")
        .fields(agent())
        .fields(settings_before_queue!("datadog"))
        .fields([
            Field::record("queue", queue())
                .required()
                .describe("How metrics wait to be sent."),
            Field::array("metrics", Field::record("", metrics()))
                .required()
                .default(default_metrics())
                .describe("Metrics to send."),
        ])
}

fn agent() -> [Field; 6] {
    [
        Field::host("host")
            .referenceable()
            .default("localhost")
            .describe("Name or address of the agent."),
        Field::port("port")
            .default(8125)
            .describe("Port of the agent."),
        Field::string("prefix")
            .default("kong")
            .describe("Text in front of every metric's name."),
        Field::string("service_name_tag")
            .default("name")
            .describe("Tag that names the service."),
        Field::string("status_tag")
            .default("status")
            .describe("Tag that holds the status."),
        Field::string("consumer_tag")
            .default("consumer")
            .describe("Tag that names the consumer."),
    ]
}

fn metrics() -> Schema {
    Schema::record([
        Field::string("name")
            .required()
            .one_of([
                "kong_latency",
                "latency",
                "request_count",
                "request_size",
                "response_size",
                "upstream_latency",
            ])
            .describe("Which metric."),
        Field::string("stat_type")
            .required()
            .one_of([
                "counter",
                "gauge",
                "histogram",
                "meter",
                "set",
                "timer",
                "distribution",
            ])
            .describe("Kind of metric the agent is told."),
        Field::array(
            "tags",
            Field::string("").matches(Pattern::new("^.*[^:]$", "^.*[^:]$")),
        )
        .describe("Tags of the metric, `key:value`."),
        Field::number("sample_rate")
            .between(0, 1)
            .describe("Share of requests that are reported."),
        Field::string("consumer_identifier")
            .one_of(["consumer_id", "custom_id", "username"])
            .describe("What names the consumer."),
    ])
    .check(Check::conditional(
        "stat_type",
        Condition::one_of(["counter", "gauge"]),
        "sample_rate",
        Condition::required(),
    ))
}

fn default_metrics() -> Value {
    let timers = [
        "latency",
        "request_size",
        "response_size",
        "upstream_latency",
        "kong_latency",
    ];
    let counter = json!({
        "name": "request_count",
        "consumer_identifier": "custom_id",
        "sample_rate": 1,
        "stat_type": "counter",
        "tags": ["app:kong"],
    });
    let timers = timers.into_iter().map(|name| {
        json!({
            "name": name,
            "consumer_identifier": "custom_id",
            "stat_type": "timer",
            "tags": ["app:kong"],
        })
    });
    std::iter::once(counter).chain(timers).collect()
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Name or address of the agent.
    pub(super) host: String,
    /// Port of the agent.
    pub(super) port: u16,
    /// Text in front of every metric's name.
    pub(super) prefix: String,
    /// Tag that names the service.
    pub(super) service_tag: String,
    /// Tag that holds the status.
    pub(super) status_tag: String,
    /// Tag that names the consumer.
    pub(super) consumer_tag: String,
    /// Metrics to send.
    pub(super) metrics: Vec<Metric>,
    /// How metrics wait.
    pub(super) policy: Policy,
}

/// A metric to send.
#[derive(Clone, Debug)]
pub(super) struct Metric {
    /// Which one.
    pub(super) measure: Measure,
    /// Letters of its kind.
    pub(super) kind: &'static str,
    /// Share of requests that the agent is told it stands for.
    pub(super) rate: Option<f64>,
    /// What names the consumer; `None` leaves it out.
    pub(super) consumer: Option<Consumer>,
    /// Further tags, `key:value`.
    pub(super) tags: Vec<String>,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let text = |name, default: &str| {
            let text = read.text(name)?;
            Ok::<_, DecodeError>(text.unwrap_or_else(|| default.to_owned()))
        };
        Ok(Self {
            host: text("host", "localhost")?,
            port: read.integer("port")?.unwrap_or(8125),
            prefix: text("prefix", "kong")?,
            service_tag: text("service_name_tag", "name")?,
            status_tag: text("status_tag", "status")?,
            consumer_tag: text("consumer_tag", "consumer")?,
            metrics: read.list("metrics")?.iter().filter_map(metric).collect(),
            policy: policy(&read)?,
        })
    }
}

fn metric(row: &Value) -> Option<Metric> {
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    let tags = row.get("tags").and_then(Value::as_array);
    let tags = tags.into_iter().flatten().filter_map(Value::as_str);
    Some(Metric {
        measure: Measure::named(text("name")?)?,
        kind: kind(text("stat_type")?),
        rate: row.get("sample_rate").and_then(Value::as_f64),
        consumer: text("consumer_identifier").and_then(Consumer::named),
        tags: tags.map(str::to_owned).collect(),
    })
}
