//! Answers and the headers that all of them carry.

use axum::body::Body;
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde_json::{Value, json};

use super::Options;

/// Compat: the type of every JSON body.
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
/// Compat: the type of the pages that the reference's web server makes itself.
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=UTF-8");
/// Milliseconds that answering took.
const LATENCY: HeaderName = HeaderName::from_static("x-kong-admin-latency");

/// An answer before it has its common headers.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Content,
    pub(super) headers: HeaderMap,
}

/// The body of an answer.
#[derive(Debug)]
pub(super) enum Content {
    Empty,
    Json(Value),
    /// The page that goes with the status.
    Page,
    /// Text of a type of its own.
    Text(&'static str, String),
}

impl Reply {
    pub(super) fn json(status: StatusCode, body: Value) -> Self {
        Self {
            status,
            body: Content::Json(body),
            headers: HeaderMap::new(),
        }
    }

    pub(super) fn ok(body: impl Into<Value>) -> Self {
        Self::json(StatusCode::OK, body.into())
    }

    pub(super) fn message(status: StatusCode, message: &str) -> Self {
        Self::json(status, json!({"message": message}))
    }

    pub(super) fn text(content_type: &'static str, text: String) -> Self {
        Self {
            status: StatusCode::OK,
            body: Content::Text(content_type, text),
            headers: HeaderMap::new(),
        }
    }

    pub(super) fn page(status: StatusCode) -> Self {
        Self {
            status,
            body: Content::Page,
            headers: HeaderMap::new(),
        }
    }

    pub(super) fn no_content() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            body: Content::Empty,
            headers: HeaderMap::new(),
        }
    }

    /// What was sent is what is there already.
    pub(super) fn unmodified() -> Self {
        Self {
            status: StatusCode::NOT_MODIFIED,
            ..Self::no_content()
        }
    }

    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// What `OPTIONS` says about a path.
    pub(super) fn options(methods: &[Method], request: &HeaderMap) -> Self {
        let methods = allowed(methods);
        let asked = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
        let headers = asked.cloned();
        let headers = headers.unwrap_or(HeaderValue::from_static("Content-Type"));
        Self::no_content()
            .with(header::ALLOW, methods.clone())
            .with(header::ACCESS_CONTROL_ALLOW_METHODS, methods)
            .with(header::ACCESS_CONTROL_ALLOW_HEADERS, headers)
    }

    /// The answer as it leaves.
    pub(super) fn finish(
        self,
        options: &Options,
        origin: Option<&HeaderValue>,
        millis: u128,
    ) -> Response<Body> {
        let mut response = self.bare();
        let headers = response.headers_mut();
        if let Ok(server) = HeaderValue::from_str(&options.server) {
            headers.insert(header::SERVER, server);
        }
        if let Ok(millis) = HeaderValue::from_str(&millis.to_string()) {
            headers.insert(LATENCY, millis);
        }
        if options.cors {
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_ORIGIN,
                allowed_origin(options, origin),
            );
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
        }
        response
    }

    /// The answer as the reference's web server gives it before the API sees the request.
    pub(super) fn bare(self) -> Response<Body> {
        let (content_type, body) = match self.body {
            Content::Empty => (None, Body::empty()),
            Content::Json(value) => (Some(JSON), Body::from(value.to_string())),
            Content::Page => (Some(HTML), Body::from(page(self.status))),
            Content::Text(content_type, text) => (
                Some(HeaderValue::from_static(content_type)),
                Body::from(text),
            ),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        if let Some(content_type) = content_type {
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, content_type);
        }
        response
    }
}

/// Compat: methods in alphabetical order, `HEAD` where there is `GET`, `OPTIONS` always.
fn allowed(methods: &[Method]) -> HeaderValue {
    let mut names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    if methods.contains(&Method::GET) {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    names.sort_unstable();
    HeaderValue::from_str(&names.join(", ")).unwrap_or(HeaderValue::from_static("OPTIONS"))
}

/// Compat: with origins configured, the caller's when it is one of them, else the first; without,
/// the caller's or `*`.
fn allowed_origin(options: &Options, origin: Option<&HeaderValue>) -> HeaderValue {
    let caller = origin.filter(|origin| {
        let known = |allowed: &String| allowed.as_bytes() == origin.as_bytes();
        options.origins.is_empty() || options.origins.iter().any(known)
    });
    let first = options.origins.first();
    caller
        .cloned()
        .or_else(|| HeaderValue::from_str(first?).ok())
        .unwrap_or(HeaderValue::from_static("*"))
}

/// Compat: the page of the reference's web server, with its own words for two statuses.
fn page(status: StatusCode) -> String {
    let title = match status.as_u16() {
        405 => "405 Not Allowed".to_owned(),
        413 => "413 Request Entity Too Large".to_owned(),
        code => format!("{code} {}", status.canonical_reason().unwrap_or_default()),
    };
    format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1>\
         </center>\r\n</body>\r\n</html>\r\n"
    )
}
