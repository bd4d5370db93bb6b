//! Configuration of `zipkin`.

use schema::{Field, Schema};
use serde_json::json;

use super::rules;
use crate::records::propagation::{old_header_type, propagation};
use crate::records::queue::queue;

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
