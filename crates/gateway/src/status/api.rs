//! The paths of the status API.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::Value;

use super::facts::Facts;
use super::report::status_report;
use crate::explain::{self, Asked};
use crate::snapshot::SharedSnapshot;
use crate::surface::{Answer, Call, Surface, message};

/// The status API as a surface.
#[derive(Debug)]
pub(crate) struct StatusApi {
    facts: Facts,
    snapshot: SharedSnapshot,
}

impl StatusApi {
    pub(crate) fn new(facts: Facts, snapshot: SharedSnapshot) -> Self {
        Self { facts, snapshot }
    }

    async fn route(&self, call: &Call) -> Answer {
        match (call.path.as_str(), &call.method) {
            ("/status", _) => match status_report(&self.facts, &call.query).await {
                Ok(body) => Answer::json(StatusCode::OK, &body),
                Err(text) => message(StatusCode::BAD_REQUEST, &text),
            },
            ("/status/ready", &Method::POST) => self.set_ready(&call.body),
            ("/status/ready", _) => match self.facts.not_ready() {
                None => message(StatusCode::OK, "ready"),
                Some(reason) => message(StatusCode::SERVICE_UNAVAILABLE, reason),
            },
            ("/metrics", _) => {
                let content_type = plugins::prometheus::CONTENT_TYPE;
                Answer::text(content_type, self.facts.metrics().await)
            }
            ("/explain", _) => self.explain(call).await,
            ("/status/dns", _) => message(
                StatusCode::NOT_IMPLEMENTED,
                "not implemented with the legacy DNS client",
            ),
            _ => message(StatusCode::NOT_FOUND, "Not found"),
        }
    }

    /// Tells where a request would go. Routes are nobody's business beyond this machine.
    async fn explain(&self, call: &Call) -> Answer {
        if !call.is_local {
            let text = "only callers on this machine may ask";
            return message(StatusCode::FORBIDDEN, text);
        }
        let asked = match Asked::from_json(&call.body) {
            Ok(asked) => asked,
            Err(text) => return message(StatusCode::BAD_REQUEST, &text),
        };
        let snapshot = Arc::clone(&self.snapshot.load());
        // All routes are looked at.
        let told = tokio::task::spawn_blocking(move || {
            explain::explain(&snapshot, &asked, explain::CONSIDERED_MAX)
        });
        match told.await {
            Ok(Ok(told)) => Answer::json(StatusCode::OK, &told),
            Ok(Err(text)) => message(StatusCode::BAD_REQUEST, &text),
            Err(_) => message(StatusCode::INTERNAL_SERVER_ERROR, "the question failed"),
        }
    }

    fn set_ready(&self, body: &[u8]) -> Answer {
        let body: Option<Value> = serde_json::from_slice(body).ok();
        if body.as_ref().and_then(|body| body.get("status")) == Some(&"draining".into()) {
            self.facts.drain();
            return Answer::empty(StatusCode::NO_CONTENT);
        }
        let text = "expected a JSON body {\"status\":\"draining\"}";
        message(StatusCode::BAD_REQUEST, text)
    }
}

impl Surface for StatusApi {
    fn name(&self) -> &'static str {
        "status API (`status_listen`)"
    }

    fn verbs(&self, path: &str) -> Option<&'static [&'static str]> {
        match path {
            "/metrics" | "/status" | "/status/dns" => Some(&["GET", "HEAD", "OPTIONS"]),
            "/explain" => Some(&["OPTIONS", "POST"]),
            "/status/ready" => Some(&["GET", "HEAD", "OPTIONS", "POST"]),
            _ => None,
        }
    }

    fn body_max(&self) -> usize {
        // Limit: a request that is asked about is no larger than one that is served.
        64 * 1024
    }

    fn answer(&self, call: Call) -> std::pin::Pin<Box<dyn Future<Output = Answer> + Send + '_>> {
        Box::pin(async move { self.route(&call).await })
    }
}
