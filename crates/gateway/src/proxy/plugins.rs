//! Driving the plugin chain: the engine's side of `plugin-api`. Nothing here runs for a route
//! without plugins.

use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use plugin_api::{
    BodyChunk, Chain, ClientInfo, Exchange, Head, HeaderEdits, Lookups, Needs, Outcome, Phases,
    Reply, ResponseSource, ResponseView, Run,
};

use super::attempt::{self, Reached};
use super::client::Client;
use super::link::ReadError;
use super::relay::{Fault, send_continue};
use super::reply::{self, Rendered};
use super::response_head::AnswerBody;
use super::transaction::{Ending, Transaction};
use super::work::{Origin, Work};
use crate::http1::{Framing, Known};
use crate::snapshot::RouteEntry;

/// Largest body that is kept for a plugin where the configuration sets no limit, in bytes.
const MAX_BUFFERED: u64 = 64 * 1024 * 1024;

/// Largest form that is kept for a plugin that only looks at forms, in bytes.
const MAX_FORM: u64 = 1024 * 1024;

/// What the exchange shows of the configuration.
#[derive(Clone, Copy)]
struct Around<'a> {
    client: &'a ClientInfo,
    route: Option<&'a RouteEntry>,
    lookups: &'a Lookups,
    now_ms: u64,
}

/// Splits the state of a request into what handlers see, what picks them, and the answer's head.
fn open<'w>(
    work: &'w mut Work,
    around: Around<'w>,
) -> (Exchange<'w>, &'w mut Run, &'w plugin_api::HeadIndex) {
    let received = match work.head.fields.index.path.of(&work.bytes) {
        [] => b"/",
        path => path,
    };
    let path = if work.is_path_rewritten {
        &work.path
    } else {
        received
    };
    let plugins = &mut work.plugins;
    let exchange = Exchange {
        head: Head::new(&work.bytes, &work.head.fields.index),
        path,
        body: work.body.as_deref(),
        request: &mut plugins.request,
        response: &mut plugins.response,
        client: around.client,
        route: around.route.map(|entry| &entry.info),
        service: around
            .route
            .and_then(|entry| entry.service.as_ref().map(|service| &service.info)),
        request_id: std::str::from_utf8(&work.request_id).unwrap_or_default(),
        identity: &mut plugins.identity,
        lookups: around.lookups,
        now_ms: around.now_ms,
        locals: &mut plugins.locals,
    };
    (exchange, &mut plugins.run, &work.response.fields.index)
}

impl<C: Client> Transaction<'_, C> {
    fn client_info(&self) -> ClientInfo {
        let mut client = self.connection.client.clone();
        if let Some(ip) = self.work.real_ip {
            client.ip = ip;
            client.ip_text = Bytes::from(ip.to_string());
        }
        client.request = self.work.number;
        client.is_peer_trusted = self.work.is_peer_trusted;
        client
    }

    fn now_ms(&self) -> u64 {
        self.core.ticks.unix_micros(self.work.notes.started) / 1000
    }

    fn chain(&self) -> Arc<Chain> {
        match self.route() {
            Some(entry) => Arc::clone(&entry.chain),
            None => Arc::clone(&self.pinned.snapshot.globals),
        }
    }
}

/// Runs the rewrite phase of global plugins.
pub(crate) async fn rewrite<C: Client>(tx: &mut Transaction<'_, C>) -> Result<(), Reply> {
    tx.work.plugins.is_used = true;
    let pinned = Rc::clone(&tx.pinned);
    let globals = &pinned.snapshot.globals;
    if !globals.phases().contains(Phases::REWRITE) {
        return Ok(());
    }
    let client = tx.client_info();
    let around = Around {
        client: &client,
        route: None,
        lookups: &pinned.snapshot.lookups,
        now_ms: tx.now_ms(),
    };
    let (mut exchange, _, _) = open(tx.work, around);
    answered(globals.rewrite(&mut exchange).await)
}

/// A request that no route takes.
pub(crate) async fn without_route<C: Client>(tx: &mut Transaction<'_, C>) -> Result<(), Reply> {
    tx.work.plugins.is_used = !tx.pinned.snapshot.globals.is_empty();
    Err(reply::message(404, "no Route matched with those values"))
}

