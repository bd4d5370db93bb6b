//! One endpoint of the platform and how to open a WebSocket there.

use std::sync::Arc;
use std::time::Duration;

use conf::{ClusterMtls, Endpoint, Settings};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;
use wire::socket::{End, Socket};

use super::dial::{BoxConnection, Dialer, HANDSHAKE, secure, server_name, with_port, within};
use super::error::LinkError;
use super::head::{AnswerHead, read_head, read_message};
use super::node_id::node_id;
use super::tls;

/// Name asked for in shared mode, whatever the host.
///
/// Compat: the constant of the reference.
const SHARED_NAME: &str = "kong_clustering";

/// Longest wait a `Retry-After` can ask for.
const MAX_RETRY_AFTER: u64 = 300;

/// How a node names itself in the query of every link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The node's id.
    pub node_id: Uuid,
    /// The machine's name.
    pub hostname: String,
    /// The version of the protocol family the node answers to, such as `3.9.3`.
    pub version: String,
}

impl Identity {
    /// The identity of a node with these settings. Blocks; call it at start.
    ///
    /// # Errors
    ///
    /// [`LinkError::Setting`] when the node's id cannot be read or kept.
    pub fn of(settings: &Settings) -> Result<Self, LinkError> {
        let uname = rustix::system::uname();
        Ok(Self {
            node_id: node_id(settings.node_id, &settings.prefix)?,
            hostname: uname.nodename().to_string_lossy().into_owned(),
            version: plugin_api::COMPATIBLE_VERSION.to_owned(),
        })
    }

    fn query(&self) -> String {
        let Self {
            node_id,
            hostname,
            version,
        } = self;
        let hostname = safe(hostname);
        format!("node_id={node_id}&node_hostname={hostname}&node_version={version}")
    }
}

/// Percent-encodes what would break a request line; ordinary names stay as they are.
fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !b"&#%".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// An endpoint: where, how to verify it, how to get there.
#[derive(Clone)]
pub struct Link {
    endpoint: Endpoint,
    setting: &'static str,
    tls: Arc<ClientConfig>,
    server_name: ServerName<'static>,
    dialer: Dialer,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("endpoint", &self.endpoint)
            .field("server_name", &self.server_name)
            .field("dialer", &self.dialer)
            .finish_non_exhaustive()
    }
}

impl Link {
    /// The link to the control plane.
    ///
    /// # Errors
    ///
    /// [`LinkError::Setting`].
    pub fn to_control_plane(settings: &Settings) -> Result<Self, LinkError> {
        let endpoint = settings.cluster_control_plane.clone();
        let name = settings.cluster_server_name.as_deref();
        Self::new(settings, endpoint, name, "cluster_control_plane")
    }

    /// The link to the telemetry endpoint, where one is set.
    ///
    /// # Errors
    ///
    /// [`LinkError::Setting`].
    pub fn to_telemetry(settings: &Settings) -> Result<Option<Self>, LinkError> {
        let Some(endpoint) = settings.cluster_telemetry_endpoint.clone() else {
            return Ok(None);
        };
        let name = settings.cluster_telemetry_server_name.as_deref();
        Self::new(settings, endpoint, name, "cluster_telemetry_endpoint").map(Some)
    }

    fn new(
        settings: &Settings,
        endpoint: Endpoint,
        name: Option<&str>,
        setting: &'static str,
    ) -> Result<Self, LinkError> {
        let name = match settings.cluster_mtls {
            ClusterMtls::Shared => SHARED_NAME,
            _ => name.filter(|n| !n.is_empty()).unwrap_or(&endpoint.host),
        };
        let dialer = match &settings.proxy_server {
            Some(server) if settings.cluster_use_proxy => {
                Dialer::through(server.clone(), tls::for_proxy(settings)?)
            }
            _ => Dialer::direct(),
        };
        Ok(Self {
            server_name: server_name(name, setting)?,
            tls: tls::for_cluster(settings)?,
            endpoint,
            setting,
            dialer,
        })
    }

