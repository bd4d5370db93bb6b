//! A model as a configuration names it, and how it is reached.

use plugin_api::BuildError;
use schema::{DecodeError, Reader};
use serde_json::{Map, Value};

use crate::outcall::{Url, escape};

/// Whose model it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    Openai,
    Azure,
    Anthropic,
    Cohere,
    Mistral,
    Llama2,
    Gemini,
    Bedrock,
    Huggingface,
}

/// What the model does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Chat,
    Completions,
    /// Requests pass as they are.
    Preserve,
}

/// The form of requests and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Openai,
    Anthropic,
    Cohere,
    Gemini,
    Bedrock,
    Ollama,
    /// The first form of llama2: one text in, one text out.
    Raw,
}

/// How the gateway proves itself. Prints nothing.
#[derive(Clone, Default)]
pub(crate) struct Auth {
    /// Name and value.
    pub(crate) header: Option<(String, String)>,
    pub(crate) parameter: Option<(String, String)>,
    pub(crate) parameter_is_in_body: bool,
    /// Access key id and secret of AWS.
    pub(crate) aws: Option<(String, String)>,
    /// Whether a client's own proof counts.
    pub(crate) allows_override: bool,
}

/// A model.
pub(crate) struct Target {
    pub(crate) provider: Provider,
    pub(crate) kind: Kind,
    pub(crate) shape: Shape,
    pub(crate) name: Option<String>,
    pub(crate) auth: Auth,
    pub(crate) options: Map<String, Value>,
    pub(crate) logs_statistics: bool,
    pub(crate) logs_payloads: bool,
    /// The URL without what depends on a request.
    base: Url,
    /// Whether the URL of the configuration names a path.
    has_own_path: bool,
}

fn provider(name: &str) -> Option<Provider> {
    Some(match name {
        "openai" => Provider::Openai,
        "azure" => Provider::Azure,
        "anthropic" => Provider::Anthropic,
        "cohere" => Provider::Cohere,
        "mistral" => Provider::Mistral,
        "llama2" => Provider::Llama2,
        "gemini" => Provider::Gemini,
        "bedrock" => Provider::Bedrock,
        "huggingface" => Provider::Huggingface,
        _ => return None,
    })
}

impl Provider {
    /// Its name in a configuration.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Azure => "azure",
            Self::Anthropic => "anthropic",
            Self::Cohere => "cohere",
            Self::Mistral => "mistral",
            Self::Llama2 => "llama2",
            Self::Gemini => "gemini",
            Self::Bedrock => "bedrock",
            Self::Huggingface => "huggingface",
        }
    }
}

/// The text under a member.
fn text(members: &Map<String, Value>, name: &str) -> Option<String> {
    members.get(name)?.as_str().map(str::to_owned)
}

/// The text under a member of a member.
fn inner(members: &Map<String, Value>, outer: &str, name: &str) -> Option<String> {
    members.get(outer)?.get(name)?.as_str().map(str::to_owned)
}

impl Auth {
    fn read(members: &Map<String, Value>) -> Self {
        let is_on = |name: &str| members.get(name) == Some(&Value::Bool(true));
        Self {
            header: text(members, "header_name").zip(text(members, "header_value")),
            parameter: text(members, "param_name").zip(text(members, "param_value")),
            parameter_is_in_body: text(members, "param_location").as_deref() == Some("body"),
            aws: text(members, "aws_access_key_id").zip(text(members, "aws_secret_access_key")),
            allows_override: is_on("allow_override"),
        }
    }
}

impl Target {
    /// Reads the members that describe a model; `field` is the path in front of them.
    pub(crate) fn read(config: &Map<String, Value>, field: &str) -> Result<Self, BuildError> {
        let bad = |name: &str, reason: &str| BuildError::Config {
            field: format!("{field}{name}"),
            reason: reason.to_owned(),
        };
        let read = Reader::new("plugins", config);
        let members = |name| -> Result<Map<String, Value>, DecodeError> {
            Ok(read.members(name)?.cloned().unwrap_or_default())
        };
        let (model, auth, logging) = (members("model")?, members("auth")?, members("logging")?);
        if auth.get("gcp_use_service_account") == Some(&Value::Bool(true)) {
            return Err(bad(
                "auth.gcp_use_service_account",
                "is not supported by this node: give a key in a header or parameter",
            ));
        }
        let provider = text(&model, "provider").and_then(|name| provider(&name));
        let provider = provider.ok_or_else(|| bad("model.provider", "is not known"))?;
        let options = model.get("options").and_then(Value::as_object).cloned();
        let options = options.unwrap_or_default();
        let kind = match read.text("route_type")?.as_deref() {
            Some("llm/v1/completions") => Kind::Completions,
            Some("preserve") => Kind::Preserve,
            _ => Kind::Chat,
        };
        let format = text(&options, "llama2_format").filter(|_| provider == Provider::Llama2);
        let format = format
            .or_else(|| text(&options, "mistral_format").filter(|_| provider == Provider::Mistral));
        let shape = match (provider, format.as_deref()) {
            (_, Some("ollama")) => Shape::Ollama,
            (_, Some("raw")) => Shape::Raw,
            (Provider::Anthropic, _) => Shape::Anthropic,
            (Provider::Cohere, _) => Shape::Cohere,
            (Provider::Gemini, _) => Shape::Gemini,
            (Provider::Bedrock, _) => Shape::Bedrock,
            _ => Shape::Openai,
        };
        if kind == Kind::Completions && matches!(shape, Shape::Gemini | Shape::Bedrock) {
            return Err(bad(
                "route_type",
                "this provider has no completions; use llm/v1/chat",
            ));
        }
        let own = text(&options, "upstream_url");
        let url = own
            .clone()
            .map_or_else(|| usual_url(provider, &options), Some);
        let url = url.ok_or_else(|| bad("model.options.upstream_url", "is needed here"))?;
        let base = Url::of_field(&format!("{field}model.options.upstream_url"), &url)?;
        let is_on = |name: &str| logging.get(name) == Some(&Value::Bool(true));
        Ok(Self {
            has_own_path: own.is_some() && base.target != "/",
            provider,
            kind,
            shape,
            name: text(&model, "name"),
            auth: Auth::read(&auth),
            logs_statistics: is_on("log_statistics"),
            logs_payloads: is_on("log_payloads"),
            options,
            base,
        })
    }

