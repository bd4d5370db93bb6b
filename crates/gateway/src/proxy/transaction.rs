//! One request from its head to its log line.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use plugin_api::{HttpVersion, Reply};

use super::attempt::{self, Attempts, ReachError, Reached};
use super::client::{AnswerFraming, Client};
use super::connection::Connection;
use super::core::{Core, Pinned};
use super::relay::{Fault, Limits, Relay};
use super::reply;
use super::request_head::{self, RequestParts};
use super::response_head::{self, AnswerBody, AnswerParts};
use super::work::{Origin, Work};
use super::{
    balancing, explaining, filters, forwarded, hashing, logging, plugins, routing, tunnel,
};
use crate::health::Group;
use crate::http1::Framing;
use crate::net::Timer;
use crate::snapshot::{RouteEntry, ServiceEntry};

/// What becomes of the client's connection after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It may serve the next request.
    Keep,
    /// It is to be closed, after what was sent has been taken.
    Close,
    /// It broke, or the answer could not be completed.
    Abort,
}

/// A request under way.
pub(crate) struct Transaction<'a, C> {
    pub(crate) core: &'a Core,
    pub(crate) connection: &'a Connection,
    pub(crate) client: &'a mut C,
    pub(crate) work: &'a mut Work,
    pub(crate) timer: &'a Timer,
    pub(crate) pinned: Rc<Pinned>,
    /// Index of the matched route.
    pub(crate) route: Option<usize>,
    /// How it matched.
    pub(crate) matched: Option<router::Match>,
    /// Whether the connection may serve another request after this one.
    pub(crate) is_persistent: bool,
    /// Whether the last reading of the clock is of this moment.
    pub(crate) is_clock_fresh: bool,
    /// Time limits of the exchange; the service's, once one is asked.
    pub(crate) limits: Limits,
    /// The service's side, once it has agreed to an upgrade.
    pub(crate) upgraded: Option<Box<Upgraded>>,
}

/// A service that has agreed to an upgrade.
pub(crate) struct Upgraded {
    reached: Box<Reached>,
    /// The balancer and what it waits to be told at the end.
    balanced: Option<(Arc<Group>, Attempts)>,
}

