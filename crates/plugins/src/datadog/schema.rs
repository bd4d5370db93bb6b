//! Configuration of `datadog`.

use schema::{Check, Condition, Field, Pattern, Schema};
use serde_json::{Value, json};

use crate::records::queue::{queue, settings_before_queue};

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
