//! What Lua code sees of a request, owned: it moves into the virtual machine while code runs and
//! back when it waits or ends.

use bytes::Bytes;
use plugin_api::{
    BodyChunk, ClientInfo, Exchange, Head, HeadIndex, HeaderEdits, Identity, Outcome, Reply,
    RequestEdits, ResponseEdits, ResponseSource, ResponseView, RouteInfo, ServiceInfo,
};
use serde_json::Value;
use uuid::Uuid;

/// The phase that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Rewrite,
    Access,
    HeaderFilter,
    BodyFilter,
    Log,
    Response,
    Preread,
}

impl Phase {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Rewrite => "rewrite",
            Self::Access => "access",
            Self::HeaderFilter => "header_filter",
            Self::BodyFilter => "body_filter",
            Self::Log => "log",
            Self::Response => "response",
            Self::Preread => "preread",
        }
    }
}

/// The head of the answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Whether it came from the service.
    pub(super) source: Option<ResponseSource>,
    /// Lines of the service's answer, or of the gateway's own.
    pub(super) lines: Vec<(Bytes, Bytes)>,
    pub(super) edits: HeaderEdits,
    /// Whether the length that was told is no more.
    pub(super) changes_body: bool,
}

/// What is kept of an answer for later phases.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    pub(super) status: u16,
    pub(super) service_status: Option<u16>,
    pub(super) source: Option<ResponseSource>,
    pub(super) lines: Vec<(Bytes, Bytes)>,
}

/// The piece of a body that passes.
#[derive(Clone, Debug, Default)]
pub(super) struct Piece {
    pub(super) data: Bytes,
    pub(super) is_last: bool,
    /// What is sent instead.
    pub(super) replaced: Option<Bytes>,
    /// The whole body so far, if code asked for it.
    pub(super) collected: Vec<u8>,
    pub(super) collects: bool,
}

/// A request in the hands of the virtual machine.
pub(super) struct Frame {
    pub(super) phase: Phase,
    pub(super) plugin: Uuid,
    head: Vec<u8>,
    index: HeadIndex,
    pub(super) path: Vec<u8>,
    pub(super) body: Option<Bytes>,
    pub(super) request: RequestEdits,
    pub(super) response: ResponseEdits,
    pub(super) client: ClientInfo,
    pub(super) route: Option<RouteInfo>,
    pub(super) service: Option<ServiceInfo>,
    pub(super) request_id: String,
    pub(super) identity: Identity,
    pub(super) now_ms: u64,
    pub(super) answer: Answer,
    pub(super) kept: Kept,
    pub(super) piece: Piece,
    /// The answer that code gave.
    pub(super) exit: Option<Reply>,
    /// What `ngx.say` said.
    pub(super) said: Option<Vec<u8>>,
    /// Members of the log record.
    pub(super) log_values: Vec<(String, Value)>,
    /// The record, in the log phase.
    pub(super) record: Option<Value>,
}

impl Frame {
    /// Takes what belongs to a request out of an exchange; [`Self::give_back`] undoes it.
    pub(super) fn take(phase: Phase, plugin: Uuid, exchange: &mut Exchange<'_>) -> Self {
        let head = exchange.head;
        let used = usize::try_from(head.index.length).unwrap_or(usize::MAX);
        let bytes = match head.bytes.get(..used) {
            Some(bytes) if used > 0 => bytes,
            _ => head.bytes,
        };
        Self {
            phase,
            plugin,
            head: bytes.to_vec(),
            index: head.index.clone(),
            path: exchange.path.to_vec(),
            body: exchange.body.map(Bytes::copy_from_slice),
            request: std::mem::take(exchange.request),
            response: std::mem::take(exchange.response),
            client: exchange.client.clone(),
            route: exchange.route.cloned(),
            service: exchange.service.cloned(),
            request_id: exchange.request_id.to_owned(),
            identity: std::mem::take(exchange.identity),
            now_ms: exchange.now_ms,
            answer: Answer::default(),
            kept: exchange.locals.get::<Kept>().cloned().unwrap_or_default(),
            piece: Piece::default(),
            exit: None,
            said: None,
            log_values: Vec::new(),
            record: None,
        }
    }

