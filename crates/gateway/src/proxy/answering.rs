//! Answers of the gateway's own: when a request is refused, when no service can be had, when one
//! fails, and when a plugin answers.

use bytes::{Buf, Bytes};
use plugin_api::{HttpVersion, Reply};

use super::attempt::ReachError;
use super::client::{AnswerFraming, Client};
use super::relay::Fault;
use super::reply::{self, ReplyParts};
use super::transaction::{Ending, Transaction};
use super::work::Origin;
use super::{explaining, filters, routing};

impl<C: Client> Transaction<'_, C> {
    /// Answers a request whose head was refused.
    pub(crate) async fn refuse(mut self, reply: &Reply) -> Ending {
        self.core.counters.requests.add(1);
        let ending = self.answer(reply, false).await;
        self.finish();
        ending
    }

    pub(crate) async fn unreachable(
        &mut self,
        error: &ReachError,
        may_repeat: bool,
    ) -> Option<Ending> {
        let reply = match error {
            // Compat: once a target was tried, the error page answers.
            ReachError::NoPeer if self.work.notes.upstream_address.is_some() => {
                return Some(self.answer(&reply::error(503), true).await);
            }
            ReachError::NoPeer => {
                reply::message(503, "failure to get a peer from the ring-balancer")
            }
            ReachError::Name(_, error) if error.is_absence() => {
                reply::message(503, "name resolution failed")
            }
            ReachError::Name(host, error) => reply::message(
                500,
                format!("failed the initial dns/balancer resolve for '{host}' with: {error}"),
            ),
            ReachError::Refused | ReachError::Timeout => {
                self.core.counters.attempt_failures.add(1);
                if may_repeat {
                    return None;
                }
                let status = if matches!(error, ReachError::Timeout) {
                    504
                } else {
                    502
                };
                return Some(self.answer(&reply::error(status), true).await);
            }
        };
        Some(self.answer(&reply, false).await)
    }

    pub(crate) async fn failed(&mut self, fault: &Fault) -> Ending {
        let status = match fault {
            Fault::ClientGone => return self.gone(),
            Fault::ClientTimeout => 408,
            Fault::ClientBody => 400,
            Fault::ClientTooLarge => 413,
            Fault::UpstreamTimeout => 504,
            Fault::UpstreamClosed | Fault::BadResponse(_) => 502,
        };
        if status < 500 {
            self.is_persistent = false;
        }
        self.answer(&reply::error(status), true).await
    }

    fn gone(&mut self) -> Ending {
        // Compat: the status that logs show for a client that went away.
        self.work.notes.status = 499;
        Ending::Abort
    }

    /// Gives an answer of the gateway's own.
    pub(crate) async fn answer(&mut self, reply: &Reply, is_after_attempt: bool) -> Ending {
        self.core.ticks.now();
        if !self.client.is_done() && self.work.head.expects_continue {
            // The client may or may not send the body it announced.
            self.is_persistent = false;
        }
        let mut rendered = reply::render(self.core, self.work, &reply.body);
        let filtered = filters::filter_reply(self, reply, &mut rendered);
        let status = filtered.as_ref().map_or(reply.status, |f| f.status);
        let is_chunked = self.version() == HttpVersion::Http11
            && filtered.as_ref().is_some_and(|f| f.is_chunked);
        let notes = &mut self.work.notes;
        notes.status = status;
        notes.source = match reply.source {
            plugin_api::ResponseSource::Exit => Origin::Plugin,
            plugin_api::ResponseSource::Service => Origin::Service,
            plugin_api::ResponseSource::Error => Origin::Gateway,
        };
        let debug = self.debug_lines();
        let parts = ReplyParts {
            is_persistent: self.is_persistent,
            // An answer that a plugin had kept of a service looks like the service's own.
            is_after_attempt: is_after_attempt
                || reply.source == plugin_api::ResponseSource::Service,
            is_chunked,
            edits: filtered.as_ref().map(|filtered| &filtered.headers),
            debug: &debug,
        };
        if status == reply.status {
            reply::write(self.core, self.work, (reply, &rendered), &parts);
        } else {
            let mut reply = reply.clone();
            reply.status = status;
            reply::write(self.core, self.work, (&reply, &rendered), &parts);
        }
        filters::keep_head(self);
        // A body of unknown length follows the head; one of known length stands behind it.
        let is_head = self.work.method() == b"HEAD";
        let payload = match is_chunked && !is_head {
            true => rendered.body,
            false => Bytes::new(),
        };
        self.client.begin(
            &mut self.work.out,
            AnswerFraming {
                status,
                is_chunked: is_chunked && !is_head,
            },
        );
        self.push_last(payload).await
    }

    /// Sends the rest of an answer whose head waits. The client has `send_timeout` from one byte
    /// that it takes to the next.
    pub(super) async fn push_last(&mut self, mut rest: Bytes) -> Ending {
        let pushed = loop {
            match self.push_some(&rest).await {
                Ok(count) if count < rest.len() => rest.advance(count),
                pushed => break pushed,
            }
        };
        self.note_sizes();
        match pushed {
            Ok(_) if self.is_persistent => Ending::Keep,
            Ok(_) => Ending::Close,
            Err(_) => Ending::Abort,
        }
    }

    async fn push_some(&mut self, rest: &[u8]) -> std::io::Result<usize> {
        let limit = self.core.config.send_timeout;
        let mut sent = self.client.sent();
        self.timer.arm(self.core.ticks.now(), limit);
        std::future::poll_fn(|cx| {
            let pushed = self.client.poll_push(cx, rest, Some(&[]));
            if pushed.is_ready() {
                return pushed;
            }
            if self.client.sent() != sent {
                sent = self.client.sent();
                self.timer.arm(self.core.ticks.now(), limit);
            }
            let is_over = self.timer.poll_expired(cx);
            is_over.map(|()| Err(std::io::ErrorKind::TimedOut.into()))
        })
        .await
    }

    /// Lines for those who ask with `Kong-Debug` or `Gatehouse-Explain`.
    pub(crate) fn debug_lines(&self) -> Vec<u8> {
        let mut lines = match self.core.config.allows_debug {
            true => routing::debug_lines(self.work, self.route()),
            false => Vec::new(),
        };
        if self.work.explained.is_some() {
            lines.extend(explaining::line(self));
        }
        lines
    }
}
