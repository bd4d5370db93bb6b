//! Accepting connections: TLS by server name, HTTP/1.1 and 2, and an orderly end.

mod connection;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::dispatch::Services;
use crate::options::Limits;
use crate::tls::Certificates;

/// Pause after the system refused to accept, such as when files have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What all connections share.
struct Shared {
    certificates: Certificates,
    services: Services,
    limits: Limits,
}

/// Serves until `shutdown` completes, then waits for requests under way within the limit.
pub(crate) async fn serve(
    listener: TcpListener,
    certificates: Certificates,
    services: Services,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
) {
    let shared = Arc::new(Shared {
        certificates,
        services,
        limits,
    });
    let (stop, stopping) = watch::channel(false);
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &room) => {
                if let Some((stream, remote, permit)) = accepted {
                    let (shared, stopping) = (Arc::clone(&shared), stopping.clone());
                    connections.spawn(async move {
                        connection::serve(&shared, stream, remote, stopping).await;
                        drop(permit);
                    });
                }
            }
            Some(ended) = connections.join_next(), if !connections.is_empty() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a connection broke off");
                }
            }
        }
    }
    drop(listener);
    stop.send_replace(true);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.shutdown, all).await.is_err() {
        tracing::warn!("requests were still under way when the time for the end was over");
    }
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, remote)) => Some((stream, remote, permit)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}