    /// A connection that has no request.
    pub(super) fn of_connection(plugin: Uuid, client: &ClientInfo, now_ms: u64) -> Self {
        Self {
            phase: Phase::Preread,
            plugin,
            head: Vec::new(),
            index: HeadIndex::default(),
            path: Vec::new(),
            body: None,
            request: RequestEdits::default(),
            response: ResponseEdits::default(),
            client: client.clone(),
            route: None,
            service: None,
            request_id: String::new(),
            identity: Identity::default(),
            now_ms,
            answer: Answer::default(),
            kept: Kept::default(),
            piece: Piece::default(),
            exit: None,
            said: None,
            log_values: Vec::new(),
            record: None,
        }
    }

    /// Gives everything back, with the changes.
    pub(super) fn give_back(&mut self, exchange: &mut Exchange<'_>) {
        *exchange.request = std::mem::take(&mut self.request);
        *exchange.response = std::mem::take(&mut self.response);
        *exchange.identity = std::mem::take(&mut self.identity);
        for (name, value) in self.log_values.drain(..) {
            crate::record::add_named(exchange.locals, name, value);
        }
    }

    /// The head as received.
    pub(super) fn head(&self) -> Head<'_> {
        Head::new(&self.head, &self.index)
    }

    /// The first value of a header of the request, with the changes made.
    pub(super) fn header(&self, name: &str) -> Option<Vec<u8>> {
        let edits = &self.request.headers;
        let received = match edits.removes(name.as_bytes()) {
            true => None,
            false => self.head().header(name),
        };
        let found = received.or_else(|| edits.value(name.as_bytes()));
        found.map(<[u8]>::to_vec)
    }

    /// Whether the peer may say who the client is.
    pub(super) fn trusted_header(&self, name: &str) -> Option<Vec<u8>> {
        let is_trusted = self.client.is_peer_trusted;
        is_trusted.then(|| self.head().header(name).map(<[u8]>::to_vec))?
    }

    /// Shows the head of an answer.
    pub(super) fn show(&mut self, view: &ResponseView<'_>) {
        let mut lines = Vec::new();
        let mut put = |name: &[u8], value: &[u8]| {
            lines.push((Bytes::copy_from_slice(name), Bytes::copy_from_slice(value)));
        };
        if let Some(head) = &view.head {
            head.headers().for_each(|(name, value)| put(name, value));
        }
        for (name, value) in view.own {
            put(name, value);
        }
        self.kept = Kept {
            status: view.status,
            service_status: view.head.as_ref().map(|head| head.index.status),
            source: Some(view.source),
            lines: lines.clone(),
        };
        self.answer = Answer {
            status: view.status,
            source: Some(view.source),
            lines,
            edits: view.headers.clone(),
            changes_body: false,
        };
    }

    /// Shows a piece of a body.
    pub(super) fn show_piece(&mut self, chunk: &BodyChunk, collected: Option<Vec<u8>>) {
        self.piece = Piece {
            data: chunk.data.clone(),
            is_last: chunk.is_last,
            replaced: None,
            collects: collected.is_some(),
            collected: collected.unwrap_or_default(),
        };
    }

    /// Shows a whole body.
    pub(super) fn show_whole(&mut self, body: Bytes) {
        self.piece = Piece {
            data: body,
            is_last: true,
            ..Piece::default()
        };
    }

    /// Shows how the request ended.
    pub(super) fn end(&mut self, outcome: &Outcome) {
        self.answer.status = outcome.status;
        self.answer.source = Some(outcome.source);
        self.kept.status = outcome.status;
        let lines = outcome.response_head.split(|byte| *byte == b'\n').skip(1);
        for line in lines {
            if let Some(at) = line.iter().position(|byte| *byte == b':') {
                let name = Bytes::copy_from_slice(&line[..at]);
                let value = Bytes::copy_from_slice(line[at + 1..].trim_ascii());
                self.answer.lines.push((name, value));
            }
        }
    }

    /// The lines of the answer with the changes made.
    pub(super) fn answer_lines(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let edits = match self.phase {
            Phase::HeaderFilter | Phase::Response => &self.answer.edits,
            _ => &self.response.headers,
        };
        let mut lines = Vec::new();
        let received = self
            .answer
            .lines
            .iter()
            .map(|(n, v)| (n.as_ref(), v.as_ref()));
        edits.apply(received, |name, value| {
            lines.push((name.to_vec(), value.to_vec()));
        });
        lines
    }

    /// The changes to the answer, those made before it exists or now.
    pub(super) fn answer_edits(&mut self) -> &mut HeaderEdits {
        match self.phase {
            Phase::HeaderFilter | Phase::Response => &mut self.answer.edits,
            _ => &mut self.response.headers,
        }
    }
}
