//! `ai-request-transformer` at work.

use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{BuildContext, BuildError, Exchange, Handler, Needs, PluginInput, Step, Verdict};
use uuid::Uuid;

use crate::ai::{self, Rewriter};
use crate::outcall::Trust;

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    Ok(Arc::new(AiRequestTransformer {
        id: input.id,
        rewriter: Rewriter::read(input.config, context.shared.get::<Trust>())?,
    }))
}

struct AiRequestTransformer {
    id: Uuid,
    rewriter: Rewriter,
}

impl AiRequestTransformer {
    async fn transform(&self, exchange: &mut Exchange<'_>) -> Verdict {
        let refuse = |status, text| Verdict::Respond(Box::new(ai::error(status, text)));
        let body = exchange.request.body.clone();
        let body =
            body.unwrap_or_else(|| Bytes::copy_from_slice(exchange.body.unwrap_or_default()));
        if body.len() as u64 > self.rewriter.limit {
            return refuse(400, "request body is larger than max_request_body_size");
        }
        let Ok(text) = std::str::from_utf8(&body) else {
            return refuse(400, "request body is no text");
        };
        match self.rewriter.rewrite(text, exchange.now_ms).await {
            Ok(text) => {
                exchange.request.body = Some(Bytes::from(text));
                Verdict::Continue
            }
            Err(reason) => {
                tracing::debug!(plugin = %self.id, reason, "a model rewrote no request");
                refuse(500, "failed to transform the request with the model")
            }
        }
    }
}

impl Handler for AiRequestTransformer {
    fn needs(&self) -> Needs {
        Needs::REQUEST_BODY
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        Step::Wait(Box::pin(self.transform(exchange)))
    }
}
