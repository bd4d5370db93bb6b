//! The answer on its way through the plugins: header filters, body filters, and handlers that want
//! all of it. Nothing here runs for a route without plugins.

use bytes::{Bytes, BytesMut};
use plugin_api::{
    BodyChunk, Chain, Head, HeaderEdits, Needs, Phases, Reply, ResponseSource, ResponseView,
};

use super::attempt;
use super::attempt::Reached;
use super::client::Client;
use super::plugins::{Around, MAX_BUFFERED};
use super::relay::Fault;
use super::reply;
use super::reply::Rendered;
use super::response_head::AnswerBody;
use super::transaction::{Ending, Transaction};

/// What filters made of an answer of the gateway's own.
pub(crate) struct FilteredReply {
    pub(crate) headers: HeaderEdits,
    pub(crate) status: u16,
    /// Whether the length is not told, because a filter changes the body.
    pub(crate) is_chunked: bool,
}

/// Runs the filters over an answer of the gateway's own. `None` without plugins.
pub(crate) fn filter_reply<C: Client>(
    tx: &mut Transaction<'_, C>,
    reply: &Reply,
    rendered: &mut Rendered,
) -> Option<FilteredReply> {
    if !tx.work.plugins.is_used {
        return None;
    }
    let around = Around::of(tx);
    let chain = around.chain();
    let mut headers = tx.work.plugins.response.headers.clone();
    let status = tx.work.plugins.response.status.unwrap_or(reply.status);
    let own = rendered.lines(reply);
    let (mut exchange, run, _) = around.open(tx.work);
    let mut view = ResponseView {
        status,
        head: None,
        headers: &mut headers,
        own: &own,
        source: reply.source,
        changes_body: false,
        drops_body: false,
    };
    chain.header_filter(run, &mut exchange, &mut view);
    let (status, is_chunked) = (view.status, view.changes_body);
    if view.drops_body {
        rendered.body = Bytes::new();
    }
    if chain.phases().contains(Phases::BODY_FILTER) {
        let mut chunk = BodyChunk {
            data: std::mem::take(&mut rendered.body),
            is_last: true,
            trailers: Bytes::new(),
        };
        chain.body_filter(run, &mut exchange, &mut chunk);
        rendered.body = chunk.data;
    }
    Some(FilteredReply {
        headers,
        status,
        is_chunked,
    })
}

/// Relays an answer through the filters.
pub(crate) async fn relay<C: Client>(
    tx: &mut Transaction<'_, C>,
    mut reached: Box<Reached>,
    state: (bool, bool),
) -> Ending {
    let around = is_looked_at(tx.chain()).then(|| Around::of(tx));
    let filtered = match &around {
        Some(around) if around.chain().needs().contains(Needs::RESPONSE_BODY) => {
            return relay_whole(tx, reached, state, around).await;
        }
        Some(around) => filter_head(tx, around, &reached),
        None => edited_head(tx),
    };
    if filtered.drops_body {
        return without_body(tx, &reached, &filtered.headers).await;
    }
    let headers = filtered.headers;
    let is_head = tx.work.method() == b"HEAD";
    let changes = filtered.changes_body;
    let framing = AnswerBody::choose(&tx.work.response, tx.version(), is_head, changes);
    tx.write_answer_head(&reached, framing, Some(&headers));
    if filtered.is_taken {
        // Its memory serves the next request.
        tx.work.plugins.response.headers = headers;
    }
    let response = &tx.work.response;
    let is_upstream_persistent = response.is_persistent;
    reached.link.reader.buffer.consume(response.len);
    reached.link.reader.begin_body(response.framing, None);
    let relayed = match &around {
        Some(around) if around.chain().phases().contains(Phases::BODY_FILTER) => {
            relay_filtered(tx, &mut reached, state, around).await
        }
        _ => {
            let mut relay = tx.relay(&mut reached, state);
            relay.response_body().await.map(|()| relay.is_request_sent)
        }
    };
    tx.note_sizes();
    match relayed {
        Err(_) => Ending::Abort,
        Ok(is_sent) => {
            if is_sent && is_upstream_persistent {
                attempt::give_back(tx.core, reached);
            }
            if is_sent && tx.is_persistent {
                Ending::Keep
            } else {
                Ending::Close
            }
        }
    }
}

/// Sends the head of a service's answer without its body. The service's connection is given up:
/// its body may be long.
async fn without_body<C: Client>(
    tx: &mut Transaction<'_, C>,
    reached: &Reached,
    headers: &HeaderEdits,
) -> Ending {
    tx.write_answer_head(reached, AnswerBody::Length(0), Some(headers));
    tx.push_last(Bytes::new()).await
}

/// What the header filters made of a service's answer.
struct FilteredHead {
    headers: HeaderEdits,
    /// Whether the changes were taken out of the request's state.
    is_taken: bool,
    changes_body: bool,
    drops_body: bool,
}

/// Whether plugins see the answer, or at its end what they changed of it.
fn is_looked_at(chain: &Chain) -> bool {
    let phases = chain.phases();
    let looks = [Phases::HEADER_FILTER, Phases::BODY_FILTER, Phases::LOG];
    chain.needs().contains(Needs::RESPONSE_BODY)
        || looks.into_iter().any(|phase| phases.contains(phase))
}

/// What plugins changed before the service answered. Nobody looks at the changes any more, so they
/// are not copied.
fn edited_head<C: Client>(tx: &mut Transaction<'_, C>) -> FilteredHead {
    let received = tx.work.response.status();
    tx.work.notes.status = tx.work.plugins.response.status.unwrap_or(received);
    FilteredHead {
        headers: std::mem::take(&mut tx.work.plugins.response.headers),
        is_taken: true,
        changes_body: false,
        drops_body: false,
    }
}