    /// The region of a model on Bedrock.
    pub(crate) fn region(&self) -> String {
        let region = inner(&self.options, "bedrock", "aws_region");
        region.unwrap_or_else(|| "us-east-1".to_owned())
    }

    /// Where a request goes.
    pub(crate) fn url(&self, model: &str, streams: bool, path: &str) -> Url {
        let mut url = self.base.clone();
        if let Some(own) = text(&self.options, "upstream_path") {
            url.target = own;
        } else if self.kind == Kind::Preserve && !self.has_own_path {
            url.target = path.to_owned();
        } else if !self.has_own_path {
            url.target = self.path(model, streams);
        }
        if let (Some((name, value)), false) = (&self.auth.parameter, self.auth.parameter_is_in_body)
        {
            let separator = if url.target.contains('?') { '&' } else { '?' };
            let (name, value) = (escape(name), escape(value));
            url.target = format!("{}{separator}{name}={value}", url.target);
        }
        url
    }

    fn path(&self, model: &str, streams: bool) -> String {
        let option = |name: &str| text(&self.options, name).unwrap_or_default();
        let is_chat = self.kind == Kind::Chat;
        let model = escape(model);
        match (self.provider, self.shape) {
            (_, Shape::Ollama) => if is_chat {
                "/api/chat"
            } else {
                "/api/generate"
            }
            .to_owned(),
            (_, Shape::Raw) => "/raw".to_owned(),
            (Provider::Azure, _) => format!(
                "/openai/deployments/{}/{}?api-version={}",
                escape(&option("azure_deployment_id")),
                if is_chat {
                    "chat/completions"
                } else {
                    "completions"
                },
                escape(&option("azure_api_version"))
            ),
            (Provider::Anthropic, _) => if is_chat {
                "/v1/messages"
            } else {
                "/v1/complete"
            }
            .to_owned(),
            (Provider::Cohere, _) => if is_chat { "/v1/chat" } else { "/v1/generate" }.to_owned(),
            (Provider::Gemini, _) => {
                let what = match streams {
                    true => "streamGenerateContent?alt=sse",
                    false => "generateContent",
                };
                match inner(&self.options, "gemini", "project_id") {
                    Some(project) => format!(
                        "/v1/projects/{}/locations/{}/publishers/google/models/{model}:{what}",
                        escape(&project),
                        escape(&inner(&self.options, "gemini", "location_id").unwrap_or_default())
                    ),
                    None => format!("/v1beta/models/{model}:{what}"),
                }
            }
            (Provider::Bedrock, _) => match streams {
                true => format!("/model/{model}/converse-stream"),
                false => format!("/model/{model}/converse"),
            },
            (Provider::Huggingface, _) => format!("/models/{model}{}", openai_path(is_chat)),
            _ => openai_path(is_chat).to_owned(),
        }
    }
}

const fn openai_path(is_chat: bool) -> &'static str {
    match is_chat {
        true => "/v1/chat/completions",
        false => "/v1/completions",
    }
}

/// Where a provider's models are.
fn usual_url(provider: Provider, options: &Map<String, Value>) -> Option<String> {
    let url = match provider {
        Provider::Openai => "https://api.openai.com".to_owned(),
        Provider::Azure => {
            let instance = text(options, "azure_instance")?;
            format!("https://{instance}.openai.azure.com")
        }
        Provider::Anthropic => "https://api.anthropic.com".to_owned(),
        Provider::Cohere => "https://api.cohere.com".to_owned(),
        Provider::Mistral => "https://api.mistral.ai".to_owned(),
        Provider::Llama2 => return None,
        Provider::Gemini => {
            let own = inner(options, "gemini", "api_endpoint");
            let host = own.unwrap_or_else(|| "generativelanguage.googleapis.com".to_owned());
            format!("https://{host}")
        }
        Provider::Bedrock => {
            let region = inner(options, "bedrock", "aws_region");
            let region = region.unwrap_or_else(|| "us-east-1".to_owned());
            format!("https://bedrock-runtime.{region}.amazonaws.com")
        }
        Provider::Huggingface => "https://api-inference.huggingface.co".to_owned(),
    };
    Some(url)
}
