//! A backend that answers over real sockets and remembers what it was asked.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// One request as the backend saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The request target, with its query.
    pub target: String,
    /// Header fields in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Bytes,
}

impl Seen {
    /// The first value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let is_named = |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .find(is_named)
            .map(|(_, value)| value.as_str())
    }
}

/// A backend on a loopback port. `GET /status/503` answers 503, `/bytes/1000` answers that many
/// bytes, `/slow/250` answers after as many milliseconds; everything else answers 200 with what
/// was asked as JSON (`name`, `method`, `target`, `headers`, `body_length`).
#[derive(Debug)]
pub struct Backend {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Backend {
    /// Starts a backend that calls itself `name`.
    ///
    /// # Panics
    ///
    /// Panics when no port can be bound.
    pub async fn start(name: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        Self::on(listener, name)
    }

    /// Starts a backend on a bound listener.
    ///
    /// # Panics
    ///
    /// Panics when the listener has no address.
    #[must_use]
    pub fn on(listener: TcpListener, name: &str) -> Self {
        let address = listener.local_addr().expect("a bound address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(serve(listener, name.to_owned(), Arc::clone(&seen)));
        Self {
            address,
            seen,
            task,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Everything it was asked so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, name: String, seen: Arc<Mutex<Vec<Seen>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (name, seen) = (name.clone(), Arc::clone(&seen));
        tokio::spawn(async move {
            let service =
                service_fn(move |request| answer(name.clone(), Arc::clone(&seen), request));
            let builder = Builder::new(TokioExecutor::new());
            drop(
                builder
                    .serve_connection(TokioIo::new(stream), service)
                    .await,
            );
        });
    }
}

async fn answer(
    name: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let record = Seen {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        headers: head
            .headers
            .iter()
            .map(|(k, v)| (k.to_string(), text(v)))
            .collect(),
        body,
    };
    let response = respond(&name, &record).await;
    seen.lock().push(record);
    Ok(response)
}

async fn respond(name: &str, seen: &Seen) -> Response<Full<Bytes>> {
    let path = seen.target.split('?').next().unwrap_or_default();
    let mut parts = path.trim_matches('/').rsplit('/');
    let (last, kind) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let mut response = Response::new(Full::default());
    match (kind, last.parse::<u32>()) {
        ("status", Ok(status)) => {
            let status = u16::try_from(status)
                .ok()
                .and_then(|s| http::StatusCode::from_u16(s).ok());
            *response.status_mut() = status.unwrap_or(http::StatusCode::BAD_REQUEST);
        }
        ("bytes", Ok(length)) => {
            *response.body_mut() = Full::new(Bytes::from(vec![b'x'; length as usize]));
        }
        ("slow", Ok(wait)) => {
            tokio::time::sleep(std::time::Duration::from_millis(u64::from(wait))).await;
        }
        _ => {
            let headers: serde_json::Map<_, _> = seen
                .headers
                .iter()
                .map(|(k, v)| (k.clone(), v.as_str().into()))
                .collect();
            let body = serde_json::json!({
                "name": name, "method": seen.method, "target": seen.target,
                "headers": headers, "body_length": seen.body.len(),
            });
            let json = http::HeaderValue::from_static("application/json");
            response
                .headers_mut()
                .insert(http::header::CONTENT_TYPE, json);
            *response.body_mut() = Full::new(Bytes::from(body.to_string()));
        }
    }
    response
}
