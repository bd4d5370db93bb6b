//! Configuration of `aws-lambda`.

use schema::{Check, Field, Schema};

use super::rules;

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    Schema::new("aws-lambda")
        .fields(account())
        .fields(function())
        .fields(forwarding())
        .outer_check(Check::MutuallyRequired(vec![
            "config.aws_key",
            "config.aws_secret",
        ]))
        .outer_check(rules::proxy_without_tls())
}

fn account() -> [Field; 8] {
    [
        Field::number("timeout")
            .required()
            .default(60_000)
            .describe("Milliseconds to wait for the function."),
        Field::number("keepalive")
            .required()
            .default(60_000)
            .describe("Milliseconds an idle connection is kept."),
        Field::string("aws_key")
            .encrypted()
            .referenceable()
            .describe("Access key id."),
        Field::string("aws_secret")
            .encrypted()
            .referenceable()
            .describe("Secret access key."),
        Field::string("aws_assume_role_arn")
            .encrypted()
            .referenceable()
            .describe("Role to take on."),
        Field::string("aws_role_session_name")
            .default("kong")
            .describe("Name of the session under that role."),
        Field::url("aws_sts_endpoint_url")
            .describe("Where roles are taken on; the region's endpoint unless set."),
        Field::host("aws_region").describe("Region of the function."),
    ]
}

fn function() -> [Field; 8] {
    [
        Field::string("function_name")
            .optional()
            .describe("Name or ARN of the function."),
        Field::string("qualifier").describe("Version or alias of the function."),
        Field::string("invocation_type")
            .required()
            .one_of(["RequestResponse", "Event", "DryRun"])
            .default("RequestResponse")
            .describe("Whether to wait for the result, only start it, or only try the permission."),
        Field::string("log_type")
            .required()
            .one_of(["Tail", "None"])
            .default("Tail")
            .describe("Whether the end of the function's log comes with the result."),
        Field::host("host").describe("Host of the endpoint, instead of a region."),
        Field::port("port")
            .default(443)
            .describe("Port of the endpoint."),
        Field::boolean("disable_https")
            .default(false)
            .describe("Whether the endpoint is called without TLS."),
        Field::integer("unhandled_status")
            .between(100, 999)
            .describe("Status of the answer when the function fails."),
    ]
}

fn forwarding() -> [Field; 11] {
    [
        Field::boolean("forward_request_method")
            .default(false)
            .describe("Whether the method is passed to the function."),
        Field::boolean("forward_request_uri")
            .default(false)
            .describe("Whether path and query are passed to the function."),
        Field::boolean("forward_request_headers")
            .default(false)
            .describe("Whether headers are passed to the function."),
        Field::boolean("forward_request_body")
            .default(false)
            .describe("Whether the body is passed to the function."),
        Field::boolean("is_proxy_integration")
            .default(false)
            .describe("Whether the function's result names status, headers and body."),
        Field::boolean("awsgateway_compatible")
            .default(false)
            .describe("Whether the function gets the event of the Amazon API Gateway."),
        Field::url("proxy_url").describe("Forward proxy on the way to the endpoint."),
        Field::boolean("skip_large_bodies").default(true).describe(
            "Whether a body beyond the memory buffer is left out instead of read from disk.",
        ),
        Field::boolean("base64_encode_body")
            .default(true)
            .describe("Whether the body is passed in base64."),
        Field::string("aws_imds_protocol_version")
            .required()
            .one_of(["v1", "v2"])
            .default("v1")
            .describe("Version of the instance metadata service that gives credentials."),
        Field::string("empty_arrays_mode")
            .required()
            .one_of(["legacy", "correct"])
            .default("legacy")
            .describe("Whether empty lists of the result stay lists or become objects."),
    ]
}
