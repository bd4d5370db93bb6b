//! `/v2/outlet`: answers the hello with nothing on offer, which sends nodes to protocol v1.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::time::{Instant, timeout};
use wire::limits::MAX_NODE_FRAME;
use wire::socket::SocketEvent;
use wire::v2::{Hello, SUB_PROTOCOL};

use super::accept::{Handshake, Peer, Refusal};
use super::admission::enter;
use super::{Inner, OutletOptions};

pub(super) async fn open<B: Send + 'static>(
    inner: &Arc<Inner>,
    mut request: Request<B>,
    peer: &Peer,
) -> Result<Response<Full<Bytes>>, Refusal> {
    let handshake = Handshake::read(&mut request)?;
    if !handshake.offered.iter().any(|one| one == SUB_PROTOCOL) {
        let text = format!("`Sec-WebSocket-Protocol` must offer `{SUB_PROTOCOL}`");
        return Err(Refusal::bad_request(text));
    }
    let answer = handshake.answer(Some(SUB_PROTOCOL));
    // Several of these links with one node id are normal: each worker of a node opens one.
    let (_, link) = enter(inner, peer, None).await?;
    let options = inner.options.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = link.ended() => {}
            () = keep_alive(&options, handshake) => {}
        }
    });
    Ok(answer)
}

async fn keep_alive(options: &OutletOptions, handshake: Handshake) {
    let Some(mut socket) = handshake.socket(MAX_NODE_FRAME).await else {
        return;
    };
    let hello = async {
        loop {
            match socket.event().await {
                Ok(SocketEvent::Binary(payload)) => return Hello::decode(&payload).ok(),
                Ok(SocketEvent::Closed) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    };
    let Ok(Some(hello)) = timeout(options.first_frame, hello).await else {
        return socket.close().await;
    };
    let Ok(reply) = hello.reply().encode() else {
        return;
    };
    if socket.queue(reply).is_err() {
        return;
    }
    let mut heard = Instant::now();
    let mut is_pinged = false;
    loop {
        let idle = if is_pinged {
            options.silence
        } else {
            options.ping_interval
        };
        match tokio::time::timeout_at(heard + idle, socket.event()).await {
            Ok(Ok(SocketEvent::Written)) => {}
            Ok(Ok(SocketEvent::Closed) | Err(_)) => return,
            // Calls are not served; a node that lists no common capability makes none.
            Ok(Ok(_)) => {
                heard = Instant::now();
                is_pinged = false;
            }
            Err(_) if is_pinged => return socket.close().await,
            Err(_) => {
                is_pinged = true;
                if socket.queue_ping(Bytes::new()).is_err() {
                    return;
                }
            }
        }
    }
}
