//! Configuration of `statsd`.

use schema::{Check, Condition, Field, Pattern, Schema};
use serde_json::json;

use crate::records::queue::queue;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("statsd").fields(server()).fields(naming())
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

fn naming() -> [Field; 8] {
    [
        Field::string("consumer_identifier_default")
            .required()
            .one_of(["consumer_id", "custom_id", "username"])
            .default("custom_id")
            .describe("What names the consumer of a metric that says nothing."),
        Field::string("service_identifier_default")
            .required()
            .one_of([
                "service_id",
                "service_name",
                "service_host",
                "service_name_or_host",
            ])
            .default("service_name_or_host")
            .describe("What names the service of a metric that says nothing."),
        Field::string("workspace_identifier_default")
            .required()
            .one_of(["workspace_id", "workspace_name"])
            .default("workspace_id")
            .describe("What names the workspace of a metric that says nothing."),
        Field::integer("retry_count")
            .going_from(
                "statsd: config.retry_count no longer works, \
                 please use config.queue.max_retry_time instead",
                10,
            )
            .describe("Old setting without effect."),
        Field::integer("queue_size")
            .going_from(
                "statsd: config.queue_size is deprecated, please \
                 use config.queue.max_batch_size instead",
                1,
            )
            .describe("Old name of `queue.max_batch_size`."),
        Field::number("flush_timeout")
            .going_from(
                "statsd: config.flush_timeout is deprecated, \
                 please use config.queue.max_coalescing_delay \
                 instead",
                2,
            )
            .describe("Old name of `queue.max_coalescing_delay`."),
        Field::string("tag_style")
            .optional()
            .one_of(["dogstatsd", "influxdb", "librato", "signalfx"])
            .describe("Dialect of tags; unset puts them into names."),
        Field::record("queue", queue())
            .required()
            .describe("How metrics wait to be sent."),
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
            .one_of(["consumer_id", "custom_id", "username"])
            .describe("What names the consumer."),
        Field::string("service_identifier")
            .one_of([
                "service_id",
                "service_name",
                "service_host",
                "service_name_or_host",
            ])
            .describe("What names the service."),
        Field::string("workspace_identifier")
            .one_of(["workspace_id", "workspace_name"])
            .describe("What names the workspace."),
    ])
    .check(Check::conditional(
        "stat_type",
        Condition::one_of(["counter", "gauge"]),
        "sample_rate",
        Condition::required(),
    ))
}

fn default_metrics() -> serde_json::Value {
    json!([
     {
      "name": "request_count",
      "sample_rate": 1,
      "stat_type": "counter"
     },
     {
      "name": "latency",
      "stat_type": "timer"
     },
     {
      "name": "request_size",
      "sample_rate": 1,
      "stat_type": "counter"
     },
     {
      "name": "status_count",
      "sample_rate": 1,
      "stat_type": "counter"
     },
     {
      "name": "response_size",
      "sample_rate": 1,
      "stat_type": "counter"
     },
     {
      "name": "unique_users",
      "stat_type": "set"
     },
     {
      "name": "request_per_user",
      "sample_rate": 1,
      "stat_type": "counter"
     },
     {
      "name": "upstream_latency",
      "stat_type": "timer"
     },
     {
      "name": "kong_latency",
      "stat_type": "timer"
     },
     {
      "name": "status_count_per_user",
      "sample_rate": 1,
      "stat_type": "counter"
     },
     {
      "name": "status_count_per_workspace",
      "sample_rate": 1,
      "stat_type": "counter"
     },
     {
      "name": "status_count_per_user_per_route",
      "sample_rate": 1,
      "stat_type": "counter"
     },
     {
      "name": "shdict_usage",
      "sample_rate": 1,
      "stat_type": "gauge"
     }
    ])
}
