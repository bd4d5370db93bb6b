//! Configuration of `statsd`.

use std::ops::RangeInclusive;

use schema::{Check, Condition, DecodeError, Field, Pattern, Reader, Schema};
use serde_json::{Map, Value, json};

use crate::measures::{Consumer, TagStyle, kind};
use crate::outbox::Policy;
use crate::records::queue::{policy, queue, settings_before_queue};

/// What may name the consumer of a metric.
const CONSUMER: [&str; 3] = ["consumer_id", "custom_id", "username"];

/// What may name the service of a metric.
const SERVICE: [&str; 4] = [
    "service_id",
    "service_name",
    "service_host",
    "service_name_or_host",
];

/// What may name the workspace of a metric.
const WORKSPACE: [&str; 2] = ["workspace_id", "workspace_name"];

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("statsd")
        .fields(server())
        .fields(naming())
        .fields(settings_before_queue!("statsd"))
        .fields([
            Field::string("tag_style")
                .optional()
                .one_of(["dogstatsd", "influxdb", "librato", "signalfx"])
                .describe("Dialect of tags; unset puts them into names."),
            Field::record("queue", queue())
                .required()
                .describe("How metrics wait to be sent."),
        ])
}

fn server() -> [Field; 8] {
    [
        Field::host("host")
            .default("localhost")
            .describe("Name or address of the server."),
        Field::port("port")
            .default(8125)
            .describe("Port of the server."),
        Field::string("prefix")
            .default("kong")
            .describe("Text in front of every metric's name."),
        Field::array("metrics", Field::record("", metrics()))
            .default(default_metrics())
            .describe("Metrics to send."),
        Field::array(
            "allow_status_codes",
            Field::string("").matches(Pattern::new("^[0-9]+-[0-9]+$", "^[0-9]+-[0-9]+$")),
        )
        .describe("Ranges of statuses that are reported, `200-299`; unset is all."),
        Field::number("udp_packet_size")
            .between(0, 65_507)
            .default(0)
            .describe("Bytes of metrics gathered in a datagram; 0 sends each alone."),
        Field::boolean("use_tcp")
            .default(false)
            .describe("Whether metrics go over TCP."),
        Field::boolean("hostname_in_prefix")
            .default(false)
            .describe("Whether the prefix names the machine."),
    ]
}

fn naming() -> [Field; 3] {
    [
        Field::string("consumer_identifier_default")
            .required()
            .one_of(CONSUMER)
            .default("custom_id")
            .describe("What names the consumer of a metric that says nothing."),
        Field::string("service_identifier_default")
            .required()
            .one_of(SERVICE)
            .default("service_name_or_host")
            .describe("What names the service of a metric that says nothing."),
        Field::string("workspace_identifier_default")
            .required()
            .one_of(WORKSPACE)
            .default("workspace_id")
            .describe("What names the workspace of a metric that says nothing."),
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
                "request_per_user",
                "request_size",
                "response_size",
                "status_count",
                "status_count_per_user",
                "unique_users",
                "upstream_latency",
                "status_count_per_workspace",
                "status_count_per_user_per_route",
                "shdict_usage",
            ])
            .describe("Which metric."),
        Field::string("stat_type")
            .required()
            .one_of(["counter", "gauge", "histogram", "meter", "set", "timer"])
            .describe("Kind of metric the server is told."),
        Field::number("sample_rate")
            .gt(0)
            .describe("Share of requests that are reported."),
        Field::string("consumer_identifier")
            .one_of(CONSUMER)
            .describe("What names the consumer."),
        Field::string("service_identifier")
            .one_of(SERVICE)
            .describe("What names the service."),
        Field::string("workspace_identifier")
            .one_of(WORKSPACE)
            .describe("What names the workspace."),
    ])
    .check(Check::conditional(
        "stat_type",
        Condition::one_of(["counter", "gauge"]),
        "sample_rate",
        Condition::required(),
    ))
}

fn default_metrics() -> Value {
    let sampled = |name, stat_type| json!({"name": name, "sample_rate": 1, "stat_type": stat_type});
    let whole = |name, stat_type| json!({"name": name, "stat_type": stat_type});
    Value::from_iter([
        sampled("request_count", "counter"),
        whole("latency", "timer"),
        sampled("request_size", "counter"),
        sampled("status_count", "counter"),
        sampled("response_size", "counter"),
        whole("unique_users", "set"),
        sampled("request_per_user", "counter"),
        whole("upstream_latency", "timer"),
        whole("kong_latency", "timer"),
        sampled("status_count_per_user", "counter"),
        sampled("status_count_per_workspace", "counter"),
        sampled("status_count_per_user_per_route", "counter"),
        sampled("shdict_usage", "gauge"),
    ])
}

