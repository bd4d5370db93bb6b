//! A plugin at work: one configured instance and the phases it takes part in.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

use crate::definition::{Needs, Phases};
use crate::exchange::{Exchange, Hello, ResponseView};
use crate::info::ClientInfo;
use crate::lookups::Lookups;
use crate::reply::{Reply, ResponseSource};

/// A future that stays on the core of its connection.
pub type LocalBoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What a handler decides about a request.
#[derive(Debug, Default)]
pub enum Verdict {
    /// Go on.
    #[default]
    Continue,
    /// Answer this and do not contact the backend. Later handlers of the phase are skipped; the
    /// filters and the log still run.
    Respond(Box<Reply>),
}

/// The outcome of a phase that may have to wait.
pub enum Step<'a> {
    /// Decided without waiting; costs no allocation.
    Done(Verdict),
    /// Has to wait for a network answer or for another thread. The future must not block: work
    /// that blocks or burns processor time goes to a thread of its own.
    Wait(LocalBoxFuture<'a, Verdict>),
}

impl Step<'_> {
    /// Goes on.
    pub const CONTINUE: Self = Step::Done(Verdict::Continue);

    /// Answers.
    #[must_use]
    pub fn respond(reply: Reply) -> Self {
        Step::Done(Verdict::Respond(Box::new(reply)))
    }
}

impl fmt::Debug for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(verdict) => f.debug_tuple("Done").field(verdict).finish(),
            Self::Wait(_) => f.debug_tuple("Wait").finish_non_exhaustive(),
        }
    }
}

/// A piece of a response body on its way to the client.
#[derive(Clone, Debug, Default)]
pub struct BodyChunk {
    /// The bytes; may be replaced, also by none.
    pub data: Bytes,
    /// Whether nothing follows.
    pub is_last: bool,
    /// With the last piece: the trailer fields, each line complete with CR LF. What a filter makes
    /// of them is sent, if the framing has room for trailers.
    pub trailers: Bytes,
}

/// How a request ended, for the log phase.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Status sent to the client.
    pub status: u16,
    /// Who answered.
    pub source: ResponseSource,
    /// Status of the backend, if it answered.
    pub backend_status: Option<u16>,
    /// Address of the last backend tried.
    pub backend_address: Option<std::net::SocketAddr>,
    /// Number of backends tried.
    pub tries: u32,
    /// From the first byte of the request to the last byte of the answer, microseconds.
    pub total_us: u64,
    /// Time spent in the gateway itself, microseconds.
    pub gateway_us: u64,
    /// Waiting for the backend's head, microseconds.
    pub backend_us: u64,
    /// Bytes received, head and body.
    pub request_bytes: u64,
    /// Bytes sent, head and body.
    pub response_bytes: u64,
    /// The head of the answer as it was sent; empty if none was.
    pub response_head: Bytes,
    /// Path and query as the backend got, or would have got, them.
    pub backend_target: Bytes,
    /// Unix microseconds at which the request began.
    pub started_us: u64,
    /// Unix microseconds at which the request was handed to the backend side; 0 if it was not.
    pub handed_on_us: u64,
    /// Unix microseconds at which the head of the backend's answer was there; 0 if it never was.
    pub answered_us: u64,
    /// Unix microseconds at which the answer was out.
    pub ended_us: u64,
}

/// A connection of the stream proxy, before a backend is chosen.
#[derive(Debug)]
pub struct Preread<'a> {
    /// The client side.
    pub client: &'a ClientInfo,
    /// Consumers and credentials.
    pub lookups: &'a Lookups,
    /// Set it to close the connection.
    pub is_refused: bool,
}

/// One configured instance. A handler is shared by all cores; what it counts it counts with
/// atomics or in [`crate::Shared`] state.
///
/// A phase is called only if the definition names it. A panic is caught, counted, and answers
/// 500; it never ends the process.
pub trait Handler: Send + Sync {
    /// What this instance, with its configuration, needs. At most what the definition declares.
    fn needs(&self) -> Needs {
        Needs::NONE
    }

    /// The phases in which this instance, with its configuration, has something to do. Those that
    /// the definition does not name do not count.
    fn phases(&self) -> Phases {
        Phases::ALL
    }

    /// During the TLS handshake of a client for whose server name no certificate is configured;
    /// global instances only. Must not wait: what takes time is asked for and there next time.
    fn certificate(&self, _hello: &mut Hello<'_>) {}

    /// Before routing; global instances only.
    fn rewrite<'a>(&'a self, _exchange: &'a mut Exchange<'_>) -> Step<'a> {
        Step::CONTINUE
    }

    /// After routing, before a backend is chosen.
    fn access<'a>(&'a self, _exchange: &'a mut Exchange<'_>) -> Step<'a> {
        Step::CONTINUE
    }

    /// For connections of the stream proxy, instead of access.
    fn preread(&self, _session: &mut Preread<'_>) {}

    /// With the whole answer at hand; takes the place of both filters. Needs the response body.
    fn response<'a>(
        &'a self,
        _exchange: &'a mut Exchange<'_>,
        _response: &'a mut ResponseView<'_>,
        _body: &'a mut Bytes,
    ) -> Step<'a> {
        Step::CONTINUE
    }

    /// Before the head of the answer is sent.
    fn header_filter(&self, _exchange: &mut Exchange<'_>, _response: &mut ResponseView<'_>) {}

    /// For every piece of the answer's body.
    fn body_filter(&self, _exchange: &mut Exchange<'_>, _chunk: &mut BodyChunk) {}

    /// After the answer is out. Must not wait: hand records to a bounded queue.
    fn log(&self, _exchange: &mut Exchange<'_>, _outcome: &Outcome) {}
}