/// Runs the header filters over a service's answer.
fn filter_head<C: Client>(
    tx: &mut Transaction<'_, C>,
    around: &Around,
    reached: &Reached,
) -> FilteredHead {
    let received = tx.work.response.status();
    let status = tx.work.plugins.response.status.unwrap_or(received);
    let mut headers = tx.work.plugins.response.headers.clone();
    let (mut exchange, run, index) = around.open(tx.work);
    let mut view = ResponseView {
        status,
        head: Some(Head::new(reached.link.reader.buffer.filled(), index)),
        headers: &mut headers,
        source: ResponseSource::Service,
        changes_body: false,
        drops_body: false,
        own: &[],
    };
    around.chain().header_filter(run, &mut exchange, &mut view);
    let (status, changes_body, drops_body) = (view.status, view.changes_body, view.drops_body);
    tx.work.notes.status = status;
    FilteredHead {
        headers,
        is_taken: false,
        changes_body,
        drops_body,
    }
}

async fn relay_filtered<C: Client>(
    tx: &mut Transaction<'_, C>,
    reached: &mut Reached,
    state: (bool, bool),
    around: &Around,
) -> Result<bool, Fault> {
    let mut state = state;
    loop {
        let mut relay = tx.relay(reached, state);
        relay.more_payload().await?;
        state = (relay.is_request_sent, relay.is_request_broken);
        let payload = Bytes::copy_from_slice(reached.link.reader.payload());
        reached.link.reader.consume(payload.len());
        let is_last = reached.link.reader.is_done();
        let trailers = match is_last {
            true => Bytes::copy_from_slice(reached.link.reader.trailers()),
            false => Bytes::new(),
        };
        let mut chunk = BodyChunk {
            data: payload,
            is_last,
            trailers,
        };
        let (mut exchange, run, _) = around.open(tx.work);
        around.chain().body_filter(run, &mut exchange, &mut chunk);
        let last = chunk.is_last.then_some(chunk.trailers.as_ref());
        let mut relay = tx.relay(reached, state);
        relay.push_payload(&chunk.data, last).await?;
        if chunk.is_last {
            return Ok(state.0);
        }
    }
}

/// Reads the whole answer, runs the response phase and the filters, then sends it.
async fn relay_whole<C: Client>(
    tx: &mut Transaction<'_, C>,
    mut reached: Box<Reached>,
    state: (bool, bool),
    around: &Around,
) -> Ending {
    let head = tx.work.response.len;
    let framing = tx.work.response.framing;
    // The head moves to a link of its own, so that the body can be read behind it.
    let bytes = reached.link.reader.buffer.filled()[..head].to_vec();
    reached.link.reader.buffer.consume(head);
    reached.link.reader.begin_body(framing, None);
    let mut body = BytesMut::new();
    let mut state = state;
    loop {
        let mut relay = tx.relay(&mut reached, state);
        let more = relay.more_payload().await;
        state = (relay.is_request_sent, relay.is_request_broken);
        match more {
            Ok(true) => {}
            Ok(false) => break,
            Err(_) => return tx.answer(&reply::error(502), true).await,
        }
        body.extend_from_slice(reached.link.reader.payload());
        let count = reached.link.reader.payload().len();
        reached.link.reader.consume(count);
        if body.len() as u64 > MAX_BUFFERED {
            return tx.answer(&reply::error(502), true).await;
        }
    }
    let is_reusable = state.0 && tx.work.response.is_persistent;
    if is_reusable {
        attempt::give_back(tx.core, reached);
    }
    send_whole(tx, around, &bytes, body.freeze()).await
}

async fn send_whole<C: Client>(
    tx: &mut Transaction<'_, C>,
    around: &Around,
    head: &[u8],
    mut body: Bytes,
) -> Ending {
    let chain = around.chain();
    let mut headers = tx.work.plugins.response.headers.clone();
    let received = tx.work.response.status();
    let status = tx.work.plugins.response.status.unwrap_or(received);
    let (mut exchange, run, index) = around.open(tx.work);
    let mut view = ResponseView {
        status,
        head: Some(Head::new(head, index)),
        headers: &mut headers,
        source: ResponseSource::Service,
        changes_body: false,
        drops_body: false,
        own: &[],
    };
    let reply = chain
        .response(run, &mut exchange, &mut view, &mut body)
        .await;
    if reply.is_none() {
        chain.header_filter(run, &mut exchange, &mut view);
        let mut chunk = BodyChunk {
            data: body,
            is_last: true,
            trailers: Bytes::new(),
        };
        chain.body_filter(run, &mut exchange, &mut chunk);
        body = chunk.data;
    }
    let (status, drops_body) = (view.status, view.drops_body);
    tx.work.notes.status = status;
    if drops_body {
        body.clear();
    }
    if let Some(reply) = reply {
        return tx.answer(&reply, true).await;
    }
    let is_head = tx.work.method() == b"HEAD";
    let framing = match tx.work.response.framing {
        crate::http1::Framing::None => {
            AnswerBody::choose(&tx.work.response, tx.version(), is_head, false)
        }
        _ => AnswerBody::Length(body.len() as u64),
    };
    tx.write_answer_head_from(head, framing, Some(&headers));
    tx.push_last(body).await
}

/// Keeps the head of an answer, which stands at the front of the output, for plugins that log.
pub(crate) fn keep_head<C: Client>(tx: &mut Transaction<'_, C>) {
    if !tx.is_logged_by_plugins() {
        return;
    }
    let out = &tx.work.out;
    let end = memchr::memmem::find(out, b"\r\n\r\n");
    let head = &out[..end.unwrap_or(out.len())];
    let sent = &mut tx.work.plugins.sent_head;
    sent.clear();
    sent.extend_from_slice(head);
}