/// What an instance is told.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Name or address of the server.
    pub(super) host: String,
    /// Port of the server.
    pub(super) port: u16,
    /// Text in front of every metric's name.
    pub(super) prefix: String,
    /// Metrics to send.
    pub(super) metrics: Vec<Metric>,
    /// Statuses that are reported; `None` for all.
    pub(super) statuses: Option<Vec<RangeInclusive<u16>>>,
    /// Bytes of metrics gathered in a datagram; 0 for one each.
    pub(super) packet_size: usize,
    /// Whether metrics go over TCP.
    pub(super) use_tcp: bool,
    /// Whether the prefix names the machine.
    pub(super) hostname_in_prefix: bool,
    /// Dialect of tags.
    pub(super) tag_style: Option<TagStyle>,
    /// How metrics wait.
    pub(super) policy: Policy,
}

/// What names the service of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServiceNaming {
    /// Its id.
    Id,
    /// Its name.
    Name,
    /// Its host.
    Host,
    /// Its name, or its host where it has none.
    NameOrHost,
}

/// A metric to send.
#[derive(Clone, Debug)]
pub(super) struct Metric {
    /// Which one.
    pub(super) name: String,
    /// Letters of its kind.
    pub(super) kind: &'static str,
    /// Share of requests that the server is told it stands for.
    pub(super) rate: Option<f64>,
    /// What names the consumer.
    pub(super) consumer: Consumer,
    /// What names the service.
    pub(super) service: ServiceNaming,
    /// Name of the workspace.
    pub(super) workspace: String,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let text = |name| Ok::<_, DecodeError>(read.text(name)?.unwrap_or_default());
        let flag = |name| Ok::<_, DecodeError>(read.boolean(name)?.unwrap_or(false));
        let defaults = [
            text("consumer_identifier_default")?,
            text("service_identifier_default")?,
            text("workspace_identifier_default")?,
        ];
        let metrics = read.list("metrics")?.iter();
        let ranges = read.list("allow_status_codes")?.iter();
        let ranges: Vec<_> = ranges.filter_map(Value::as_str).filter_map(range).collect();
        let has_ranges = config
            .get("allow_status_codes")
            .is_some_and(Value::is_array);
        Ok(Self {
            host: read.required_text("host")?,
            port: read.integer("port")?.unwrap_or(8125),
            prefix: text("prefix")?,
            metrics: metrics.map(|row| metric(row, &defaults)).collect(),
            statuses: has_ranges.then_some(ranges),
            packet_size: read.integer("udp_packet_size")?.unwrap_or(0),
            use_tcp: flag("use_tcp")?,
            hostname_in_prefix: flag("hostname_in_prefix")?,
            tag_style: read.text("tag_style")?.as_deref().and_then(TagStyle::named),
            policy: policy(&read)?,
        })
    }
}

/// `200-299`.
fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let (from, to) = text.split_once('-')?;
    let bound = |text: &str| {
        text.parse::<u64>()
            .ok()
            .map(|n| u16::try_from(n).unwrap_or(u16::MAX))
    };
    Some(bound(from)?..=bound(to)?)
}

fn metric(row: &Value, defaults: &[String; 3]) -> Metric {
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    let [consumer, service, workspace] = defaults;
    let service = match text("service_identifier").unwrap_or(service) {
        "service_id" => ServiceNaming::Id,
        "service_name" => ServiceNaming::Name,
        "service_host" => ServiceNaming::Host,
        _ => ServiceNaming::NameOrHost,
    };
    let workspace = match text("workspace_identifier").unwrap_or(workspace) {
        "workspace_name" => "default".to_owned(),
        _ => entities::DEFAULT_WORKSPACE.to_string(),
    };
    let consumer = text("consumer_identifier").unwrap_or(consumer);
    Metric {
        name: text("name").unwrap_or_default().to_owned(),
        kind: kind(text("stat_type").unwrap_or_default()),
        rate: row.get("sample_rate").and_then(Value::as_f64),
        consumer: Consumer::named(consumer).unwrap_or(Consumer::CustomId),
        service,
        workspace,
    }
}
