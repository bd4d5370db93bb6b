//! Configuration of `opentelemetry`.

use schema::{Check, Field, Schema, Shorthand};
use serde_json::json;

use crate::records::propagation::{old_header_type, propagation};
use crate::records::queue::queue;

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
