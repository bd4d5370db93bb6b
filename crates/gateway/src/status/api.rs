//! The paths of the status API.

use http::{Method, StatusCode};
use serde_json::Value;

use super::facts::Facts;
use super::report::status_report;
use crate::surface::{Answer, Call, Surface, message};

/// The status API as a surface.
#[derive(Debug)]
pub(crate) struct StatusApi {
    facts: Facts,
}

impl StatusApi {
    pub(crate) fn new(facts: Facts) -> Self {
        Self { facts }
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
            ("/status/dns", _) => message(
                StatusCode::NOT_IMPLEMENTED,
                "not implemented with the legacy DNS client",
            ),
            _ => message(StatusCode::NOT_FOUND, "Not found"),
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
            "/status/ready" => Some(&["GET", "HEAD", "OPTIONS", "POST"]),
            _ => None,
        }
    }

    fn body_max(&self) -> usize {
        // Limit: the one body that is read has twenty characters.
        4096
    }

    fn answer(&self, call: Call) -> std::pin::Pin<Box<dyn Future<Output = Answer> + Send + '_>> {
        Box::pin(async move { self.route(&call).await })
    }
}