/// Runs the access phase.
pub(crate) async fn access<C: Client>(
    tx: &mut Transaction<'_, C>,
    entry: &RouteEntry,
) -> Result<(), Reply> {
    tx.work.plugins.is_used = true;
    let needs = entry.chain.needs();
    let is_unsized = matches!(tx.work.head.framing, Framing::Chunked);
    if needs.contains(Needs::REQUEST_BODY)
        || (is_unsized && needs.contains(Needs::UNSIZED_REQUEST_BODY))
        || (needs.contains(Needs::FORM_REQUEST_BODY) && is_small_form(tx.work))
    {
        collect(tx).await?;
    }
    let pinned = Rc::clone(&tx.pinned);
    let client = tx.client_info();
    let around = Around {
        client: &client,
        route: Some(entry),
        lookups: &pinned.snapshot.lookups,
        now_ms: tx.now_ms(),
    };
    let (mut exchange, run, _) = open(tx.work, around);
    answered(entry.chain.access(run, &mut exchange).await)
}

/// Whether the body is a form or JSON and not large.
fn is_small_form(work: &Work) -> bool {
    let kind = work.head.fields.first(Known::ContentType, &work.bytes);
    let kind = kind.unwrap_or_default();
    let is_small = match work.head.framing {
        Framing::Length(length) => length <= MAX_FORM,
        _ => false,
    };
    let kinds: [&[u8]; 2] = [b"application/x-www-form-urlencoded", b"application/json"];
    let is_one = |name: &[u8]| {
        let front = kind.get(..name.len());
        front.is_some_and(|front| front.eq_ignore_ascii_case(name))
    };
    is_small && kinds.into_iter().any(is_one)
}

fn answered(reply: Option<Box<Reply>>) -> Result<(), Reply> {
    match reply {
        Some(reply) => Err(*reply),
        None => Ok(()),
    }
}

/// Reads the whole request body.
async fn collect<C: Client>(tx: &mut Transaction<'_, C>) -> Result<(), Reply> {
    if tx.work.head.expects_continue
        && !tx.client.is_done()
        && send_continue(tx.client, tx.work).await.is_err()
    {
        return Err(reply::error(400));
    }
    tx.work.head.expects_continue = false;
    let limit = tx.core.config.max_body.unwrap_or(MAX_BUFFERED);
    let mut body = BytesMut::new();
    loop {
        body.extend_from_slice(tx.client.payload());
        let count = tx.client.payload().len();
        tx.client.consume(count);
        if body.len() as u64 > limit {
            tx.is_persistent = false;
            return Err(reply::error(413));
        }
        if tx.client.is_done() {
            break;
        }
        tx.timer
            .arm(tx.core.ticks.now(), tx.core.config.body_timeout);
        let filled = poll_fn(|cx| {
            if tx.timer.poll_expired(cx).is_ready() {
                return std::task::Poll::Ready(None);
            }
            tx.client.poll_fill(cx).map(Some)
        })
        .await;
        let status = match filled {
            Some(Ok(())) => continue,
            None => 408,
            Some(Err(ReadError::TooLarge)) => 413,
            Some(Err(_)) => 400,
        };
        tx.is_persistent = false;
        return Err(reply::error(status));
    }
    tx.work.body = Some(body.freeze());
    Ok(())
}

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
    let chain = tx.chain();
    let client = tx.client_info();
    let pinned = Rc::clone(&tx.pinned);
    let around = Around {
        client: &client,
        route: tx.route.and_then(|index| pinned.snapshot.routes.get(index)),
        lookups: &pinned.snapshot.lookups,
        now_ms: tx.now_ms(),
    };
    let mut headers = tx.work.plugins.response.headers.clone();
    let status = tx.work.plugins.response.status.unwrap_or(reply.status);
    let own = rendered.lines(reply);
    let (mut exchange, run, _) = open(tx.work, around);
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
    let chain = tx.chain();
    if chain.needs().contains(Needs::RESPONSE_BODY) {
        return relay_whole(tx, reached, state, &chain).await;
    }
    let filtered = filter_head(tx, &chain, &reached);
    if filtered.drops_body {
        return without_body(tx, &reached, &filtered.headers).await;
    }
    let headers = filtered.headers;
    let is_head = tx.work.method() == b"HEAD";
    let changes = filtered.changes_body;
    let framing = AnswerBody::choose(&tx.work.response, tx.version(), is_head, changes);
    tx.write_answer_head(&reached, framing, Some(&headers));
    let response = &tx.work.response;
    let is_upstream_persistent = response.is_persistent;
    reached.link.reader.buffer.consume(response.len);
    reached.link.reader.begin_body(response.framing, None);
    let relayed = if chain.phases().contains(Phases::BODY_FILTER) {
        relay_filtered(tx, &mut reached, state, &chain).await
    } else {
        let mut relay = tx.relay(&mut reached, state);
        relay.response_body().await.map(|()| relay.is_request_sent)
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
    let pushed = poll_fn(|cx| tx.client.poll_push(cx, &[], Some(&[]))).await;
    tx.note_sizes();
    match pushed {
        Ok(_) if tx.is_persistent => Ending::Keep,
        Ok(_) => Ending::Close,
        Err(_) => Ending::Abort,
    }
}

