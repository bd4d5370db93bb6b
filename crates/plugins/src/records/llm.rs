//! Language models: which one, how it is called, what is logged of it.

use schema::{Check, Condition, CustomCheck, Failure, Field, Map, Schema};
use serde_json::Value;

/// Dialects of requests.
const FORMATS: [&str; 3] = ["openai", "bedrock", "gemini"];

/// The dialect that clients speak.
pub(crate) fn format() -> Field {
    Field::string("llm_format")
        .optional()
        .one_of(FORMATS)
        .default("openai")
        .describe("Dialect of the requests: OpenAI's, or a provider's own.")
}

/// How much of a body is looked at.
pub(crate) fn max_request_body_size() -> Field {
    Field::integer("max_request_body_size")
        .gt(0)
        .default(8192)
        .describe("Most bytes of a body that are looked at.")
}

/// What the plugins that have a model rewrite bodies share: instructions come first, those of one
/// plugin alone after those of both, then how the model is called, then the model.
pub(crate) fn transformer(schema: Schema, own_instruction: Option<Field>) -> Schema {
    let proxy_host = |name| Field::host(name).describe("Host of a forward proxy to the model.");
    let proxy_port = |name| Field::port(name).describe("Port of a forward proxy to the model.");
    schema
        .fields([
            Field::string("prompt")
                .required()
                .describe("What the model is told to do with the body."),
            Field::string("transformation_extract_pattern")
                .optional()
                .describe("Regular expression whose first match in the answer becomes the body."),
        ])
        .fields(own_instruction)
        .field(
            Field::integer("http_timeout")
                .required()
                .default(60_000)
                .describe("Milliseconds to wait for the model."),
        )
        .field(
            Field::boolean("https_verify")
                .required()
                .default(true)
                .describe("Whether the model's certificate is verified."),
        )
        .field(max_request_body_size())
        .field(proxy_host("http_proxy_host"))
        .field(proxy_port("http_proxy_port"))
        .field(proxy_host("https_proxy_host"))
        .field(proxy_port("https_proxy_port"))
        .field(
            Field::record("llm", model(Schema::new("")))
                .required()
                .describe("The model."),
        )
        .outer_check(
            Check::conditional(
                "config.llm.route_type",
                Condition::not_one_of(["llm/v1/chat"]),
                "config.llm.route_type",
                Condition::eq("llm/v1/chat"),
            )
            .with_err("'config.llm.route_type' must be 'llm/v1/chat' for AI transformer plugins"),
        )
        .outer_check(Check::MutuallyRequired(vec![
            "config.http_proxy_host",
            "config.http_proxy_port",
        ]))
        .outer_check(Check::MutuallyRequired(vec![
            "config.https_proxy_host",
            "config.https_proxy_port",
        ]))
}

/// Adds the members that describe a model, and their checks.
pub(crate) fn model(schema: Schema) -> Schema {
    let schema = schema
        .field(
            Field::string("route_type")
                .required()
                .one_of(["llm/v1/chat", "llm/v1/completions", "preserve"])
                .describe("What the model does; `preserve` passes requests as they are."),
        )
        .field(
            Field::record("auth", auth())
                .optional()
                .describe("How the gateway proves itself to the model."),
        )
        .field(
            Field::record(
                "model",
                Schema::record([
                    Field::string("provider")
                        .required()
                        .one_of([
                            "openai",
                            "azure",
                            "anthropic",
                            "cohere",
                            "mistral",
                            "llama2",
                            "gemini",
                            "bedrock",
                            "huggingface",
                        ])
                        .describe("Whose model it is."),
                    Field::string("name")
                        .optional()
                        .describe("Name of the model."),
                    Field::record("options", options())
                        .optional()
                        .describe("Settings of the model."),
                ]),
            )
            .required()
            .describe("The model."),
        )
        .field(
            Field::record(
                "logging",
                Schema::record([
                    Field::boolean("log_statistics")
                        .required()
                        .default(false)
                        .describe("Whether tokens and times become part of the log record."),
                    Field::boolean("log_payloads")
                        .required()
                        .default(false)
                        .describe("Whether bodies become part of the log record."),
                ]),
            )
            .required()
            .describe("What is logged of the model."),
        );
    checks().into_iter().fold(schema, Schema::check)
}

fn auth() -> Schema {
    let secret = |name, description| {
        Field::string(name)
            .optional()
            .encrypted()
            .referenceable()
            .describe(description)
    };
    let plain = |name, description| {
        Field::string(name)
            .optional()
            .referenceable()
            .describe(description)
    };
    let flag = |name, description| {
        Field::boolean(name)
            .optional()
            .default(false)
            .describe(description)
    };
    Schema::record([
        plain("header_name", "Header that carries the key."),
        secret("header_value", "Value of that header."),
        plain("param_name", "Parameter that carries the key."),
        secret("param_value", "Value of that parameter."),
        Field::string("param_location")
            .optional()
            .one_of(["query", "body"])
            .describe("Whether the parameter stands in the query or in the body."),
        flag(
            "gcp_use_service_account",
            "Whether a Google Cloud service account proves the gateway.",
        ),
        plain(
            "gcp_service_account_json",
            "That account as JSON; the environment's unless set.",
        ),
        secret("aws_access_key_id", "AWS access key id."),
        secret("aws_secret_access_key", "AWS secret access key."),
        flag(
            "allow_override",
            "Whether the client's own key takes the place of the configured one.",
        ),
    ])
}

