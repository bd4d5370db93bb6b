//! What a handler sees of a request and its answer, and the only way in which it changes them.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use rustls::sign::CertifiedKey;

use crate::edits::{HeaderEdits, RequestEdits, ResponseEdits};
use crate::head::Head;
use crate::info::{ClientInfo, ConsumerInfo, CredentialInfo, RouteInfo, ServiceInfo};
use crate::lookups::Lookups;
use crate::query;
use crate::reply::ResponseSource;

/// Who the caller is, as far as plugins found out.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// The consumer, set by an authentication plugin.
    pub consumer: Option<Arc<ConsumerInfo>>,
    /// The credential that proved it; absent for an anonymous consumer.
    pub credential: Option<CredentialInfo>,
}

impl Identity {
    /// Forgets the caller.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Values a plugin keeps from one phase to the next of the same request, by type.
#[derive(Default)]
pub struct Locals {
    values: Vec<Box<dyn Any>>,
}

impl Locals {
    /// Keeps a value; an earlier one of the same type is replaced.
    pub fn insert<T: 'static>(&mut self, value: T) {
        self.values.retain(|kept| !kept.is::<T>());
        self.values.push(Box::new(value));
    }

    /// The value of a type.
    #[must_use]
    pub fn get<T: 'static>(&self) -> Option<&T> {
        self.values.iter().find_map(|kept| kept.downcast_ref())
    }

    /// The value of a type, to change it.
    pub fn get_mut<T: 'static>(&mut self) -> Option<&mut T> {
        self.values.iter_mut().find_map(|kept| kept.downcast_mut())
    }

    /// Takes the value of a type out.
    pub fn take<T: 'static>(&mut self) -> Option<T> {
        let at = self.values.iter().position(|kept| kept.is::<T>())?;
        let kept = self.values.swap_remove(at).downcast().ok()?;
        Some(*kept)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.values.clear();
    }
}

impl fmt::Debug for Locals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locals")
            .field("len", &self.values.len())
            .finish()
    }
}

/// One request on its way through the chain. The engine owns everything behind the references
/// and keeps the mutable parts from phase to phase.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// The request head as received.
    pub head: Head<'a>,
    /// The request path after normalisation, as the router saw it.
    pub path: &'a [u8],
    /// The whole request body if the chain needs it and it was within the limit.
    pub body: Option<&'a [u8]>,
    /// Changes to the request.
    pub request: &'a mut RequestEdits,
    /// Changes to whatever answer will be given.
    pub response: &'a mut ResponseEdits,
    /// The client side.
    pub client: &'a ClientInfo,
    /// The matched route; `None` in the rewrite phase and when nothing matched.
    pub route: Option<&'a RouteInfo>,
    /// The route's service.
    pub service: Option<&'a ServiceInfo>,
    /// Id of the request, 32 hexadecimal characters.
    pub request_id: &'a str,
    /// Who calls.
    pub identity: &'a mut Identity,
    /// Consumers and credentials of the configuration this request runs under.
    pub lookups: &'a Lookups,
    /// Unix milliseconds at the start of the request.
    pub now_ms: u64,
    /// Values kept between phases.
    pub locals: &'a mut Locals,
}

impl Exchange<'_> {
    /// The first value of a request header as the backend would see it: changes of earlier plugins
    /// count. The name is compared without regard to case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.header_values(name).next()
    }

    /// All values of a request header as the backend would see them.
    pub fn header_values<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s [u8]> {
        let edits = &self.request.headers;
        let received = (!edits.removes(name.as_bytes())).then(|| self.head.values(name));
        let added = edits
            .added()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value);
        received.into_iter().flatten().chain(added)
    }

    /// The request method as the backend would see it.
    #[must_use]
    pub fn method(&self) -> &[u8] {
        match &self.request.method {
            Some(method) => method,
            None => self.head.method(),
        }
    }

    /// The query as the backend would see it, without question mark; empty if there is none.
    #[must_use]
    pub fn query(&self) -> &[u8] {
        match &self.request.query {
            Some(query) => query,
            None => self.head.query().unwrap_or_default(),
        }
    }

    /// All values of a query parameter, decoded; `None` for a parameter without `=`.
    pub fn query_values<'s>(&'s self, name: &str) -> impl Iterator<Item = Option<Cow<'s, [u8]>>> {
        query::pairs(self.query())
            .filter(move |(key, _)| key.as_ref() == name.as_bytes())
            .map(|(_, value)| value)
    }
}

/// The answer as header filters see it.
#[derive(Debug)]
pub struct ResponseView<'a> {
    /// Status to be sent; may be changed.
    pub status: u16,
    /// Head of the backend's answer; `None` if the gateway answers.
    pub head: Option<Head<'a>>,
    /// Header changes, including those decided in earlier phases.
    pub headers: &'a mut HeaderEdits,
    /// Header lines of the gateway's own answer; empty if the backend answers.
    pub own: &'a [(Bytes, Bytes)],
    /// Who answers.
    pub source: ResponseSource,
    /// Set it to drop `Content-Length`, because a body filter changes the length.
    pub changes_body: bool,
    /// Set it to send no body, whatever the backend sends.
    pub drops_body: bool,
}

impl ResponseView<'_> {
    /// The first value of a header as the client would see it.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.header_values(name).next()
    }

    /// All values of a header as the client would see them.
    pub fn header_values<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s [u8]> {
        let is_kept = !self.headers.removes(name.as_bytes());
        let received = self.head.as_ref().filter(|_| is_kept);
        let received = received.map(|head| head.values(name));
        let own = if is_kept { self.own } else { &[] };
        let own = own
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value.as_ref());
        let added = self
            .headers
            .added()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value);
        received.into_iter().flatten().chain(own).chain(added)
    }
}

/// A TLS handshake, before any request.
pub struct Hello<'a> {
    /// Server name the client asks for.
    pub server_name: Option<&'a str>,
    /// Certificate chain and key to present instead of the node's own.
    pub certificate: Option<Arc<CertifiedKey>>,
}

impl fmt::Debug for Hello<'_> {
    /// Leaves out the certificate: it comes with its key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hello")
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}
