//! `ai-proxy` at work.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use plugin_api::{
    BodyChunk, BuildContext, BuildError, Exchange, Handler, Needs, Outcome, PluginInput, Reply,
    ResponseSource, ResponseView, Scheme, Step, Verdict,
};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::answer::{Call, Way};
use super::schema::{Config, Streaming};
use crate::ai::{self, Dialect, Kind, Provider, Target};
use crate::aws::{Credentials, Metadata, Provider as Keys, Signed, Source, sign};
use crate::outcall::{Trust, Url};

/// How long the machine's metadata may take to give keys.
const KEYS_TIMEOUT: Duration = Duration::from_secs(5);

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let target = Target::read(input.config, "")?;
    let source = match &target.auth.aws {
        Some((id, secret)) => Source::Fixed(Credentials::fixed(id.clone(), secret.clone())),
        None => Source::Machine(Metadata::new(true)),
    };
    Ok(Arc::new(AiProxy {
        id: input.id,
        keys: Keys::new(source, None, KEYS_TIMEOUT),
        trust: context.shared.get::<Trust>(),
        target,
        config,
    }))
}

struct AiProxy {
    id: Uuid,
    config: Config,
    target: Target,
    keys: Keys,
    trust: Arc<Trust>,
}

impl AiProxy {
    /// Turns the request into one to the model.
    fn prepare(&self, exchange: &mut Exchange<'_>) -> Result<(Url, Bytes), Reply> {
        if self.target.kind == Kind::Preserve {
            let path = String::from_utf8_lossy(exchange.head.path()).into_owned();
            let name = self.target.name.clone().unwrap_or_default();
            let body = Bytes::copy_from_slice(exchange.body.unwrap_or_default());
            exchange
                .locals
                .insert(Call::new(name.clone(), false, exchange.now_ms));
            return Ok((self.target.url(&name, false, &path), body));
        }
        let mut body = ai::read(exchange, self.config.limit)?;
        let payload = self
            .target
            .logs_payloads
            .then(|| Value::Object(body.clone()).to_string());
        let (model, asked) = self.model(&body)?;
        let streams = self.streams(exchange, &body)?;
        if self.config.dialect == Dialect::Openai {
            ai::tune(&self.target, &mut body);
            body = ai::convert(&self.target, &model, body, streams)
                .map_err(|reason| ai::error(400, reason))?;
        }
        let auth = &self.target.auth;
        if let (Some((name, value)), true) = (&auth.parameter, auth.parameter_is_in_body) {
            body.insert(name.clone(), value.clone().into());
        }
        let url = self.target.url(&model, streams, "/");
        let mut call = Call::new(model, streams, exchange.now_ms);
        call.asked_model = asked;
        call.payload = payload;
        exchange.locals.insert(call);
        Ok((url, Bytes::from(Value::Object(body).to_string())))
    }

    /// The model, and the one that the request names.
    fn model(&self, body: &Map<String, Value>) -> Result<(String, Option<String>), Reply> {
        let asked = body.get("model").and_then(Value::as_str).map(str::to_owned);
        match (&self.target.name, &asked) {
            (Some(own), Some(asked)) if own != asked => {
                let text = format!("cannot use own model - must be: {own}");
                Err(ai::error(400, &text))
            }
            (Some(own), _) => Ok((own.clone(), asked)),
            (None, Some(name)) => Ok((name.clone(), asked)),
            // The deployment says which model it is.
            (None, None) if self.target.provider == Provider::Azure => Ok((String::new(), None)),
            (None, None) => Err(ai::error(
                400,
                "model parameter not found in request, nor in gateway configuration",
            )),
        }
    }

    fn streams(&self, exchange: &Exchange<'_>, body: &Map<String, Value>) -> Result<bool, Reply> {
        let path = exchange.path;
        let is_native = match self.config.dialect {
            Dialect::Openai => false,
            Dialect::Bedrock => path.ends_with(b"converse-stream"),
            Dialect::Gemini => path.ends_with(b"streamGenerateContent"),
        };
        let is_asked = is_native || body.get("stream") == Some(&Value::Bool(true));
        match (self.config.streaming, is_asked) {
            (Streaming::Deny, true) => Err(ai::error(
                400,
                "response streaming is not enabled for this LLM",
            )),
            (Streaming::Always, _) => Ok(true),
            (_, is_asked) => Ok(is_asked),
        }
    }

