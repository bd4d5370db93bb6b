//! Requests that are answered before their bodies are there, such as bodies over a limit: what
//! still comes is read and dropped for a while.
//!
//! Without it the server would close with bytes unread: the system then resets the connection (or
//! HTTP/2 the stream), and clients that send everything before they listen see a broken pipe
//! instead of the answer that says why. How large a body may be is decided where it is read.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use http::{Request, header};
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tokio::runtime::Handle;

/// Limit: bytes of one request that are dropped after its answer; then the connection or stream
/// ends.
const DROPPED_MAX: usize = 256 << 20;
/// Limit: how long a request may go on after its answer.
const DROP_TIME: Duration = Duration::from_secs(30);

/// Lets the body of a request come to its end, within limits, when it is dropped before it.
#[must_use]
pub fn linger(request: Request<Body>) -> Request<Body> {
    let is_held_back = request.headers().contains_key(header::EXPECT);
    request.map(|body| {
        if body.is_end_stream() {
            body
        } else {
            Body::new(Lingering { body, is_held_back })
        }
    })
}

struct Lingering {
    body: Body,
    /// The client waits for a word (`100 Continue`), which asking for the body gives.
    is_held_back: bool,
}

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.is_held_back = false;
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if self.is_held_back || self.body.is_end_stream() {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(discard(std::mem::take(&mut self.body)));
        }
    }
}

async fn discard(mut body: Body) {
    let all = async {
        let mut left = DROPPED_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            let read = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(read) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    drop(tokio::time::timeout(DROP_TIME, all).await);
}
