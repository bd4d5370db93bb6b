//! `response-transformer` at work.

use std::sync::Arc;

use plugin_api::{
    BodyChunk, BuildContext, BuildError, Exchange, Handler, PluginInput, ResponseView,
};
use serde_json::Value;
use uuid::Uuid;

use super::body::Collected;
use super::headers::Plan;
use super::schema::Config;
use crate::records::changes::Changes;

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    _context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let json = config.json;
    Ok(Arc::new(ResponseTransformer {
        id: input.id,
        headers: Plan::prepare(&config.headers),
        json: (!json.is_empty()).then_some(json),
    }))
}

struct ResponseTransformer {
    id: Uuid,
    headers: Plan,
    /// What is done to a JSON body; `None` lets bodies stream.
    json: Option<Changes<Value>>,
}

/// The body of an answer under change, and by whom.
struct Pending {
    by: Uuid,
    body: Collected,
}

impl Handler for ResponseTransformer {
    fn header_filter(&self, exchange: &mut Exchange<'_>, response: &mut ResponseView<'_>) {
        let kind = response.header("content-type").unwrap_or_default();
        let is_json = is_json(kind);
        self.headers.apply(response);
        if self.json.is_some() && is_json {
            response.changes_body = true;
            exchange.locals.insert(Pending {
                by: self.id,
                body: Collected::default(),
            });
        }
    }

    fn body_filter(&self, exchange: &mut Exchange<'_>, chunk: &mut BodyChunk) {
        let (Some(changes), Some(pending)) = (&self.json, exchange.locals.get_mut::<Pending>())
        else {
            return;
        };
        if pending.by == self.id {
            let data = std::mem::take(&mut chunk.data);
            chunk.data = pending.body.take(data, chunk.is_last, changes);
        }
    }
}

/// Whether a `Content-Type` names JSON: `application/json` or `application/SOMETHING+json`.
fn is_json(kind: &[u8]) -> bool {
    let essence = kind.split(|byte| *byte == b';').next().unwrap_or_default();
    let essence = essence.trim_ascii().to_ascii_lowercase();
    essence
        .strip_prefix(b"application/")
        .is_some_and(|subtype| subtype == b"json" || subtype.ends_with(b"+json"))
}
