//! Answers and the headers that all of them carry.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ALLOW, CONTENT_TYPE, HeaderValue,
    SERVER,
};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::serve::AnswerBody;

/// An answer before the common headers are put on it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// An answer without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// A JSON answer.
    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        let mut answer = Self::empty(status);
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        answer.headers.insert(CONTENT_TYPE, json);
        answer.body = Bytes::from(body.to_string());
        answer
    }

    /// A text of this type.
    pub(crate) fn text(content_type: &'static str, body: String) -> Self {
        let mut answer = Self::empty(StatusCode::OK);
        let content_type = HeaderValue::from_static(content_type);
        answer.headers.insert(CONTENT_TYPE, content_type);
        answer.body = Bytes::from(body);
        answer
    }

    /// The answer to `OPTIONS`: the verbs of a path.
    pub(crate) fn options(verbs: &[&str], request: &HeaderMap) -> Self {
        let mut answer = Self::empty(StatusCode::NO_CONTENT);
        let verbs = HeaderValue::from_str(&verbs.join(", "));
        if let Ok(verbs) = verbs {
            answer.headers.insert(ALLOW, verbs.clone());
            answer.headers.insert(ACCESS_CONTROL_ALLOW_METHODS, verbs);
        }
        let asked = request.get("access-control-request-headers").cloned();
        let asked = asked.unwrap_or_else(|| HeaderValue::from_static("Content-Type"));
        answer.headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked);
        answer
    }

    /// Puts the common headers on; a `HEAD` keeps the length but loses the body.
    pub(crate) fn finish(mut self, common: &Common) -> Response<AnswerBody> {
        if common.shows_latency {
            self.headers
                .insert("X-Kong-Admin-Latency", HeaderValue::from(common.latency_ms));
        }
        if let Some(server) = &common.server {
            self.headers.insert(SERVER, server.clone());
        }
        let body = Full::new(self.body).map_err(|never| match never {});
        let mut response = Response::new(body.boxed_unsync());
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// What is the same for every answer of a surface.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    /// `Server`; absent when the setting `headers` leaves it out.
    pub(crate) server: Option<HeaderValue>,
    /// Whether `X-Kong-Admin-Latency` is sent.
    pub(crate) shows_latency: bool,
    /// Milliseconds from the head of the request to the answer.
    pub(crate) latency_ms: u64,
}

/// An error body of one sentence.
pub(crate) fn message(status: StatusCode, text: &str) -> Answer {
    Answer::json(status, &json!({"message": text}))
}