impl<C: Client> Transaction<'_, C> {
    /// Answers the request.
    pub(crate) async fn run(mut self) -> Ending {
        self.core.counters.requests.add(1);
        self.core.counters.writing.add(1);
        let ending = match self.decide().await {
            Ok(()) => self.proxy().await,
            Err(reply) => self.answer(&reply, false).await,
        };
        if let Some(upgraded) = self.upgraded.take() {
            self.tunnel(upgraded).await;
        }
        self.finish();
        self.core.counters.writing.sub(1);
        ending
    }

    /// The matched route.
    pub(crate) fn route(&self) -> Option<&RouteEntry> {
        self.pinned.snapshot.routes.get(self.route?)
    }

    /// Everything before a service is asked. An error is the answer to give.
    async fn decide(&mut self) -> Result<(), Reply> {
        if let (Some(limit), Framing::Length(length)) =
            (self.core.config.max_body, self.work.head.framing)
            && length > limit
        {
            self.is_persistent = false;
            return Err(reply::error(413));
        }
        forwarded::resolve(&self.core.config, self.connection, self.work);
        if self.core.config.explain.is_some() {
            explaining::begin(self);
        }
        if let Err(reply) = routing::normalise(self.work) {
            self.is_persistent = false;
            return Err(reply);
        }
        if !self.pinned.snapshot.globals.is_empty() {
            plugins::rewrite(self).await?;
        }
        explaining::mark(self, "rewrite");
        let matched = routing::find(&self.pinned.snapshot, self.connection, self.work);
        self.matched = matched;
        self.route = matched.map(|found| found.route);
        self.work.matched = matched.map_or(0, |found| found.stripped_len());
        if self.work.explained.is_some() {
            explaining::mark(self, "route");
            explaining::consider(self).await;
        }
        let pinned = Rc::clone(&self.pinned);
        let Some(entry) = self
            .route
            .and_then(|index| pinned.snapshot.routes.get(index))
        else {
            return plugins::without_route(self).await;
        };
        routing::check_protocol(entry, self.connection, self.work)?;
        if !entry.chain.is_empty() {
            plugins::access(self, entry).await?;
        }
        explaining::mark(self, "access");
        if entry.service.is_none() {
            return Err(reply::message(503, "no Service found with those values"));
        }
        Ok(())
    }

    async fn proxy(&mut self) -> Ending {
        let pinned = Rc::clone(&self.pinned);
        let entry = self
            .route
            .and_then(|index| pinned.snapshot.routes.get(index));
        let Some((entry, service)) = entry.and_then(|e| Some((e, e.service.as_deref()?))) else {
            return Ending::Abort;
        };
        let edits = self.work.plugins.request.service.as_deref();
        let edited =
            edits.map(|edits| Box::new(service.with_edits(edits, &pinned.snapshot.balancers)));
        let service = edited.as_deref().unwrap_or(service);
        if self.client.is_malformed() {
            return self.failed(&Fault::ClientBody).await;
        }
        if self.work.head.expects_continue
            && self.client.received() == 0
            && super::relay::send_continue(self.client, self.work)
                .await
                .is_err()
        {
            return Ending::Abort;
        }
        routing::write_upstream_path(&pinned.snapshot, entry, service, self.work);
        let mut attempts = Attempts::default();
        if let Some(upstream) = &service.upstream
            && hashing::is_needed(&pinned, service)
        {
            attempts.pick = hashing::begin(self, upstream);
        }
        let ending = self.attempts(entry, service, &mut attempts).await;
        if let Some(group) = attempt::group(&pinned, service) {
            match &mut self.upgraded {
                Some(upgraded) => upgraded.balanced = Some((Arc::clone(group), attempts)),
                None => balancing::finish(self.core, group, &mut attempts, self.work.notes.status),
            }
        }
        ending
    }

    async fn attempts(
        &mut self,
        entry: &RouteEntry,
        service: &ServiceEntry,
        attempts: &mut Attempts,
    ) -> Ending {
        let most = u32::from(service.service.retries) + 1;
        loop {
            attempts.counted += 1;
            self.work.notes.tries += 1;
            let (fault, is_reused, was_sent) = match self.reach(entry, service, attempts).await {
                Err(error) => match self.unreachable(&error, attempts.counted < most).await {
                    Some(ending) => return ending,
                    None => {
                        self.note_failed(service, attempts, matches!(error, ReachError::Timeout));
                        continue;
                    }
                },
                Ok(reached) => {
                    let is_reused = reached.is_reused();
                    match self.exchange(service, reached).await {
                        Ok(ending) => return ending,
                        Err((fault, was_sent)) => (fault, is_reused, was_sent),
                    }
                }
            };
            self.core.counters.attempt_failures.add(1);
            let may_repeat = !was_sent || attempt::may_repeat(&fault, self.work.method());
            let is_stale = is_reused && matches!(fault, Fault::UpstreamClosed);
            if is_stale && may_repeat {
                // Compat: a kept connection that turned out closed gives one more attempt.
                attempts.counted -= 1;
            }
            let is_last = attempts.counted >= most;
            if is_last
                || !may_repeat
                || !matches!(fault, Fault::UpstreamClosed | Fault::UpstreamTimeout)
                || !self.client.rewind()
            {
                return self.failed(&fault).await;
            }
            if !is_stale {
                self.note_failed(service, attempts, matches!(fault, Fault::UpstreamTimeout));
            }
        }
    }

    /// Tells health checks that a try failed and another one follows.
    fn note_failed(&self, service: &ServiceEntry, attempts: &Attempts, is_timeout: bool) {
        if let Some(group) = attempt::group(&self.pinned, service) {
            balancing::failed(group, attempts, is_timeout);
        }
    }

    /// Chooses a peer, connects and writes the request head.
    async fn reach(
        &mut self,
        entry: &RouteEntry,
        service: &ServiceEntry,
        attempts: &mut Attempts,
    ) -> Result<Box<Reached>, ReachError> {
        let changed = self.work.plugins.request.scheme.map(|scheme| {
            let raised = self.pinned.snapshot.raised.as_ref();
            Box::new(service.with_scheme(scheme, raised))
        });
        let service = changed.as_deref().unwrap_or(service);
        let replaced = &self.work.plugins.request.destination;
        let peer = match attempt::known(service, replaced.as_ref()) {
            Some(peer) => Ok(peer),
            None => {
                let replaced = replaced.clone();
                let replaced = replaced.as_ref();
                attempt::choose(self.core, &self.pinned, service, replaced, attempts).await
            }
        };
        if self.work.notes.handed_on == 0 {
            self.work.notes.handed_on = self.core.ticks.recent();
        }
        let peer = peer?;
        self.work.notes.upstream_address = Some(peer.address);
        if let (Some(name), Some(upstream)) = (peer.sticky, &service.upstream) {
            self.work.cookie = hashing::sticky_cookie(upstream, name, &attempts.pick);
        }
        let host = self.host_for(entry, service, &peer);
        // Only TLS asks for the name.
        let name = match service.tls {
            Some(_) => router::split_host(&host).0,
            None => &[],
        };
        let mut reached = attempt::connect(self.core, service, &peer, name, self.timer).await?;
        let parts = RequestParts {
            host: &host,
            framing: self.request_framing(),
            is_upgrade: request_head::wants_websocket(self.work),
            strips_prefix: entry.route.strip_path && self.work.matched > 1,
        };
        let mut out = std::mem::take(&mut self.work.out);
        out.clear();
        request_head::write(
            &mut out,
            self.work,
            self.connection,
            &self.core.config,
            &parts,
        );
        reached
            .link
            .sender
            .begin(&mut out, parts.framing == Framing::Chunked);
        self.work.out = out;
        Ok(reached)
    }

    /// Value of `Host` towards the service; borrowed in the usual case.
    fn host_for<'s>(
        &self,
        entry: &RouteEntry,
        service: &'s ServiceEntry,
        peer: &'s attempt::Peer,
    ) -> Cow<'s, [u8]> {
        if let Some(host) = &self.work.plugins.request.host {
            return Cow::Owned(host.to_vec());
        }
        if entry.route.preserve_host && !self.work.authority().is_empty() {
            return Cow::Owned(self.work.authority().to_vec());
        }
        match &peer.host {
            Some(host) if service.host_header.is_empty() => Cow::Borrowed(host),
            Some(_) => {
                // Compat: the host of an upstream gets the port of the target.
                let host = String::from_utf8_lossy(&service.host_header);
                let value = attempt::host_value(&host, peer.address.port(), service.tls.is_some());
                Cow::Owned(value.to_vec())
            }
            None => Cow::Borrowed(&service.host_header),
        }
    }

    fn request_framing(&self) -> Framing {
        if let Some(body) = &self.work.body {
            let edited = self.work.plugins.request.body.as_ref().unwrap_or(body);
            return match (edited.len(), self.work.head.framing) {
                (0, Framing::None) => Framing::None,
                (length, _) => Framing::Length(length as u64),
            };
        }
        match (self.work.head.framing, self.client.whole_length()) {
            // Compat: a chunked body that is here as a whole is sent with its length.
            (Framing::Chunked, Some(length)) => Framing::Length(length as u64),
            (framing, _) => framing,
        }
    }

    /// Sends the request over a connection and relays the answer. An error tells whether any of
    /// the request was sent.
    async fn exchange(
        &mut self,
        service: &ServiceEntry,
        mut reached: Box<Reached>,
    ) -> Result<Ending, (Fault, bool)> {
        let is_head = self.work.method() == b"HEAD";
        self.limits = self.limits_of(service);
        let limits = self.limits;
        if self.work.notes.tries > 1 {
            self.work.response.clear();
        }
        let Work {
            response,
            body,
            plugins,
            ..
        } = &mut *self.work;
        let mut relay = Relay::new(
            self.core,
            &mut *self.client,
            &mut reached.link,
            self.timer,
            limits,
        );
        relay.buffered = match &plugins.request.body {
            Some(edited) if body.is_some() => Some(edited.clone()),
            _ => body.clone(),
        };
        let received = relay.response_head(response, is_head).await;
        let state = (relay.is_request_sent, relay.is_request_broken);
        if let Err(fault) = received {
            return Err((fault, reached.link.sender.sent > 0 || state.0));
        }
        self.work.notes.answered = self.core.ticks.now();
        reached.link.sender.reclaim(&mut self.work.out);
        Ok(self.respond(reached, state).await)
    }

    fn limits_of(&self, service: &ServiceEntry) -> Limits {
        Limits {
            write: u64::from(service.service.write_timeout) * 1000,
            read: u64::from(service.service.read_timeout) * 1000,
            body: self.core.config.body_timeout,
            send: self.core.config.send_timeout,
        }
    }

    /// Relays an answer whose head has been read. From here on there is no other answer.
    async fn respond(&mut self, mut reached: Box<Reached>, state: (bool, bool)) -> Ending {
        if self.work.response.status() < 200
            && let Err(fault) = self.skip_interim(&mut reached, state).await
        {
            return self.failed(&fault).await;
        }
        let status = self.work.response.status();
        if status == 101 && !request_head::wants_websocket(self.work) {
            return self.answer(&reply::error(502), true).await;
        }
        let notes = &mut self.work.notes;
        notes.upstream_status = status;
        notes.status = status;
        notes.source = Origin::Service;
        if status == 101 {
            self.upgraded = Some(Box::new(Upgraded {
                reached,
                balanced: None,
            }));
            return Ending::Abort;
        }
        if self.work.plugins.is_used {
            return filters::relay(self, reached, state).await;
        }
        let version = self.work.head.fields.index.version;
        let is_head = self.work.method() == b"HEAD";
        let framing = AnswerBody::choose(&self.work.response, version, is_head, false);
        self.write_answer_head(&reached, framing, None);
        self.relay_body(reached, state).await
    }

    /// Passes interim answers on and reads the head behind them.
    async fn skip_interim(
        &mut self,
        reached: &mut Reached,
        state: (bool, bool),
    ) -> Result<(), Fault> {
        let is_head = self.work.method() == b"HEAD";
        while self.work.response.status() < 200 && self.work.response.status() != 101 {
            let status = self.work.response.status();
            let mut response = std::mem::take(&mut self.work.response);
            let bytes = reached.link.reader.buffer.filled();
            let head = bytes[..response.len].to_vec();
            reached.link.reader.buffer.consume(response.len);
            response.clear();
            let mut relay = self.relay(reached, state);
            // `100 Continue` was the gateway's to send.
            if status != 100 {
                relay.interim(status, head).await?;
            }
            let received = relay.response_head(&mut response, is_head).await;
            self.work.response = response;
            received?;
        }
        Ok(())
    }

    /// A relay that continues an exchange.
    pub(crate) fn relay<'r>(
        &'r mut self,
        reached: &'r mut Reached,
        state: (bool, bool),
    ) -> Relay<'r, C> {
        let mut relay = Relay::new(
            self.core,
            &mut *self.client,
            &mut reached.link,
            self.timer,
            self.limits,
        );
        (relay.is_request_sent, relay.is_request_broken) = state;
        relay
    }

    /// Renders the head of the service's answer into the client's sender.
    pub(crate) fn write_answer_head(
        &mut self,
        reached: &Reached,
        framing: AnswerBody,
        edits: Option<&plugin_api::HeaderEdits>,
    ) {
        self.write_answer_head_from(reached.link.reader.buffer.filled(), framing, edits);
    }

    /// The same, with the bytes of the head at hand.
    pub(crate) fn write_answer_head_from(
        &mut self,
        bytes: &[u8],
        framing: AnswerBody,
        edits: Option<&plugin_api::HeaderEdits>,
    ) {
        let debug = self.debug_lines();
        let notes = &self.work.notes;
        if framing == AnswerBody::Close {
            self.is_persistent = false;
        }
        let parts = AnswerParts {
            status: notes.status,
            framing,
            is_persistent: self.is_persistent,
            is_upgrade: notes.status == 101,
            upstream_latency_ms: notes.answered.saturating_sub(notes.handed_on) / 1000,
            proxy_latency_ms: notes.handed_on.saturating_sub(notes.started) / 1000,
            request_id: &self.work.request_id,
            edits,
            cookie: &self.work.cookie,
            debug: &debug,
        };
        let mut out = std::mem::take(&mut self.work.out);
        out.clear();
        response_head::write(
            &mut out,
            &self.work.response,
            bytes,
            &self.core.config,
            &parts,
        );
        let answer = AnswerFraming {
            status: notes.status,
            // An answer to HEAD may name chunks and has none.
            is_chunked: framing == AnswerBody::Chunked
                && self.work.response.framing != Framing::None,
        };
        self.work.out = out;
        filters::keep_head(self);
        self.client.begin(&mut self.work.out, answer);
    }

    async fn relay_body(&mut self, mut reached: Box<Reached>, state: (bool, bool)) -> Ending {
        let response = &self.work.response;
        let (len, is_upstream_persistent) = (response.len, response.is_persistent);
        let reader = &mut reached.link.reader;
        reader.buffer.consume(len);
        reader.begin_body(response.framing, None);
        let mut relay = self.relay(&mut reached, state);
        let relayed = relay.response_body().await;
        let is_sent = relay.is_request_sent;
        self.is_clock_fresh = !relay.has_waited;
        self.note_sizes();
        if let Err(fault) = relayed {
            tracing::debug!(%fault, "an answer could not be completed");
            return Ending::Abort;
        }
        if is_sent && is_upstream_persistent {
            attempt::give_back(self.core, reached);
        }
        if is_sent && self.is_persistent {
            Ending::Keep
        } else {
            Ending::Close
        }
    }

    /// Passes bytes between a client and a service until one ends. It may take days: of the
    /// configuration only the route stays in memory, for the log.
    async fn tunnel(&mut self, mut upgraded: Box<Upgraded>) {
        let reached = &mut upgraded.reached;
        self.write_answer_head(reached, AnswerBody::Nothing, None);
        reached.link.reader.buffer.consume(self.work.response.len);
        let limit = self.limits.read;
        let pushed = std::future::poll_fn(|cx| self.client.poll_push(cx, &[], None)).await;
        if let Some(route) = self.route {
            let kept = self.pinned.snapshot.only(route);
            self.route = Some(0);
            self.pinned = Rc::new(Pinned {
                snapshot: Arc::new(kept),
            });
        }
        if let (Ok(_), Some(client)) = (pushed, self.client.link()) {
            let (down, up) =
                tunnel::run(self.core, client, &mut reached.link, self.timer, limit).await;
            self.note_sizes();
            self.work.notes.response_bytes += down;
            self.work.notes.request_bytes += up;
        }
        if let Some((group, attempts)) = &mut upgraded.balanced {
            balancing::finish(self.core, group, attempts, self.work.notes.status);
        }
    }

    pub(crate) fn note_sizes(&mut self) {
        let notes = &mut self.work.notes;
        notes.response_bytes = self.client.sent();
        notes.request_bytes = self.work.head.len as u64 + self.client.received();
    }

    pub(crate) fn finish(&mut self) {
        // An answer that went out in the turn in which it came needs no reading of its own.
        self.work.notes.ended = match self.is_clock_fresh {
            true => self.core.ticks.recent(),
            false => self.core.ticks.now(),
        };
        plugins::log(self);
        logging::note(self.core, self.work, self.connection, self.route());
    }

    /// The version the client speaks.
    pub(crate) fn version(&self) -> HttpVersion {
        self.work.head.fields.index.version
    }
}