    /// Sends the request to the model.
    fn send(&self, exchange: &mut Exchange<'_>, url: &Url, body: Bytes) {
        let auth = &self.target.auth;
        let has_own = |name: &str| auth.allows_override && exchange.header(name).is_some();
        let proof = auth.header.as_ref().filter(|(name, _)| !has_own(name));
        let proof = proof.cloned();
        let request = &mut *exchange.request;
        let scheme = if url.is_tls {
            Scheme::Https
        } else {
            Scheme::Http
        };
        request.scheme = Some(scheme);
        request.destination = Some((Bytes::from(url.host.clone()), url.port));
        request.host = Some(Bytes::from(url.authority()));
        let (path, query) = url.target.split_once('?').unwrap_or((&url.target, ""));
        request.path = Some(
            plugin_api::decode_query(&path.replace('+', "%2B").into_bytes())
                .into_owned()
                .into(),
        );
        request.query = Some(Bytes::copy_from_slice(query.as_bytes()));
        if self.target.kind != Kind::Preserve {
            request.method = Some(Bytes::from_static(b"POST"));
            request.headers.set("Content-Type", "application/json");
        }
        request.body = Some(body);
        // The answer is read here, so it must not be packed.
        request.headers.remove("Accept-Encoding");
        if let Some((name, value)) = proof {
            request.headers.set(name, value);
        }
        let option = |name: &str| self.target.options.get(name).and_then(Value::as_str);
        if let Some(version) = option("anthropic_version")
            && self.target.provider == Provider::Anthropic
        {
            request.headers.set("anthropic-version", version.to_owned());
        }
        let settings = self.target.options.get("huggingface");
        for (name, member) in [
            ("x-use-cache", "use_cache"),
            ("x-wait-for-model", "wait_for_model"),
        ] {
            let value = settings
                .and_then(|settings| settings.get(member))
                .and_then(Value::as_bool);
            if let (Some(value), Provider::Huggingface) = (value, self.target.provider) {
                request.headers.set(name, value.to_string());
            }
        }
    }

    /// Takes the proof of the gateway out of what plugins that log see: the request has gone.
    fn forget_proof(&self, exchange: &mut Exchange<'_>) {
        let auth = &self.target.auth;
        if let Some((name, _)) = &auth.header {
            exchange.request.headers.remove(name.clone());
        }
        if self.target.provider == Provider::Bedrock {
            for name in ["Authorization", "X-Amz-Security-Token"] {
                exchange.request.headers.remove(name);
            }
        }
        if auth.parameter.is_some() && !auth.parameter_is_in_body {
            exchange.request.query = Some(Bytes::new());
        }
    }

    /// Proves the gateway to AWS.
    async fn sign(&self, exchange: &mut Exchange<'_>, url: &Url, body: &Bytes) -> Verdict {
        let keys = self.keys.credentials(&self.trust, exchange.now_ms).await;
        let keys = match keys {
            Ok(keys) => keys,
            Err(reason) => {
                tracing::debug!(plugin = %self.id, reason, "no credentials for a model");
                let text = "failed to get credentials for the model";
                return Verdict::Respond(Box::new(ai::error(500, text)));
            }
        };
        let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        let region = self.target.region();
        let what = Signed {
            method: &Method::POST,
            url,
            body,
            service: "bedrock",
            region: &region,
            now_ms: exchange.now_ms,
        };
        sign(what, &keys, &mut headers);
        for (name, value) in headers {
            exchange.request.headers.set(name, value);
        }
        Verdict::Continue
    }
}

impl Handler for AiProxy {
    fn needs(&self) -> Needs {
        Needs::REQUEST_BODY
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let (url, body) = match self.prepare(exchange) {
            Ok(prepared) => prepared,
            Err(reply) => return Step::respond(reply),
        };
        self.send(exchange, &url, body.clone());
        // A key of another kind takes the place of the signature.
        match (self.target.provider, &self.target.auth.header) {
            (Provider::Bedrock, None) => {
                Step::Wait(Box::pin(
                    async move { self.sign(exchange, &url, &body).await },
                ))
            }
            _ => Step::CONTINUE,
        }
    }

    fn log(&self, exchange: &mut Exchange<'_>, _outcome: &Outcome) {
        if exchange.locals.get::<Call>().is_some() {
            self.forget_proof(exchange);
        }
    }

    fn header_filter(&self, exchange: &mut Exchange<'_>, response: &mut ResponseView<'_>) {
        if response.source != ResponseSource::Service {
            return;
        }
        let Some(call) = exchange.locals.get_mut::<Call>() else {
            return;
        };
        if self.config.names_model {
            let name = format!("{}/{}", self.target.provider.name(), call.model);
            response.headers.set("X-Kong-LLM-Model", name);
        }
        // What is wrong is told in the words of the provider.
        if response.status != 200 {
            return;
        }
        call.choose(&self.target, self.config.dialect != Dialect::Openai);
        let kind = match call.way {
            Way::Pass => return,
            Way::Whole => "application/json",
            Way::Events => "text/event-stream",
        };
        response.changes_body = true;
        response.headers.set("Content-Type", kind);
    }

    fn body_filter(&self, exchange: &mut Exchange<'_>, chunk: &mut BodyChunk) {
        let Some(mut call) = exchange.locals.take::<Call>() else {
            return;
        };
        call.pass(&self.target, chunk);
        if chunk.is_last {
            call.record(&self.target, self.id, clock::unix_millis(), exchange.locals);
        }
        exchange.locals.insert(call);
    }
}