fn options() -> Schema {
    let text = |name, description| Field::string(name).optional().describe(description);
    Schema::record([
        Field::integer("max_tokens")
            .optional()
            .describe("Most tokens of an answer."),
        Field::number("input_cost")
            .optional()
            .gt(0)
            .describe("Cost of a million tokens of prompts."),
        Field::number("output_cost")
            .optional()
            .gt(0)
            .describe("Cost of a million tokens of answers."),
        Field::number("temperature")
            .optional()
            .between(0, 5)
            .describe("How freely the model picks tokens."),
        Field::number("top_p")
            .optional()
            .between(0, 1)
            .describe("Share of probability tokens are picked from."),
        Field::integer("top_k")
            .optional()
            .between(0, 500)
            .describe("Number of tokens picked from."),
        text("anthropic_version", "Version of Anthropic's API."),
        text("azure_instance", "Instance of Azure OpenAI."),
        text("azure_api_version", "Version of Azure's API.").default("2023-05-15"),
        text("azure_deployment_id", "Deployment of Azure OpenAI."),
        text("llama2_format", "Dialect of a llama2 server.").one_of(["raw", "openai", "ollama"]),
        text("mistral_format", "Dialect of a mistral server.").one_of(["openai", "ollama"]),
        Field::url("upstream_url")
            .optional()
            .describe("URL of the model, instead of the provider's."),
        text(
            "upstream_path",
            "Path of the model, instead of the provider's.",
        ),
        Field::record("gemini", gemini())
            .optional()
            .describe("Settings of Gemini on Vertex."),
        Field::record(
            "bedrock",
            Schema::record([text("aws_region", "Region, instead of the environment's.")]),
        )
        .optional()
        .describe("Settings of Bedrock."),
        Field::record("huggingface", huggingface())
            .optional()
            .describe("Settings of Hugging Face."),
    ])
}

fn gemini() -> Schema {
    let text = |name, description| Field::string(name).optional().describe(description);
    Schema::record([
        text("api_endpoint", "Host of the region's endpoint."),
        text("project_id", "Project."),
        text("location_id", "Location."),
    ])
    .check(Check::MutuallyRequired(vec![
        "api_endpoint",
        "project_id",
        "location_id",
    ]))
}

fn huggingface() -> Schema {
    let flag = |name, description| Field::boolean(name).optional().describe(description);
    Schema::record([
        flag("use_cache", "Whether kept answers may be given."),
        flag(
            "wait_for_model",
            "Whether to wait until the model is loaded.",
        ),
    ])
}

fn checks() -> Vec<Check> {
    let needs = |provider: &'static str, member, message| Check::ConditionalAtLeastOneOf {
        if_field: "model.provider",
        if_match: Condition::one_of([provider]),
        then_any: vec![member],
        then_err: Some(message),
        else_any: Vec::new(),
        else_err: None,
    };
    const AZURE: &str = "must set %s for azure provider";
    vec![
        Check::conditional(
            "model.provider",
            Condition::one_of(["bedrock", "gemini"]),
            "auth.allow_override",
            Condition::eq(false),
        )
        .with_err("bedrock and gemini only support auth.allow_override = false"),
        Check::MutuallyRequired(vec!["auth.header_name", "auth.header_value"]),
        Check::MutuallyRequired(vec![
            "auth.param_name",
            "auth.param_value",
            "auth.param_location",
        ]),
        needs(
            "llama2",
            "model.options.llama2_format",
            "must set %s for llama2 provider",
        ),
        needs(
            "mistral",
            "model.options.mistral_format",
            "must set %s for mistral provider",
        ),
        needs(
            "anthropic",
            "model.options.anthropic_version",
            "must set %s for anthropic provider",
        ),
        needs("azure", "model.options.azure_instance", AZURE),
        needs("azure", "model.options.azure_api_version", AZURE),
        needs("azure", "model.options.azure_deployment_id", AZURE),
        needs(
            "llama2",
            "model.options.upstream_url",
            "must set %s for self-hosted providers/models",
        ),
        Check::Custom(CustomCheck {
            name: "statistics of the model",
            fields: MODEL,
            published: MODEL,
            run_with_missing_fields: false,
            run_with_invalid_fields: false,
            run: has_statistics,
        }),
    ]
}

const MODEL: &[&str] = &["route_type", "model", "logging"];

/// Anthropic's completions say nothing about tokens.
fn has_statistics(body: &Map) -> Result<(), Failure> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let provider = text(body.get("model").and_then(|model| model.get("provider")));
    let route_type = text(body.get("route_type"));
    let logging = body.get("logging");
    let wanted = logging.and_then(|logging| logging.get("log_statistics"));
    if wanted == Some(&Value::Bool(true))
        && provider == "anthropic"
        && route_type == "llm/v1/completions"
    {
        return Err(Failure::entity(format!(
            "{provider} does not support statistics when route_type is {route_type}"
        )));
    }
    Ok(())
}
