//! Driving the plugin chain: the engine's side of `plugin-api`. Nothing here runs for a route
//! without plugins.

use std::future::poll_fn;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use plugin_api::{
    Chain, ClientInfo, Exchange, Head, HeadIndex, Needs, Outcome, Phases, Reply, ResponseSource,
    Run,
};

use super::client::Client;
use super::connection::Connection;
use super::core::Pinned;
use super::link::ReadError;
use super::relay::send_continue;
use super::reply;
use super::transaction::Transaction;
use super::work::{Origin, Work};
use crate::http1::{Framing, Known};
use crate::snapshot::RouteEntry;

/// Largest body that is kept for a plugin where the configuration sets no limit, in bytes.
pub(super) const MAX_BUFFERED: u64 = 64 * 1024 * 1024;

/// Largest form that is kept for a plugin that only looks at forms, in bytes.
const MAX_FORM: u64 = 1024 * 1024;

/// What a request's plugins are, and what they are shown beside its state. It borrows nothing of
/// the request, and is made once for all that follows without a pause.
pub(super) struct Around {
    client: ClientInfo,
    pinned: Rc<Pinned>,
    route: Option<usize>,
    now_ms: u64,
}

impl Around {
    pub(super) fn of<C: Client>(tx: &Transaction<'_, C>) -> Self {
        Self {
            client: client_info(tx.connection, tx.work),
            pinned: Rc::clone(&tx.pinned),
            route: tx.route,
            now_ms: tx.core.ticks.unix_micros(tx.work.notes.started) / 1000,
        }
    }

    fn entry(&self) -> Option<&RouteEntry> {
        self.pinned.snapshot.routes.get(self.route?)
    }

    /// The plugins of the route, or those of every request.
    pub(super) fn chain(&self) -> &Chain {
        let globals = &self.pinned.snapshot.globals;
        self.entry().map_or(globals, |entry| &entry.chain)
    }

    /// Splits the state of a request into what handlers see, what picks them, and the answer's
    /// head.
    pub(super) fn open<'w>(
        &'w self,
        work: &'w mut Work,
    ) -> (Exchange<'w>, &'w mut Run, &'w HeadIndex) {
        let received = match work.head.fields.index.path.of(&work.bytes) {
            [] => b"/",
            path => path,
        };
        let path = if work.is_path_rewritten {
            &work.path
        } else {
            received
        };
        let entry = self.entry();
        let service = entry.and_then(|entry| entry.service.as_ref());
        let plugins = &mut work.plugins;
        let exchange = Exchange {
            head: Head::new(&work.bytes, &work.head.fields.index),
            path,
            body: work.body.as_deref(),
            request: &mut plugins.request,
            response: &mut plugins.response,
            client: &self.client,
            route: entry.map(|entry| &entry.info),
            service: service.map(|service| &service.info),
            request_id: std::str::from_utf8(&work.request_id).unwrap_or_default(),
            identity: &mut plugins.identity,
            lookups: &self.pinned.snapshot.lookups,
            now_ms: self.now_ms,
            locals: &mut plugins.locals,
        };
        (exchange, &mut plugins.run, &work.response.fields.index)
    }
}

fn client_info(connection: &Connection, work: &Work) -> ClientInfo {
    let mut client = connection.client.clone();
    if let Some(ip) = work.real_ip {
        client.ip = ip;
        client.ip_text = Bytes::from(ip.to_string());
    }
    client.request = work.number;
    client.is_peer_trusted = work.is_peer_trusted;
    client
}

impl<C: Client> Transaction<'_, C> {
    /// The plugins of the route, or those of every request.
    pub(super) fn chain(&self) -> &Chain {
        let globals = &self.pinned.snapshot.globals;
        self.route().map_or(globals, |entry| &entry.chain)
    }

    /// Whether plugins look at the request at its end.
    pub(super) fn is_logged_by_plugins(&self) -> bool {
        self.work.plugins.is_used && self.chain().phases().contains(Phases::LOG)
    }
}

/// Runs the rewrite phase of global plugins.
pub(crate) async fn rewrite<C: Client>(tx: &mut Transaction<'_, C>) -> Result<(), Reply> {
    tx.work.plugins.is_used = true;
    // No route is known yet: these are the plugins of every request.
    if !tx.chain().phases().contains(Phases::REWRITE) {
        return Ok(());
    }
    let around = Around::of(tx);
    let (mut exchange, _, _) = around.open(tx.work);
    answered(around.chain().rewrite(&mut exchange).await)
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
    let around = Around::of(tx);
    let (mut exchange, run, _) = around.open(tx.work);
    answered(around.chain().access(run, &mut exchange).await)
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
    if !tx.is_logged_by_plugins() {
        return;
    }
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
    let around = Around::of(tx);
    let (mut exchange, run, _) = around.open(tx.work);
    around.chain().log(run, &mut exchange, &outcome);
}
