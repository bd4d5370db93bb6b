//! One connection: handshake, then requests until one side ends it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rustls::server::Acceptor;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::Shared;
use crate::dispatch::Caller;

/// Bytes of all headers of one request, HTTP/2.
const MAX_HEADER_LIST: u32 = 64 * 1024;
/// Bytes of a request head, HTTP/1.1.
const MAX_HEAD: usize = 64 * 1024;
/// Requests at one time on one HTTP/2 connection.
const MAX_STREAMS: u32 = 128;

pub(super) async fn serve(
    shared: &Arc<Shared>,
    stream: TcpStream,
    remote: SocketAddr,
    stopping: watch::Receiver<bool>,
) {
    // Best effort: a connection without it is only slower.
    drop(stream.set_nodelay(true));
    let handshake = shake_hands(shared, stream, remote);
    match tokio::time::timeout(shared.limits.handshake, handshake).await {
        Ok(Ok((stream, caller))) => requests(shared, stream, caller, stopping).await,
        Ok(Err(error)) => tracing::debug!(%remote, %error, "a TLS handshake failed"),
        Err(_) => tracing::debug!(%remote, "a TLS handshake took too long"),
    }
}

async fn shake_hands(
    shared: &Shared,
    stream: TcpStream,
    remote: SocketAddr,
) -> std::io::Result<(TlsStream<TcpStream>, Caller)> {
    let local = stream.local_addr()?.ip();
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let server_name = start.client_hello().server_name().map(str::to_owned);
    let config = shared.certificates.config(server_name.as_deref(), local);
    let stream = start
        .into_stream(config.map_err(std::io::Error::other)?)
        .await?;
    let (_, session) = stream.get_ref();
    let certificates = session.peer_certificates().unwrap_or_default();
    let caller = Caller::new(server_name, certificates, remote);
    Ok((stream, caller))
}

async fn requests(
    shared: &Arc<Shared>,
    stream: TlsStream<TcpStream>,
    caller: Caller,
    mut stopping: watch::Receiver<bool>,
) {
    let remote = caller.remote;
    let caller = Arc::new(caller);
    let service = service_fn(|request: http::Request<Incoming>| {
        let (shared, caller) = (Arc::clone(shared), Arc::clone(&caller));
        async move { Ok::<_, Infallible>(shared.services.answer(request, &caller).await) }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.limits.header_read)
        .max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEADER_LIST)
        .max_concurrent_streams(MAX_STREAMS)
        .keep_alive_interval(Some(shared.limits.header_read))
        .keep_alive_timeout(shared.limits.header_read);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = async { drop(stopping.wait_for(|is_stopping| *is_stopping).await) } => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%remote, %error, "a connection ended early");
    }
}
