//! One HTTP/1.1 request with its whole answer.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;

use super::dial::{Dial, dial};
use super::trust::{Trust, Verify};
use super::url::Url;

/// Most idle connections that a core keeps to one place.
const IDLE_MAX: usize = 16;

/// Most places to which a core keeps idle connections.
const PLACES_MAX: usize = 256;

/// What to call and how.
pub(crate) struct Call<'a> {
    pub(crate) url: &'a Url,
    pub(crate) method: Method,
    /// All header fields but `Host` and the length.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    pub(crate) verify: Verify,
    pub(crate) trust: &'a Trust,
    /// For the whole call.
    pub(crate) timeout: Duration,
    /// How long the connection may stay idle.
    pub(crate) keepalive: Duration,
    /// A forward proxy, host and port.
    pub(crate) proxy: Option<(&'a str, u16)>,
    /// Largest body of the answer.
    pub(crate) max_answer: usize,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The first value of a header that is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Why there is no answer. Names no address and no secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("the request cannot be sent: {0}")]
    Request(&'static str),
    #[error("cannot connect: {0}")]
    Connect(std::io::Error),
    #[error("the other side broke off")]
    Broken,
    #[error("no answer in time")]
    Timeout,
    #[error("the answer is too large")]
    TooLarge,
}

/// Where a kept connection leads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    host: String,
    port: u16,
    tls: Option<Verify>,
    proxy: Option<(String, u16)>,
}

type Idle = Vec<(SendRequest<Full<Bytes>>, u64)>;

thread_local! {
    static IDLE: RefCell<HashMap<Place, Idle>> = RefCell::default();
}

/// Makes a call.
pub(crate) async fn call(call: Call<'_>) -> Result<Answer, CallError> {
    let timeout = call.timeout;
    match tokio::time::timeout(timeout, attempt(call)).await {
        Ok(answer) => answer,
        Err(_) => Err(CallError::Timeout),
    }
}

async fn attempt(call: Call<'_>) -> Result<Answer, CallError> {
    let place = Place {
        host: call.url.host.clone(),
        port: call.url.port,
        tls: call.url.is_tls.then_some(call.verify),
        proxy: call.proxy.map(|(host, port)| (host.to_owned(), port)),
    };
    let request = request(&call)?;
    while let Some(mut sender) = take(&place, call.keepalive) {
        match sender.try_send_request(request.clone()).await {
            Ok(response) => return finish(response, sender, place, &call).await,
            // Nothing was sent: the connection had ended.
            Err(error) if error.message().is_some() => {}
            Err(_) => return Err(CallError::Broken),
        }
    }
    let mut sender = open(&call).await?;
    let response = sender.send_request(request).await;
    finish(
        response.map_err(|_| CallError::Broken)?,
        sender,
        place,
        &call,
    )
    .await
}

async fn finish(
    response: http::Response<hyper::body::Incoming>,
    sender: SendRequest<Full<Bytes>>,
    place: Place,
    call: &Call<'_>,
) -> Result<Answer, CallError> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, call.max_answer).collect().await;
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => CallError::TooLarge,
        false => CallError::Broken,
    })?;
    if !call.keepalive.is_zero() {
        give(place, sender);
    }
    Ok(Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: body.to_bytes(),
    })
}

fn request(call: &Call<'_>) -> Result<Request<Full<Bytes>>, CallError> {
    let authority = call.url.authority();
    let is_absolute = call.proxy.is_some() && !call.url.is_tls;
    let target = match is_absolute {
        true => format!("http://{authority}{}", call.url.target),
        false => call.url.target.clone(),
    };
    let mut builder = Request::builder().method(call.method.clone()).uri(target);
    let has_host = call
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"));
    if !has_host {
        builder = builder.header("Host", authority);
    }
    for (name, value) in &call.headers {
        builder = builder.header(name, value);
    }
    builder
        .body(Full::new(call.body.clone()))
        .map_err(|_| CallError::Request("a header or the target is malformed"))
}

async fn open(call: &Call<'_>) -> Result<SendRequest<Full<Bytes>>, CallError> {
    let tls = match call.url.is_tls {
        false => None,
        true => Some(
            call.trust
                .config(call.verify)
                .ok_or(CallError::Request("TLS cannot be set up"))?,
        ),
    };
    let stream = dial(Dial {
        host: &call.url.host,
        port: call.url.port,
        tls,
        proxy: call.proxy,
    })
    .await
    .map_err(CallError::Connect)?;
    let shaken = handshake(TokioIo::new(stream)).await;
    let (sender, connection) = shaken.map_err(|_| CallError::Broken)?;
    tokio::spawn(async move {
        // Whoever waits for the answer learns of a fault.
        drop(connection.await);
    });
    Ok(sender)
}

fn take(place: &Place, keepalive: Duration) -> Option<SendRequest<Full<Bytes>>> {
    let now = clock::unix_millis();
    let keepalive = u64::try_from(keepalive.as_millis()).unwrap_or(u64::MAX);
    IDLE.with_borrow_mut(|idle| {
        let kept = idle.get_mut(place)?;
        while let Some((sender, since)) = kept.pop() {
            if !sender.is_closed() && now.saturating_sub(since) < keepalive {
                return Some(sender);
            }
        }
        None
    })
}

fn give(place: Place, sender: SendRequest<Full<Bytes>>) {
    if sender.is_closed() {
        return;
    }
    IDLE.with_borrow_mut(|idle| {
        if idle.len() >= PLACES_MAX && !idle.contains_key(&place) {
            idle.clear();
        }
        let kept = idle.entry(place).or_default();
        if kept.len() < IDLE_MAX {
            kept.push((sender, clock::unix_millis()));
        }
    });
}