    /// `host:port` and path prefix, for logs.
    #[must_use]
    pub fn address(&self) -> String {
        let Endpoint { host, port, path } = &self.endpoint;
        format!("{}{path}", with_port(host, *port))
    }

    /// Opens a WebSocket at `path`. Messages above `max_message` bytes end it.
    ///
    /// # Errors
    ///
    /// [`LinkError`].
    pub async fn open(
        &self,
        path: &str,
        identity: &Identity,
        max_message: usize,
    ) -> Result<Socket<BoxConnection>, LinkError> {
        let Endpoint { host, port, .. } = &self.endpoint;
        let stream = self.dialer.dial(host, *port, self.setting).await?;
        let name = self.server_name.clone();
        let mut stream = secure(stream, Arc::clone(&self.tls), name).await?;
        let upgrade = self.upgrade(&mut stream, path, identity);
        let rest = within("the answer to the upgrade", HANDSHAKE, upgrade).await?;
        Ok(Socket::new(stream, End::Node, rest, max_message).await)
    }

    /// Asks for a WebSocket; gives what came after the answer.
    ///
    /// Compat: the lines and their order are those of real nodes.
    async fn upgrade(
        &self,
        stream: &mut BoxConnection,
        path: &str,
        identity: &Identity,
    ) -> Result<Vec<u8>, LinkError> {
        let Endpoint {
            host,
            port,
            path: prefix,
        } = &self.endpoint;
        let key = wire::websocket_key();
        let request = format!(
            "GET {prefix}{path}?{} HTTP/1.1\r\nUpgrade: websocket\r\nHost: {}\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade\r\n\r\n",
            identity.query(),
            with_port(host, *port),
        );
        let sent = async {
            stream.write_all(request.as_bytes()).await?;
            stream.flush().await
        };
        // A server that refuses the certificate closes right after the handshake of TLS 1.3.
        sent.await
            .map_err(|error| explain_close(&error.to_string()))?;
        let head = read_head(stream)
            .await
            .map_err(|reason| explain_close(&reason))?;
        if head.status != 101 {
            return Err(refusal(stream, &head).await);
        }
        let accept = head.header("sec-websocket-accept");
        if accept != Some(wire::websocket_accept(&key).as_str()) {
            let text = "its `Sec-WebSocket-Accept` is wrong; something between answers instead";
            return Err(LinkError::Answer(text.to_owned()));
        }
        Ok(head.rest)
    }
}

fn explain_close(reason: &str) -> LinkError {
    LinkError::Answer(format!(
        "{reason}; control planes close without a word when they do not know `cluster_cert`"
    ))
}

async fn refusal(stream: &mut BoxConnection, head: &AnswerHead) -> LinkError {
    let status = head.status;
    if matches!(status, 429 | 503) {
        let seconds = head
            .header("retry-after")
            .and_then(|value| value.parse::<u64>().ok());
        let seconds = seconds.map(|seconds| seconds.min(MAX_RETRY_AFTER));
        return LinkError::Busy {
            status,
            retry_after: seconds.map(Duration::from_secs),
        };
    }
    let message = read_message(stream, head).await;
    let message = message.unwrap_or_else(|| {
        let text = match status {
            400 => "it misses something in the request; check `cluster_control_plane`",
            401 | 403 => "it does not accept `cluster_cert`; register the certificate there",
            404 => "there is no control plane at this address; check `cluster_control_plane`",
            421 => "the TLS name and the host do not belong together; check `cluster_server_name`",
            _ => "it is no control plane, or it has a problem of its own",
        };
        text.to_owned()
    });
    LinkError::Refused { status, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_stay_as_they_are_and_odd_ones_cannot_break_the_request() {
        assert_eq!(safe("edge-1.example.test"), "edge-1.example.test");
        assert_eq!(safe("a b&c\r\n"), "a%20b%26c%0D%0A");
        assert_eq!(safe("ü"), "%C3%BC");
    }
}
