//! Reading request bodies within their limits, before a handler runs.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use control_plane::api::Family;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// How large a body may be and how long it may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyLimit {
    pub(super) bytes: usize,
    pub(super) time: Duration,
}

/// Reads the whole body, or answers why not.
pub(super) async fn read(
    State(limit): State<BodyLimit>,
    request: Request<Body>,
) -> Result<Request<Body>, Response> {
    let family = Family::of(request.uri().path());
    let (head, body) = request.into_parts();
    let collected = Limited::new(body, limit.bytes).collect();
    match tokio::time::timeout(limit.time, collected).await {
        Ok(Ok(whole)) => Ok(Request::from_parts(head, Body::from(whole.to_bytes()))),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let detail = format!("The body has more than {} bytes", limit.bytes);
            Err(family.answer(StatusCode::PAYLOAD_TOO_LARGE, &detail))
        }
        Ok(Err(_)) => Err(family.answer(StatusCode::BAD_REQUEST, "The body broke off")),
        Err(_) => {
            let detail = format!("The body took more than {} seconds", limit.time.as_secs());
            Err(family.answer(StatusCode::REQUEST_TIMEOUT, &detail))
        }
    }
}
