//! An HTTP/1.1 client connection: one request after another until it ends.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::client::Http1Client;
use super::connection::Connection;
use super::core::Core;
use super::link::{Link, ReadError};
use super::reply;
use super::runner::{self, Job};
use super::transaction::{Ending, Transaction};
use super::work::Work;
use crate::h2;
use crate::http1::HeadError;
use crate::net::{Io, Timer};

/// Bytes taken from a client behind an answer that closes, so that the answer arrives.
const MAX_LINGER: usize = 256 * 1024;
/// How long that may take, in microseconds.
const LINGER: u64 = 2_000_000;

/// How waiting for a head ended.
enum Wait {
    Head,
    Refused(HeadError),
    TimedOut,
    Ended,
}

/// A client's connection while it lives.
pub(crate) struct Session {
    client: Http1Client,
    connection: Connection,
    timer: Timer,
}

impl Session {
    /// A session at its beginning.
    pub(crate) fn new(core: Rc<Core>, io: Box<dyn Io>, connection: Connection) -> Box<Self> {
        Box::new(Self {
            timer: core.wheel.timer(),
            client: Http1Client {
                link: Link::new(io),
                core,
            },
            connection,
        })
    }

    /// Goes on in HTTP/2; `front` was read already.
    pub(crate) async fn serve_http2(self: Box<Self>, front: Vec<u8>) {
        let Http1Client { link, core } = self.client;
        h2::serve(core, link.io, front, self.connection).await;
    }
}

/// Serves a connection. With `takes_http2` it may turn out to speak HTTP/2 by prior knowledge.
pub(crate) async fn serve(mut session: Box<Session>, takes_http2: bool) {
    let core = Rc::clone(&session.client.core);
    let mut served = 0;
    loop {
        let Session { client, timer, .. } = &mut *session;
        let Some(mut work) = next_head(&core, client, timer, served).await else {
            break;
        };
        if work.refused != 0 && takes_http2 && served == 0 && work.bytes.starts_with(h2::PREFACE) {
            let front = work.bytes.clone();
            core.give_work(work);
            return Box::pin(session.serve_http2(front)).await;
        }
        served += 1;
        work.number = served;
        // Elsewhere, so that an idle connection does not hold the memory of a busy one.
        let (job, ending) = runner::run_one(&core, Job { session, work }).await;
        session = job.session;
        work = job.work;
        session.client.link.sender.reclaim(&mut work.out);
        core.give_work(work);
        match ending {
            Ending::Keep => {}
            Ending::Close => {
                linger(&core, &mut session.client, &session.timer).await;
                break;
            }
            Ending::Abort => break,
        }
    }
    session.client.link.reader.release(&core.buffers);
}

/// Waits for a complete head. `None` ends the connection. A head that is refused comes back with
/// the status to answer in its notes.
async fn next_head(
    core: &Rc<Core>,
    client: &mut Http1Client,
    timer: &Timer,
    served: u64,
) -> Option<Box<Work>> {
    let config = &core.config;
    let idle = if served == 0 {
        config.header_timeout
    } else {
        config.keepalive_timeout
    };
    timer.arm(core.ticks.recent(), idle);
    if client.link.reader.buffer.is_empty() {
        client.link.reader.release(&core.buffers);
        if !take_first(core, client, timer, served > 0).await {
            return None;
        }
    }
    let mut work = core.take_work();
    work.notes.started = core.ticks.now();
    work.request_id = clock::hex_id();
    match read_head(core, client, timer, &mut work).await {
        Wait::Head => {}
        Wait::Refused(error) => {
            work.refused = refusal(error);
            let received = client.link.reader.buffer.filled();
            work.bytes.extend_from_slice(received);
        }
        Wait::TimedOut => work.refused = 408,
        Wait::Ended => {
            core.give_work(work);
            return None;
        }
    }
    Some(work)
}

/// Waits for the first bytes of a request without holding memory for them; false at the end.
async fn take_first(
    core: &Core,
    client: &mut Http1Client,
    timer: &Timer,
    waits_behind_answer: bool,
) -> bool {
    let Link { io, reader, .. } = &mut client.link;
    // Who has just got an answer has usually not asked again yet, and the reactor knows.
    let mut asks_first = waits_behind_answer;
    poll_fn(|cx| {
        if std::mem::take(&mut asks_first) && io.poll_readable(cx).is_pending() {
            return poll_idle(core, timer, cx);
        }
        let read = core.buffers.read_small(|into| io.poll_read(cx, into));
        match read {
            Poll::Ready(Ok(buffer)) => {
                reader.buffer = buffer;
                return Poll::Ready(!reader.buffer.is_empty());
            }
            Poll::Ready(Err(_)) => return Poll::Ready(false),
            Poll::Pending => {}
        }
        poll_idle(core, timer, cx)
    })
    .await
}

