//! Telemetry links: ours is kept and acknowledged, that of other nodes is discarded.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::time::timeout;
use uuid::Uuid;
use wire::socket::SocketEvent;
use wire::telemetry::{Acknowledge, Batch};

use super::Inner;
use super::accept::{Handshake, NodeQuery, Peer, Refusal};
use super::admission::enter;

/// Largest frame of a telemetry link: 8 MiB, packed.
const MAX_FRAME: usize = 8 * 1024 * 1024;

/// Where a batch came from: proven by certificate, except the node's own id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TelemetryOrigin {
    /// The control plane the link belongs to.
    pub control_plane: Uuid,
    /// The node.
    pub node: Uuid,
}

/// Keeps telemetry; the platform's analytics implement it.
pub trait KeepBatches: Send + Sync {
    /// Keeps a batch. It is acknowledged to the node once this says that it is kept; a failure
    /// ends the link, and the node sends the batch again. A batch may arrive twice.
    fn keep(
        &self,
        origin: TelemetryOrigin,
        batch: Batch,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>>;
}

/// Opens `/v1/telemetry`.
pub(super) async fn open<B: Send + 'static>(
    inner: &Arc<Inner>,
    mut request: Request<B>,
    peer: Peer,
) -> Result<Response<Full<Bytes>>, Refusal> {
    let query = NodeQuery::read(request.uri().query())?;
    let handshake = Handshake::read(&mut request)?;
    let answer = handshake.answer(None);
    let (_, link) = enter(inner, &peer, None).await?;
    let inner = Arc::clone(inner);
    let origin = TelemetryOrigin {
        control_plane: peer.control_plane,
        node: query.id(peer.control_plane),
    };
    tokio::spawn(async move {
        tokio::select! {
            () = link.ended() => {}
            () = receive(&inner, handshake, origin) => {}
        }
    });
    Ok(answer)
}

async fn receive(inner: &Inner, handshake: Handshake, origin: TelemetryOrigin) {
    let Some(mut socket) = handshake.socket(MAX_FRAME).await else {
        return;
    };
    loop {
        let event = match timeout(inner.options.silence, socket.event()).await {
            Ok(Ok(event)) => event,
            Ok(Err(error)) => {
                tracing::debug!(%error, "a telemetry link ended");
                return;
            }
            Err(_) => return socket.close().await,
        };
        let payload = match event {
            SocketEvent::Binary(payload) => payload,
            SocketEvent::Closed => return,
            _ => continue,
        };
        let acknowledge = match keep(inner, origin, &payload).await {
            Ok(acknowledge) => acknowledge,
            Err(error) => {
                tracing::warn!(node = %origin.node, error, "a telemetry batch was not kept");
                return socket.close().await;
            }
        };
        if socket.queue(acknowledge.encode()).is_err() {
            return;
        }
    }
}

async fn keep(
    inner: &Inner,
    origin: TelemetryOrigin,
    payload: &Bytes,
) -> Result<Acknowledge, String> {
    let packed = payload.clone();
    let batch = tokio::task::spawn_blocking(move || Batch::decode(&packed)).await;
    let mut batch = batch
        .map_err(|error| error.to_string())?
        .map_err(|error| error.to_string())?;
    // The link's own word counts, not what the batch claims.
    batch.node_id = origin.node;
    let acknowledge = Acknowledge {
        stream: batch.stream,
        sequence: batch.sequence,
    };
    if let Some(keeper) = &inner.keeper {
        keeper.keep(origin, batch).await?;
    }
    Ok(acknowledge)
}

/// Opens a link whose frames are read and discarded, so that nodes of the enterprise edition do
/// not retry for ever. One offered sub-protocol is echoed.
pub(super) async fn open_discarding<B: Send + 'static>(
    inner: &Arc<Inner>,
    mut request: Request<B>,
    peer: &Peer,
) -> Result<Response<Full<Bytes>>, Refusal> {
    let handshake = Handshake::read(&mut request)?;
    let protocol = match &handshake.offered[..] {
        [one] => Some(one.as_str()),
        _ => None,
    };
    let answer = handshake.answer(protocol);
    let (_, link) = enter(inner, peer, None).await?;
    let silence = inner.options.silence;
    tokio::spawn(async move {
        let discard = async {
            let Some(mut socket) = handshake.socket(MAX_FRAME).await else {
                return;
            };
            while let Ok(Ok(event)) = timeout(silence, socket.event()).await {
                if event == SocketEvent::Closed {
                    return;
                }
            }
        };
        tokio::select! {
            () = link.ended() => {}
            () = discard => {}
        }
    });
    Ok(answer)
}
