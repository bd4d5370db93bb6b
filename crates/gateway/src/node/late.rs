//! The Admin API of a node whose database is not there yet.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;

use crate::surface::{Handler, HandlerFuture};

/// Answers 503 until the real one is there.
#[derive(Default)]
pub(super) struct Late {
    ready: OnceLock<Arc<dyn Handler>>,
}

impl Late {
    /// From now on the real one answers.
    pub(super) fn set(&self, handler: Arc<dyn Handler>) {
        drop(self.ready.set(handler));
    }
}

impl Handler for Late {
    fn name(&self) -> &'static str {
        "Admin API (`admin_listen`)"
    }

    fn handle(&self, request: Request<Incoming>) -> HandlerFuture<'_> {
        match self.ready.get() {
            Some(handler) => handler.handle(request),
            None => Box::pin(async {
                let text = r#"{"message":"the database is away; try again shortly"}"#;
                let body = Full::new(Bytes::from_static(text.as_bytes()));
                let body = body.map_err(|never| match never {}).boxed_unsync();
                let mut answer = Response::new(body);
                *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                let headers = answer.headers_mut();
                let json = HeaderValue::from_static("application/json; charset=utf-8");
                headers.insert(CONTENT_TYPE, json);
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
                answer
            }),
        }
    }
}
