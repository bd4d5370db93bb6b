//! The CONNECT exchange with a forward proxy.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conf::Credentials;
use tokio::io::AsyncWriteExt;

use super::dial::{BoxConnection, with_port};
use super::error::LinkError;
use super::head::read_head;

/// Asks for a tunnel to `host:port`; afterwards the connection is that tunnel.
///
/// Compat: exactly the lines real nodes send, so that proxies' rules fit both.
pub(super) async fn open_tunnel(
    stream: &mut BoxConnection,
    host: &str,
    port: u16,
    credentials: Option<&Credentials>,
) -> Result<(), LinkError> {
    let target = with_port(host, port);
    let mut request =
        format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nProxy-Connection: Keep-Alive\r\n");
    if let Some(Credentials { user, password }) = credentials {
        let pair = STANDARD.encode(format!("{user}:{}", password.expose()));
        request.push_str(&format!("Proxy-Authorization: Basic {pair}\r\n"));
    }
    request.push_str("\r\n");
    let refused = |reason: String| LinkError::Proxy {
        target: target.clone(),
        reason,
    };
    let sent = async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await
    };
    sent.await.map_err(|error| refused(error.to_string()))?;
    let head = read_head(stream).await.map_err(refused)?;
    match head.status {
        200 if head.rest.is_empty() => Ok(()),
        200 => Err(refused(
            "it sent data before the tunnel was used".to_owned(),
        )),
        407 => Err(LinkError::ProxyCredentials),
        403 => Err(refused(
            "it forbids this target (403); allow CONNECT to it in the proxy's rules".to_owned(),
        )),
        status @ (502..=504) => Err(refused(format!(
            "it cannot reach the target (status {status}); check `cluster_control_plane` and the \
             proxy's own network"
        ))),
        status => Err(refused(format!("it answered with status {status}"))),
    }
}