/// What the header filters made of a service's answer.
struct FilteredHead {
    headers: HeaderEdits,
    changes_body: bool,
    drops_body: bool,
}

/// Runs the header filters over a service's answer.
fn filter_head<C: Client>(
    tx: &mut Transaction<'_, C>,
    chain: &Chain,
    reached: &Reached,
) -> FilteredHead {
    let client = tx.client_info();
    let pinned = Rc::clone(&tx.pinned);
    let around = Around {
        client: &client,
        route: tx.route.and_then(|index| pinned.snapshot.routes.get(index)),
        lookups: &pinned.snapshot.lookups,
        now_ms: tx.now_ms(),
    };
    let mut headers = tx.work.plugins.response.headers.clone();
    let received = tx.work.response.status();
    let status = tx.work.plugins.response.status.unwrap_or(received);
    let (mut exchange, run, index) = open(tx.work, around);
    let mut view = ResponseView {
        status,
        head: Some(Head::new(reached.link.reader.buffer.filled(), index)),
        headers: &mut headers,
        source: ResponseSource::Service,
        changes_body: false,
        drops_body: false,
        own: &[],
    };
    chain.header_filter(run, &mut exchange, &mut view);
    let (status, changes_body, drops_body) = (view.status, view.changes_body, view.drops_body);
    tx.work.notes.status = status;
    FilteredHead {
        headers,
        changes_body,
        drops_body,
    }
}

async fn relay_filtered<C: Client>(
    tx: &mut Transaction<'_, C>,
    reached: &mut Reached,
    state: (bool, bool),
    chain: &Chain,
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
        filter_chunk(tx, chain, &mut chunk);
        let last = chunk.is_last.then_some(chunk.trailers.as_ref());
        let mut relay = tx.relay(reached, state);
        relay.push_payload(&chunk.data, last).await?;
        if chunk.is_last {
            return Ok(state.0);
        }
    }
}

fn filter_chunk<C: Client>(tx: &mut Transaction<'_, C>, chain: &Chain, chunk: &mut BodyChunk) {
    let client = tx.client_info();
    let pinned = Rc::clone(&tx.pinned);
    let around = Around {
        client: &client,
        route: tx.route.and_then(|index| pinned.snapshot.routes.get(index)),
        lookups: &pinned.snapshot.lookups,
        now_ms: tx.now_ms(),
    };
    let (mut exchange, run, _) = open(tx.work, around);
    chain.body_filter(run, &mut exchange, chunk);
}

/// Reads the whole answer, runs the response phase and the filters, then sends it.
async fn relay_whole<C: Client>(
    tx: &mut Transaction<'_, C>,
    mut reached: Box<Reached>,
    state: (bool, bool),
    chain: &Chain,
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
    send_whole(tx, chain, &bytes, body.freeze()).await
}

