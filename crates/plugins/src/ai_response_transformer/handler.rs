//! `ai-response-transformer` at work.

use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{
    BuildContext, BuildError, Exchange, Handler, Needs, PluginInput, ResponseView, Step, Verdict,
};
use schema::Reader;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::ai::{self, Rewriter};
use crate::outcall::{Trust, is_passed_on};

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let read = Reader::new("plugins", input.config);
    let follows = read.boolean("parse_llm_response_json_instructions")?;
    Ok(Arc::new(AiResponseTransformer {
        id: input.id,
        follows_instructions: follows.unwrap_or(false),
        rewriter: Rewriter::read(input.config, context.shared.get::<Trust>())?,
    }))
}

struct AiResponseTransformer {
    id: Uuid,
    /// Whether the model names status, headers and body.
    follows_instructions: bool,
    rewriter: Rewriter,
}

impl AiResponseTransformer {
    async fn transform(
        &self,
        exchange: &mut Exchange<'_>,
        response: &mut ResponseView<'_>,
        body: &mut Bytes,
    ) -> Result<(), String> {
        if body.len() as u64 > self.rewriter.limit {
            return Err("the answer is larger than `max_request_body_size`".to_owned());
        }
        let text = std::str::from_utf8(body).map_err(|_| "the answer is no text")?;
        let made = self.rewriter.rewrite(text, exchange.now_ms).await?;
        if !self.follows_instructions {
            *body = Bytes::from(made);
            return Ok(());
        }
        let told: Map<String, Value> = serde_json::from_str(&made)
            .map_err(|_| "the model's instructions are no JSON object")?;
        if let Some(status) = told.get("status").and_then(Value::as_u64) {
            let status = u16::try_from(status).ok();
            let status = status.filter(|status| (200..=599).contains(status));
            response.status = status.ok_or("the model's status is none")?;
        }
        if let Some(Value::Object(headers)) = told.get("headers") {
            for (name, value) in headers {
                let is_name = http::HeaderName::from_bytes(name.as_bytes()).is_ok();
                if let (true, true, Value::String(value)) = (is_name, is_passed_on(name), value) {
                    response.headers.set(name.clone(), value.clone());
                }
            }
        }
        match told.get("body") {
            Some(Value::String(text)) => *body = Bytes::from(text.clone()),
            None | Some(Value::Null) => {}
            Some(other) => *body = Bytes::from(other.to_string()),
        }
        Ok(())
    }
}

impl Handler for AiResponseTransformer {
    fn needs(&self) -> Needs {
        Needs::RESPONSE_BODY
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        // The answer is read here, so it must not be packed.
        exchange.request.headers.remove("Accept-Encoding");
        Step::CONTINUE
    }

    fn response<'a>(
        &'a self,
        exchange: &'a mut Exchange<'_>,
        response: &'a mut ResponseView<'_>,
        body: &'a mut Bytes,
    ) -> Step<'a> {
        Step::Wait(Box::pin(async move {
            match self.transform(exchange, response, body).await {
                Ok(()) => Verdict::Continue,
                Err(reason) => {
                    tracing::debug!(plugin = %self.id, reason, "a model rewrote no answer");
                    let text = "failed to transform the response with the model";
                    Verdict::Respond(Box::new(ai::error(500, text)))
                }
            }
        }))
    }
}
