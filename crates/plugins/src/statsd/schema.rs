//! Configuration of `statsd`.

use schema::{Check, Condition, Field, Pattern, Schema};
use serde_json::{Value, json};

use crate::records::queue::{queue, settings_before_queue};

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
