//! Running a chain: which handler applies to whom, in which order, and what happens when one
//! fails.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use uuid::Uuid;

use crate::chain::{Chain, Entry};
use crate::definition::Phases;
use crate::exchange::{Exchange, Hello, ResponseView};
use crate::handler::{BodyChunk, Handler, LocalBoxFuture, Outcome, Step, Verdict};
use crate::reply::Reply;

/// Number of handler panics caught since the process started.
#[must_use]
pub fn failures() -> u64 {
    FAILURES.load(Ordering::Relaxed)
}

static FAILURES: AtomicU64 = AtomicU64::new(0);

/// Which instance of each entry applies to the request under way. Kept by the engine beside the
/// exchange; reused per connection.
#[derive(Debug, Default)]
pub struct Run {
    picks: Vec<Pick>,
}

/// The instance of an entry that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pick {
    /// None.
    Nobody,
    /// The one for everybody.
    Default,
    /// The one for a consumer, found in one of the entry's maps.
    Consumer { map: usize, id: Uuid },
}

impl Run {
    /// Forgets the request and keeps the allocation.
    pub fn clear(&mut self) {
        self.picks.clear();
    }

    /// The handlers that apply to the request, in order, out of those that take part in a phase.
    /// Entries whose access was skipped are picked now, with the caller known by now.
    fn handlers<'c>(
        &mut self,
        chain: &'c Chain,
        consumer: Option<Uuid>,
        phase: Phases,
    ) -> impl Iterator<Item = &'c dyn Handler> + use<'_, 'c> {
        let entries = chain.entries();
        for entry in entries.iter().skip(self.picks.len()) {
            self.picks.push(pick(entry, consumer));
        }
        entries
            .iter()
            .zip(&self.picks)
            .filter(move |(entry, _)| entry.phases().contains(phase))
            .filter_map(|(entry, pick)| handler(entry, *pick))
    }
}

impl Chain {
    /// Runs the certificate phase of a chain of global instances.
    pub fn certificate(&self, hello: &mut Hello<'_>) {
        for entry in self.entries() {
            let applies = entry.phases().contains(Phases::CERTIFICATE);
            if let Some(handler) = applies.then(|| entry.default_handler()).flatten() {
                contain(|| handler.certificate(hello));
            }
        }
    }

    /// Runs the rewrite phase of a chain of global instances. `Some` is the answer to give.
    pub async fn rewrite(&self, exchange: &mut Exchange<'_>) -> Option<Box<Reply>> {
        if !self.phases().contains(Phases::REWRITE) {
            return None;
        }
        for entry in self.entries() {
            let applies = entry.phases().contains(Phases::REWRITE);
            let Some(handler) = applies.then(|| entry.default_handler()).flatten() else {
                continue;
            };
            if let Some(reply) = settle(|| handler.rewrite(exchange)).await {
                return Some(reply);
            }
        }
        None
    }

    /// Runs the access phase. The instance of each entry is picked when its turn comes, so a
    /// consumer set by an authentication plugin counts for the plugins behind it. `Some` is the
    /// answer to give instead of contacting the backend.
    pub async fn access(&self, run: &mut Run, exchange: &mut Exchange<'_>) -> Option<Box<Reply>> {
        run.clear();
        for entry in self.entries() {
            let consumer = exchange.identity.consumer.as_ref().map(|c| c.id);
            let pick = pick(entry, consumer);
            run.picks.push(pick);
            if !entry.phases().contains(Phases::ACCESS) {
                continue;
            }
            let Some(handler) = handler(entry, pick) else {
                continue;
            };
            if let Some(reply) = settle(|| handler.access(exchange)).await {
                return Some(reply);
            }
        }
        None
    }

