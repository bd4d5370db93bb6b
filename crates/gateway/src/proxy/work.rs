//! The state of one request, kept per core and used again: no request allocates it.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{Identity, Locals, RequestEdits, ResponseEdits, Run};

use super::explaining::Explained;
use crate::http1::{HeadLimits, RequestHead, ResponseHead};

/// Memory a scratch vector may keep from one request to the next.
const MAX_SCRATCH: usize = 16 * 1024;

/// One request under way.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// The head, as ranges of `bytes`.
    pub(crate) head: RequestHead,
    /// The bytes of the head.
    pub(crate) bytes: Vec<u8>,
    /// The head of the service's answer, as ranges of its link's buffer.
    pub(crate) response: ResponseHead,
    /// Where heads are written.
    pub(crate) out: Vec<u8>,
    /// The normalised path, if it differs from the received one.
    pub(crate) path: Vec<u8>,
    pub(crate) is_path_rewritten: bool,
    /// Length of the host without its port.
    pub(crate) host_len: usize,
    /// The path for the service, without query.
    pub(crate) upstream_path: Vec<u8>,
    /// How many bytes of the path the route matched.
    pub(crate) matched: usize,
    pub(crate) request_id: [u8; 32],
    /// The client as far as trusted proxies tell; `None` while it is the peer.
    pub(crate) real_ip: Option<IpAddr>,
    pub(crate) is_peer_trusted: bool,
    /// The whole body, where a plugin needs it.
    pub(crate) body: Option<Bytes>,
    /// A `Set-Cookie` line that the balancer asks for, with CR LF; usually empty.
    pub(crate) cookie: Vec<u8>,
    /// Number of the request on its connection, from 1.
    pub(crate) number: u64,
    /// Status to refuse the request with; zero when its head was good.
    pub(crate) refused: u16,
    pub(crate) notes: Notes,
    /// What a client is told that asked why; usually nothing.
    pub(crate) explained: Option<Box<Explained>>,
    /// What plugins keep and changed; untouched without plugins.
    pub(crate) plugins: PluginState,
}

/// What is noted for logs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    /// Readings of the core's clock, in microseconds; zero when it did not happen.
    pub(crate) started: u64,
    pub(crate) handed_on: u64,
    pub(crate) answered: u64,
    pub(crate) ended: u64,
    pub(crate) status: u16,
    pub(crate) upstream_status: u16,
    pub(crate) tries: u32,
    pub(crate) target: Option<Arc<str>>,
    pub(crate) upstream_address: Option<std::net::SocketAddr>,
    pub(crate) source: Origin,
    pub(crate) request_bytes: u64,
    pub(crate) response_bytes: u64,
}

/// Who made the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Origin {
    #[default]
    Gateway,
    Plugin,
    Service,
}

/// State of plugins over the phases of a request.
#[derive(Debug, Default)]
pub(crate) struct PluginState {
    pub(crate) is_used: bool,
    pub(crate) run: Run,
    pub(crate) request: RequestEdits,
    pub(crate) response: ResponseEdits,
    pub(crate) identity: Identity,
    pub(crate) locals: Locals,
    /// The head of the answer as it was sent, where a plugin logs.
    pub(crate) sent_head: Vec<u8>,
}

impl Work {
    /// Forgets the request and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.head.clear();
        self.bytes.clear();
        self.response.clear();
        for scratch in [&mut self.out, &mut self.path, &mut self.upstream_path] {
            scratch.clear();
            if scratch.capacity() > MAX_SCRATCH {
                scratch.shrink_to(MAX_SCRATCH);
            }
        }
        self.is_path_rewritten = false;
        self.matched = 0;
        self.host_len = 0;
        self.real_ip = None;
        self.is_peer_trusted = false;
        self.body = None;
        self.cookie.clear();
        self.refused = 0;
        self.notes = Notes::default();
        self.explained = None;
        if self.plugins.is_used {
            self.plugins.clear();
        }
    }

    /// The normalised path.
    pub(crate) fn path(&self) -> &[u8] {
        if self.is_path_rewritten {
            return &self.path;
        }
        match self.head.fields.index.path.of(&self.bytes) {
            [] => b"/",
            path => path,
        }
    }

    /// The method as received.
    pub(crate) fn method(&self) -> &[u8] {
        self.head.fields.index.method.of(&self.bytes)
    }

    /// The request id as text.
    pub(crate) fn request_id(&self) -> &str {
        std::str::from_utf8(&self.request_id).unwrap_or_default()
    }

    /// The host without its port.
    pub(crate) fn host(&self) -> &[u8] {
        match self.host_len {
            0 => router::split_host(self.authority()).0,
            length => &self.authority()[..length],
        }
    }

    /// The host as received, with its port.
    pub(crate) fn authority(&self) -> &[u8] {
        self.head.host.of(&self.bytes)
    }

    /// Reads a head out of `received`; whether it is complete.
    pub(crate) fn read_head(
        &mut self,
        received: &[u8],
        limits: &HeadLimits,
    ) -> Result<bool, crate::http1::HeadError> {
        let is_complete = self.head.advance(received, limits)?;
        if is_complete {
            self.bytes.extend_from_slice(&received[..self.head.len]);
        }
        Ok(is_complete)
    }
}

impl PluginState {
    fn clear(&mut self) {
        self.is_used = false;
        self.run.clear();
        self.request.clear();
        self.response.clear();
        self.identity.clear();
        self.locals.clear();
        self.sent_head.clear();
    }
}
