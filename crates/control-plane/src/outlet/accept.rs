//! Reading the request of a link and answering it.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_TYPE, HeaderName, RETRY_AFTER, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use pki::PeerCertificate;
use rustls_pki_types::CertificateDer;
use uuid::Uuid;
use wire::socket::{End, Socket};

/// Who opened a link, as the TLS layer knows it.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The control plane whose host was asked for.
    pub control_plane: Uuid,
    /// The leaf certificate presented in the handshake.
    pub certificate: Option<PeerCertificate>,
    /// What was presented after the leaf.
    pub chain: Vec<CertificateDer<'static>>,
    /// The peer's address.
    pub address: SocketAddr,
}

/// Why a request gets no link.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    message: String,
    /// Seconds to wait, for 503.
    retry_after: Option<u64>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            retry_after: None,
        }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no such endpoint")
    }

    pub(super) fn unauthorised(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    /// "Come back in some seconds"; nodes reconnect in 5 to 10 s anyway.
    pub(super) fn busy(message: impl Into<String>) -> Self {
        Self {
            retry_after: Some(5),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
        }
    }

    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn into_message(self) -> String {
        self.message
    }
}

/// Renders a refusal: JSON with a `message`.
pub(super) fn refuse(refusal: &Refusal) -> Response<Full<Bytes>> {
    let body = serde_json::json!({ "message": refusal.message }).to_string();
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = refusal.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(seconds) = refusal.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A request that may become a WebSocket.
pub(super) struct Handshake {
    key: HeaderValue,
    upgrade: OnUpgrade,
    /// Sub-protocols offered, in order.
    pub(super) offered: Vec<String>,
}

impl Handshake {
    /// Checks that the request asks for a WebSocket (RFC 6455 section 4.2.1).
    pub(super) fn read<B>(request: &mut Request<B>) -> Result<Self, Refusal> {
        let headers = request.headers();
        if request.method() != Method::GET {
            let text = "this endpoint is a WebSocket";
            return Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, text));
        }
        if !has_token(headers, &UPGRADE, "websocket") || !has_token(headers, &CONNECTION, "upgrade")
        {
            let text = "this endpoint is a WebSocket; send `Upgrade: websocket`";
            return Err(Refusal::new(StatusCode::UPGRADE_REQUIRED, text));
        }
        if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|v| v != "13") {
            return Err(Refusal::bad_request("`Sec-WebSocket-Version` must be 13"));
        }
        let Some(key) = headers.get(SEC_WEBSOCKET_KEY).cloned() else {
            return Err(Refusal::bad_request("`Sec-WebSocket-Key` is missing"));
        };
        let offered = tokens(headers, &SEC_WEBSOCKET_PROTOCOL).collect();
        let upgrade = hyper::upgrade::on(request);
        Ok(Self {
            key,
            upgrade,
            offered,
        })
    }

    /// The answer that opens the WebSocket, with at most one sub-protocol.
    pub(super) fn answer(&self, protocol: Option<&str>) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        let key = self.key.to_str().unwrap_or_default();
        if let Ok(accept) = HeaderValue::from_str(&wire::websocket_accept(key)) {
            headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        }
        if let Some(Ok(protocol)) = protocol.map(HeaderValue::from_str) {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        response
    }

    /// Waits until the answer is out and gives the socket.
    pub(super) async fn socket(self, max_message: usize) -> Option<Socket<TokioIo<Upgraded>>> {
        match self.upgrade.await {
            Ok(upgraded) => {
                let io = TokioIo::new(upgraded);
                Some(Socket::new(io, End::Plane, Vec::new(), max_message).await)
            }
            Err(error) => {
                tracing::debug!(%error, "a node's link was not taken over");
                None
            }
        }
    }
}

fn tokens<'a>(headers: &'a HeaderMap, name: &'a HeaderName) -> impl Iterator<Item = String> + 'a {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|token| token.trim().to_owned())
        .filter(|token| !token.is_empty())
}

fn has_token(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    tokens(headers, name).any(|token| token.eq_ignore_ascii_case(wanted))
}

/// What a node says about itself in the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NodeQuery {
    pub(super) node_id: String,
    pub(super) version: String,
    pub(super) hostname: String,
}

impl NodeQuery {
    /// Reads the query. Real nodes do not percent-encode; ours and others may.
    pub(super) fn read(query: Option<&str>) -> Result<Self, Refusal> {
        let value = |name: &str| {
            query
                .unwrap_or_default()
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| percent_decode(value))
                .filter(|value| !value.is_empty())
        };
        let required = |name: &str| {
            let text = format!("query parameter `{name}` is missing");
            value(name).ok_or_else(|| Refusal::bad_request(text))
        };
        Ok(Self {
            node_id: clip(&required("node_id")?),
            version: clip(&required("node_version")?),
            hostname: clip(&value("node_hostname").unwrap_or_default()),
        })
    }

    /// The id as a UUID. One that is none, which the reference serves too, gets a UUID made of
    /// it, so that the node can be listed.
    pub(super) fn id(&self, control_plane: Uuid) -> Uuid {
        Uuid::parse_str(&self.node_id)
            .unwrap_or_else(|_| Uuid::new_v5(&control_plane, self.node_id.as_bytes()))
    }
}

/// Most characters kept of anything a node calls itself.
const MAX_WORD: usize = 255;

/// What is kept of a node's own words: they are stored and shown.
pub(super) fn clip(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(MAX_WORD)
        .collect()
}

fn percent_decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        let digits = tail.get(..2).filter(|_| *byte == b'%');
        let digits = digits.and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                rest = &tail[2..];
            }
            None => {
                out.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_needs_id_and_version_only() {
        let read = |query: &str| NodeQuery::read(Some(query));
        let full = read("node_id=a&node_hostname=b%20c&node_version=3.9.1").unwrap();
        assert_eq!(
            (
                full.node_id.as_str(),
                full.hostname.as_str(),
                full.version.as_str()
            ),
            ("a", "b c", "3.9.1")
        );
        assert_eq!(read("node_id=a&node_version=3.9.1").unwrap().hostname, "");
        for query in [
            "",
            "node_id=a",
            "node_version=3.9.1",
            "node_id=&node_version=3",
        ] {
            let refused = read(query).unwrap_err();
            assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{query}");
        }
        assert!(NodeQuery::read(None).is_err());
    }

    #[test]
    fn long_and_odd_words_are_cut() {
        let query = format!(
            "node_id=a&node_version=3.9.1&node_hostname=%0a{}",
            "h".repeat(9000)
        );
        let read = NodeQuery::read(Some(&query)).unwrap();
        assert_eq!(read.hostname, "h".repeat(255));
    }

    #[test]
    fn percent_signs_without_digits_stay() {
        assert_eq!(percent_decode("%41%4x%"), "A%4x%");
        assert_eq!(percent_decode("%ff"), "\u{fffd}");
    }

    #[test]
    fn id_that_is_no_uuid_is_stable() {
        let query = NodeQuery::read(Some("node_id=x&node_version=3.9.1")).unwrap();
        let plane = Uuid::from_u128(1);
        assert_eq!(query.id(plane), query.id(plane));
        assert_ne!(query.id(plane), query.id(Uuid::from_u128(2)));
    }
}
