//! Configuration of `aws-lambda`.

use schema::{Check, DecodeError, Field, Reader, Schema};
use serde_json::{Map, Value};

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

/// What an instance is told.
pub(super) struct Config {
    /// Milliseconds to wait for the function.
    pub(super) timeout: f64,
    /// Milliseconds an idle connection is kept.
    pub(super) keepalive: f64,
    /// Access key id and secret.
    pub(super) keys: Option<(String, String)>,
    /// Role to take on, and the name of the session.
    pub(super) role: Option<(String, String)>,
    /// Where roles are taken on.
    pub(super) sts_endpoint: Option<String>,
    /// Region of the function.
    pub(super) region: Option<String>,
    /// Name or ARN of the function.
    pub(super) function_name: Option<String>,
    /// Version or alias.
    pub(super) qualifier: Option<String>,
    /// `RequestResponse`, `Event` or `DryRun`.
    pub(super) invocation_type: String,
    /// `Tail` or `None`.
    pub(super) log_type: String,
    /// Host and port of the endpoint.
    pub(super) host: Option<String>,
    pub(super) port: u16,
    /// Whether the endpoint is called without TLS.
    pub(super) disable_https: bool,
    /// Status of the answer when the function fails.
    pub(super) unhandled_status: Option<u16>,
    /// What of the request is passed to the function.
    pub(super) forwards: Forwards,
    /// Whether the result names status, headers and body.
    pub(super) is_proxy_integration: bool,
    /// Whether the function gets the event of the Amazon API Gateway.
    pub(super) awsgateway_compatible: bool,
    /// Forward proxy.
    pub(super) proxy_url: Option<String>,
    /// Whether a large body is left out.
    pub(super) skip_large_bodies: bool,
    /// Whether the body is passed in base64.
    pub(super) base64_encode_body: bool,
    /// Whether the metadata service opens a session first.
    pub(super) has_metadata_session: bool,
    /// Whether empty lists of the result become objects.
    pub(super) is_legacy_about_lists: bool,
}

/// What of the request is passed to the function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Forwards {
    pub(super) method: bool,
    pub(super) uri: bool,
    pub(super) headers: bool,
    pub(super) body: bool,
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let is_on = |name| Ok(read.boolean(name)?.unwrap_or(false));
        let session = read.text("aws_role_session_name")?;
        let session = session.unwrap_or_else(|| "kong".to_owned());
        let keys = read.text("aws_key")?.zip(read.text("aws_secret")?);
        let role = read.text("aws_assume_role_arn")?;
        Ok(Self {
            timeout: read.number("timeout")?.unwrap_or(60_000.0),
            keepalive: read.number("keepalive")?.unwrap_or(60_000.0),
            keys,
            role: role.map(|role| (role, session)),
            sts_endpoint: read.text("aws_sts_endpoint_url")?,
            region: read.text("aws_region")?,
            function_name: read.text("function_name")?,
            qualifier: read.text("qualifier")?,
            invocation_type: read.required_text("invocation_type")?,
            log_type: read.required_text("log_type")?,
            host: read.text("host")?,
            port: read.integer("port")?.unwrap_or(443),
            disable_https: is_on("disable_https")?,
            unhandled_status: read.integer("unhandled_status")?,
            forwards: Forwards {
                method: is_on("forward_request_method")?,
                uri: is_on("forward_request_uri")?,
                headers: is_on("forward_request_headers")?,
                body: is_on("forward_request_body")?,
            },
            is_proxy_integration: is_on("is_proxy_integration")?,
            awsgateway_compatible: is_on("awsgateway_compatible")?,
            proxy_url: read.text("proxy_url")?,
            skip_large_bodies: read.boolean("skip_large_bodies")?.unwrap_or(true),
            base64_encode_body: read.boolean("base64_encode_body")?.unwrap_or(true),
            has_metadata_session: read.required_text("aws_imds_protocol_version")? == "v2",
            is_legacy_about_lists: read.required_text("empty_arrays_mode")? == "legacy",
        })
    }
}