/// Whether a connection that waits for a request is to end.
fn poll_idle(core: &Core, timer: &Timer, cx: &Context<'_>) -> Poll<bool> {
    // A drain wakes every armed timer.
    let is_over = timer.poll_expired(cx).is_ready() || core.closes_idle.get();
    match is_over {
        true => Poll::Ready(false),
        false => Poll::Pending,
    }
}

async fn read_head(core: &Core, client: &mut Http1Client, timer: &Timer, work: &mut Work) -> Wait {
    let mut is_armed = false;
    poll_fn(|cx| {
        loop {
            let reader = &mut client.link.reader;
            if !reader.buffer.is_empty() {
                match work.read_head(reader.buffer.filled(), &core.config.head_limits) {
                    Ok(false) => {}
                    Err(error) => return Poll::Ready(Wait::Refused(error)),
                    Ok(true) => {
                        let length = work.head.len;
                        reader.buffer.consume(length);
                        return Poll::Ready(Wait::Head);
                    }
                }
            }
            match client.link.poll_more(cx, &core.buffers) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Wait::Ended),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending if !is_armed => {
                    is_armed = true;
                    timer.arm(core.ticks.recent(), core.config.header_timeout);
                    if timer.poll_expired(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
                Poll::Pending => return timer.poll_expired(cx).map(|()| Wait::TimedOut),
            }
        }
    })
    .await
}

fn refusal(error: HeadError) -> u16 {
    match error {
        HeadError::Method => 405,
        HeadError::LineTooLong => 414,
        HeadError::FieldsTooLong => 494,
        HeadError::TransferCoding => 501,
        HeadError::BareLineFeed
        | HeadError::FirstLine
        | HeadError::Version
        | HeadError::Target
        | HeadError::FieldName
        | HeadError::FieldValue
        | HeadError::Folded
        | HeadError::Host
        | HeadError::ContentLength
        | HeadError::AmbiguousLength => 400,
    }
}

/// Answers a request whose head was read.
pub(crate) async fn answer(session: &mut Session, work: &mut Work) -> Ending {
    let Session {
        client,
        connection,
        timer,
    } = session;
    let core = &Rc::clone(&client.core);
    let refused = work.refused;
    let limit = core.config.max_body;
    client.link.reader.begin_request(work.head.framing, limit);
    let refused = match refused {
        0 => match client.link.reader.prefetch() {
            Ok(()) => 0,
            Err(ReadError::TooLarge) => 413,
            // Compat: a malformed body counts only once a route has taken the request.
            Err(ReadError::Io(_) | ReadError::Body(_)) => 0,
        },
        refused => refused,
    };
    client.link.reader.release_done(&core.buffers);
    let is_persistent = refused == 0
        && work.head.is_persistent
        && work.number < core.config.keepalive_requests
        && !core.is_draining.get();
    let mut transaction = Transaction {
        core,
        connection,
        client,
        work,
        timer,
        pinned: core.pinned(),
        route: None,
        matched: None,
        is_clock_fresh: false,
        limits: core.limits(),
        upgraded: None,
        is_persistent,
    };
    if refused == 0 {
        let ending = transaction.run().await;
        return settle(client, ending);
    }
    transaction.is_persistent = false;
    let reply = match refused {
        501 => reply::page(501),
        status => reply::error(status),
    };
    transaction.refuse(&reply).await
}

/// A connection goes on only where the request's body has been taken completely.
fn settle(client: &mut Http1Client, ending: Ending) -> Ending {
    let reader = &mut client.link.reader;
    if ending != Ending::Keep {
        return ending;
    }
    let count = reader.payload().len();
    reader.consume(count);
    if reader.is_done() {
        Ending::Keep
    } else {
        Ending::Close
    }
}

/// Ends the writing side and takes what the client still sends for a moment: closing at once would
/// make the answer vanish on its way.
async fn linger(core: &Core, client: &mut Http1Client, timer: &Timer) {
    timer.arm(core.ticks.now(), LINGER);
    let mut taken = 0;
    let mut is_shut = false;
    let _: io::Result<()> = poll_fn(|cx| {
        if !is_shut {
            if client.link.io.poll_shutdown(cx).is_pending() {
                return timer.poll_expired(cx).map(Ok);
            }
            is_shut = true;
        }
        loop {
            let reader = &mut client.link.reader;
            let count = reader.buffer.len();
            reader.buffer.consume(count);
            reader.buffer.reset(0);
            match client.link.poll_more(cx, &core.buffers) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(count)) => taken += count,
                Poll::Pending => return timer.poll_expired(cx).map(Ok),
            }
            if taken > MAX_LINGER {
                return Poll::Ready(Ok(()));
            }
        }
    })
    .await;
}
