//! Asking a model to rewrite a text.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use plugin_api::BuildError;
use regex::Regex;
use schema::Reader;
use serde_json::{Map, Value, json};

use super::answer::read as read_answer;
use super::request::{convert, tune};
use super::target::{Provider, Target};
use crate::aws::{Credentials, Metadata, Provider as Keys, Signed, Source, sign};
use crate::outbox::milliseconds;
use crate::outcall::{Call, Trust, Verify, call};

/// Largest answer of a model, in bytes.
const ANSWER_MAX: usize = 8 * 1024 * 1024;

/// How long a connection to a model is kept.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// A model that rewrites texts.
pub(crate) struct Rewriter {
    target: Target,
    prompt: String,
    /// Whose first match in the answer counts.
    pattern: Option<Regex>,
    timeout: Duration,
    verify: Verify,
    /// Forward proxies for plain and for encrypted calls.
    proxies: [Option<(String, u16)>; 2],
    keys: Keys,
    trust: Arc<Trust>,
    /// Most bytes of a body that are looked at.
    pub(crate) limit: u64,
}

impl Rewriter {
    /// Reads the configuration that the plugins share.
    pub(crate) fn read(config: &Map<String, Value>, trust: Arc<Trust>) -> Result<Self, BuildError> {
        let read = Reader::new("plugins", config);
        let llm = read.members("llm")?.cloned().unwrap_or_default();
        let target = Target::read(&llm, "llm.")?;
        if target.name.is_none() && target.provider != Provider::Azure {
            return Err(BuildError::Config {
                field: "llm.model.name".to_owned(),
                reason: "name a model".to_owned(),
            });
        }
        let pattern = read.text("transformation_extract_pattern")?;
        let pattern = pattern.map(|pattern| Regex::new(&pattern)).transpose();
        let pattern = pattern.map_err(|error| BuildError::Config {
            field: "transformation_extract_pattern".to_owned(),
            reason: format!("is no pattern that this node understands: {error}"),
        })?;
        let source = match &target.auth.aws {
            Some((id, secret)) => Source::Fixed(Credentials::fixed(id.clone(), secret.clone())),
            None => Source::Machine(Metadata::new(true)),
        };
        let timeout = milliseconds(read.number("http_timeout")?.unwrap_or(60_000.0));
        Ok(Self {
            prompt: read.required_text("prompt")?,
            pattern,
            verify: match read.boolean("https_verify")?.unwrap_or(true) {
                true => Verify::Yes,
                false => Verify::No,
            },
            proxies: [
                read.text("http_proxy_host")?
                    .zip(read.integer("http_proxy_port")?),
                read.text("https_proxy_host")?
                    .zip(read.integer("https_proxy_port")?),
            ],
            limit: read.integer("max_request_body_size")?.unwrap_or(8192),
            keys: Keys::new(source, None, timeout),
            timeout,
            trust,
            target,
        })
    }

    /// What the model makes of a text; an error tells why it made nothing.
    pub(crate) async fn rewrite(&self, text: &str, now_ms: u64) -> Result<String, String> {
        let model = self.target.name.clone().unwrap_or_default();
        let mut body = Map::new();
        body.insert(
            "messages".to_owned(),
            json!([
                {"role": "system", "content": self.prompt},
                {"role": "user", "content": text},
            ]),
        );
        tune(&self.target, &mut body);
        let mut body = convert(&self.target, &model, body, false)?;
        let auth = &self.target.auth;
        if let (Some((name, value)), true) = (&auth.parameter, auth.parameter_is_in_body) {
            body.insert(name.clone(), value.clone().into());
        }
        let body = Bytes::from(Value::Object(body).to_string());
        let url = self.target.url(&model, false, "/");
        let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        headers.extend(auth.header.clone());
        if let Some(version) = self
            .target
            .options
            .get("anthropic_version")
            .and_then(Value::as_str)
        {
            headers.push(("anthropic-version".to_owned(), version.to_owned()));
        }
        if self.target.provider == Provider::Bedrock && auth.header.is_none() {
            let keys = self.keys.credentials(&self.trust, now_ms).await?;
            let what = Signed {
                method: &Method::POST,
                url: &url,
                body: &body,
                service: "bedrock",
                region: &self.target.region(),
                now_ms,
            };
            sign(what, &keys, &mut headers);
        }
        let proxy = &self.proxies[usize::from(url.is_tls)];
        let answer = call(Call {
            url: &url,
            method: Method::POST,
            headers,
            body,
            verify: self.verify,
            trust: &self.trust,
            timeout: self.timeout,
            keepalive: KEEPALIVE,
            proxy: proxy.as_ref().map(|(host, port)| (host.as_str(), *port)),
            max_answer: ANSWER_MAX,
        })
        .await
        .map_err(|error| error.to_string())?;
        if answer.status != 200 {
            return Err(format!("the model answered with status {}", answer.status));
        }
        let said = serde_json::from_slice::<Value>(&answer.body).ok();
        let said = said.and_then(|body| read_answer(self.target.shape, &body));
        let said = said.filter(|said| !said.text.is_empty());
        let said = said.ok_or("the model's answer could not be understood")?;
        match &self.pattern {
            None => Ok(said.text),
            Some(pattern) => match pattern.find(&said.text) {
                Some(found) => Ok(found.as_str().to_owned()),
                None => Err("the model's answer does not match the pattern".to_owned()),
            },
        }
    }
}