    /// Runs the response phase, with the whole answer at hand.
    pub async fn response(
        &self,
        run: &mut Run,
        exchange: &mut Exchange<'_>,
        response: &mut ResponseView<'_>,
        body: &mut Bytes,
    ) -> Option<Box<Reply>> {
        if !self.phases().contains(Phases::RESPONSE) {
            return None;
        }
        let consumer = exchange.identity.consumer.as_ref().map(|c| c.id);
        for handler in run.handlers(self, consumer, Phases::RESPONSE) {
            if let Some(reply) = settle(|| handler.response(exchange, response, body)).await {
                return Some(reply);
            }
        }
        None
    }

    /// Runs the header filters, also of plugins whose access was skipped.
    pub fn header_filter(
        &self,
        run: &mut Run,
        exchange: &mut Exchange<'_>,
        response: &mut ResponseView<'_>,
    ) {
        if !self.phases().contains(Phases::HEADER_FILTER) {
            return;
        }
        let consumer = exchange.identity.consumer.as_ref().map(|c| c.id);
        for handler in run.handlers(self, consumer, Phases::HEADER_FILTER) {
            contain(|| handler.header_filter(exchange, response));
        }
    }

    /// Runs the body filters on one piece of the answer.
    pub fn body_filter(&self, run: &mut Run, exchange: &mut Exchange<'_>, chunk: &mut BodyChunk) {
        if !self.phases().contains(Phases::BODY_FILTER) {
            return;
        }
        let consumer = exchange.identity.consumer.as_ref().map(|c| c.id);
        for handler in run.handlers(self, consumer, Phases::BODY_FILTER) {
            contain(|| handler.body_filter(exchange, chunk));
        }
    }

    /// Runs the log phase.
    pub fn log(&self, run: &mut Run, exchange: &mut Exchange<'_>, outcome: &Outcome) {
        if !self.phases().contains(Phases::LOG) {
            return;
        }
        let consumer = exchange.identity.consumer.as_ref().map(|c| c.id);
        for handler in run.handlers(self, consumer, Phases::LOG) {
            contain(|| handler.log(exchange, outcome));
        }
    }
}

/// Picks the instance of an entry for a caller: most specific first.
fn pick(entry: &Entry, consumer: Option<Uuid>) -> Pick {
    let own = consumer.and_then(|id| {
        let map = entry
            .consumers()
            .iter()
            .position(|map| map.contains_key(&id))?;
        Some(Pick::Consumer { map, id })
    });
    own.unwrap_or_else(|| match entry.default_handler() {
        Some(_) => Pick::Default,
        None => Pick::Nobody,
    })
}

fn handler(entry: &Entry, pick: Pick) -> Option<&dyn Handler> {
    match pick {
        Pick::Nobody => None,
        Pick::Default => entry.default_handler(),
        Pick::Consumer { map, id } => {
            let bound = entry.consumers().get(map)?.get(&id)?;
            Some(bound.handler.as_ref())
        }
    }
}

/// Runs a phase that may wait and turns its verdict, or its panic, into an answer.
async fn settle<'a>(phase: impl FnOnce() -> Step<'a>) -> Option<Box<Reply>> {
    let verdict = match catch_unwind(AssertUnwindSafe(phase)) {
        Ok(Step::Done(verdict)) => verdict,
        Ok(Step::Wait(future)) => Contained { future }.await,
        Err(_) => failed(),
    };
    match verdict {
        Verdict::Continue => None,
        Verdict::Respond(reply) => Some(reply),
    }
}

/// Runs a phase that cannot answer; a panic is counted and its plugin passed over.
fn contain(phase: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(phase)).is_err() {
        FAILURES.fetch_add(1, Ordering::Relaxed);
    }
}

fn failed() -> Verdict {
    FAILURES.fetch_add(1, Ordering::Relaxed);
    Verdict::Respond(Box::new(Reply::failure()))
}

/// A waiting phase whose panic becomes an answer.
struct Contained<'a> {
    future: LocalBoxFuture<'a, Verdict>,
}

impl Future for Contained<'_> {
    type Output = Verdict;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Verdict> {
        let future = self.future.as_mut();
        catch_unwind(AssertUnwindSafe(|| future.poll(context)))
            .unwrap_or_else(|_| Poll::Ready(failed()))
    }
}
