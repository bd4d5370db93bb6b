//! An HTTP/2 client connection: its streams become requests, each a task of its own.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use h2::RecvStream;
use h2::server::{Builder, SendResponse};
use http::Request;
use plugin_api::HttpVersion;

use super::client::Http2Client;
use super::head;
use super::stream::IoStream;
use crate::http1::Framing;
use crate::net::Io;
use crate::proxy::connection::Connection;
use crate::proxy::core::Core;
use crate::proxy::reply;
use crate::proxy::transaction::Transaction;
use crate::proxy::work::Work;

/// What a client with prior knowledge begins with; the rest of it is checked by `h2`.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n";

/// Most streams of a connection at a time.
const MAX_STREAMS: u32 = 128;
/// Bytes that one stream may send ahead.
const STREAM_WINDOW: u32 = 256 * 1024;
/// Bytes that all streams of a connection together may send ahead.
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Bytes of answers that one stream may have waiting.
const SEND_BUFFER: usize = 256 * 1024;

/// Serves a connection; `front` was read off it already.
pub(crate) async fn serve(core: Rc<Core>, io: Box<dyn Io>, front: Vec<u8>, connection: Connection) {
    let timer = core.wheel.timer();
    let head_limit = u32::try_from(core.config.head_limits.head).unwrap_or(u32::MAX);
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(MAX_STREAMS)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(SEND_BUFFER)
        .max_header_list_size(head_limit);
    let mut handshake = std::pin::pin!(builder.handshake::<_, Bytes>(IoStream::new(io, front)));
    timer.arm(core.ticks.recent(), core.config.header_timeout);
    let shaken = poll_fn(|cx| match handshake.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(done.ok()),
        Poll::Pending => timer.poll_expired(cx).map(|()| None),
    })
    .await;
    let Some(mut streams) = shaken else { return };
    let connection = Rc::new(connection);
    let open = Rc::new(Cell::new(0_usize));
    let mut served = 0;
    let mut is_ending = false;
    timer.arm(core.ticks.recent(), core.config.keepalive_timeout);
    loop {
        let next = poll_fn(|cx| {
            // A drain wakes every armed timer.
            let is_expired = timer.poll_expired(cx).is_ready();
            let is_drained = core.is_draining.get();
            let is_idle = open.get() == 0 && is_expired;
            if !is_ending && (is_drained || is_idle) {
                is_ending = true;
                streams.graceful_shutdown();
            } else if is_expired && !is_ending {
                timer.arm(core.ticks.now(), core.config.keepalive_timeout);
                let _ = timer.poll_expired(cx);
            }
            streams.poll_accept(cx)
        })
        .await;
        let Some(Ok((request, respond))) = next else {
            return;
        };
        served += 1;
        timer.arm(core.ticks.now(), core.config.keepalive_timeout);
        if served >= core.config.keepalive_requests && !is_ending {
            is_ending = true;
            streams.graceful_shutdown();
        }
        open.set(open.get() + 1);
        let guard = Open(Rc::clone(&open));
        let task = serve_stream(
            Rc::clone(&core),
            Rc::clone(&connection),
            request,
            respond,
            served,
        );
        tokio::task::spawn_local(async move {
            let _guard = guard;
            task.await;
        });
    }
}

/// Counts a stream while it lives.
struct Open(Rc<Cell<usize>>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

async fn serve_stream(
    core: Rc<Core>,
    connection: Rc<Connection>,
    request: Request<RecvStream>,
    respond: SendResponse<Bytes>,
    number: u64,
) {
    let timer = core.wheel.timer();
    let (parts, receive) = request.into_parts();
    let mut work = core.take_work();
    work.notes.started = core.ticks.now();
    work.request_id = clock::hex_id();
    work.number = number;
    let has_body = !receive.is_end_stream();
    read_head(&core, &mut work, &parts, has_body);
    let mut client = Http2Client::new(receive, respond, core.config.max_body);
    let refused = work.refused;
    let transaction = Transaction {
        core: &core,
        connection: &connection,
        client: &mut client,
        work: &mut work,
        timer: &timer,
        pinned: core.pinned(),
        route: None,
        matched: None,
        is_clock_fresh: false,
        limits: core.limits(),
        upgraded: None,
        is_persistent: true,
    };
    // What becomes of the connection is not for one stream to say.
    let _ = match refused {
        0 => transaction.run().await,
        status => transaction.refuse(&reply::error(status)).await,
    };
    core.give_work(work);
}

/// Renders the head and reads it as any other.
fn read_head(core: &Core, work: &mut Work, parts: &http::request::Parts, has_body: bool) {
    let mut rendered = std::mem::take(&mut work.out);
    rendered.clear();
    let is_read = head::render_request(parts, &mut rendered).is_some()
        && matches!(
            work.read_head(&rendered, &core.config.head_limits),
            Ok(true)
        );
    work.out = rendered;
    if !is_read {
        work.refused = 400;
    }
    work.head.fields.index.version = HttpVersion::Http2;
    work.head.is_persistent = true;
    work.head.expects_continue = false;
    work.head.framing = match work.head.framing {
        _ if !has_body => Framing::None,
        Framing::None => Framing::Chunked,
        framing => framing,
    };
}