async fn send_whole<C: Client>(
    tx: &mut Transaction<'_, C>,
    chain: &Chain,
    head: &[u8],
    mut body: Bytes,
) -> Ending {
    let client = tx.client_info();
    let pinned = Rc::clone(&tx.pinned);
    let around = Around {
        client: &client,
        route: tx.route.and_then(|index| pinned.snapshot.routes.get(index)),
        lookups: &pinned.snapshot.lookups,
        now_ms: tx.now_ms(),
    };
    let mut headers = tx.work.plugins.response.headers.clone();
    let received = tx.work.response.status();
    let status = tx.work.plugins.response.status.unwrap_or(received);
    let (mut exchange, run, index) = open(tx.work, around);
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
    tx.work.notes.status = view.status;
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
    let pushed = poll_fn(|cx| tx.client.poll_push(cx, &body, Some(&[]))).await;
    tx.note_sizes();
    match pushed {
        Ok(_) if tx.is_persistent => Ending::Keep,
        Ok(_) => Ending::Close,
        Err(_) => Ending::Abort,
    }
}

/// Keeps the head of an answer, which stands at the front of the output, for plugins that log.
pub(crate) fn keep_head<C: Client>(tx: &mut Transaction<'_, C>) {
    if !tx.work.plugins.is_used || !tx.chain().phases().contains(Phases::LOG) {
        return;
    }
    let out = &tx.work.out;
    let end = memchr::memmem::find(out, b"\r\n\r\n");
    let head = &out[..end.unwrap_or(out.len())];
    let sent = &mut tx.work.plugins.sent_head;
    sent.clear();
    sent.extend_from_slice(head);
}

/// Path and query for the service, with the changes of plugins.
fn backend_target(work: &Work) -> Bytes {
    let edits = &work.plugins.request;
    let index = &work.head.fields.index;
    let mut target = Vec::new();
    match &edits.path {
        Some(path) => router::escape_into(path, &mut target),
        None => target.extend_from_slice(&work.upstream_path),
    }
    if target.is_empty() {
        target.extend_from_slice(index.path.of(&work.bytes));
    }
    match &edits.query {
        None if index.has_query => {
            target.push(b'?');
            target.extend_from_slice(index.query.of(&work.bytes));
        }
        Some(query) if index.has_query || !query.is_empty() => {
            target.push(b'?');
            target.extend_from_slice(query);
        }
        _ => {}
    }
    Bytes::from(target)
}

/// Runs the log phase.
pub(crate) fn log<C: Client>(tx: &mut Transaction<'_, C>) {
    let chain = tx.chain();
    if !chain.phases().contains(Phases::LOG) {
        return;
    }
    let client = tx.client_info();
    let pinned = Rc::clone(&tx.pinned);
    let notes = &tx.work.notes;
    let since = |end: u64, start: u64| end.saturating_sub(start);
    let moment = |reading: u64| match reading {
        0 => 0,
        reading => tx.core.ticks.unix_micros(reading),
    };
    let outcome = Outcome {
        status: notes.status,
        source: match notes.source {
            Origin::Gateway => ResponseSource::Error,
            Origin::Plugin => ResponseSource::Exit,
            Origin::Service => ResponseSource::Service,
        },
        backend_status: Some(notes.upstream_status).filter(|status| *status != 0),
        backend_address: notes.upstream_address,
        tries: notes.tries,
        total_us: since(notes.ended, notes.started),
        gateway_us: match notes.handed_on {
            0 => since(notes.ended, notes.started),
            handed_on => since(handed_on, notes.started),
        },
        backend_us: match notes.answered {
            0 => 0,
            answered => since(answered, notes.handed_on),
        },
        request_bytes: notes.request_bytes,
        response_bytes: notes.response_bytes,
        response_head: Bytes::copy_from_slice(&tx.work.plugins.sent_head),
        backend_target: backend_target(tx.work),
        started_us: moment(notes.started),
        handed_on_us: moment(notes.handed_on),
        answered_us: moment(notes.answered),
        ended_us: moment(notes.ended),
    };
    let around = Around {
        client: &client,
        route: tx.route.and_then(|index| pinned.snapshot.routes.get(index)),
        lookups: &pinned.snapshot.lookups,
        now_ms: tx.now_ms(),
    };
    let (mut exchange, run, _) = open(tx.work, around);
    chain.log(run, &mut exchange, &outcome);
}
