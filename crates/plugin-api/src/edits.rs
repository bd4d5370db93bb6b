//! What plugins changed, recorded beside the head instead of in it: the engine copies the head by
//! range and applies the record while it writes. An untouched request has empty edits and is
//! copied as it is.

use bytes::Bytes;

use crate::info::Scheme;

/// Changes to a set of headers: some names vanish from the head, some lines are new.
///
/// To write a head, walk over its lines with [`HeaderEdits::apply`]; it keeps a replaced header
/// at its place and appends what is new.
#[derive(Clone, Debug, Default)]
pub struct HeaderEdits {
    removed: Vec<Removed>,
    added: Vec<(Bytes, Bytes)>,
}

/// A name whose received lines are left out.
#[derive(Clone, Debug)]
struct Removed {
    name: Bytes,
    /// Whether the new value takes the place of the first received line.
    keeps_place: bool,
}

impl HeaderEdits {
    /// Whether nothing was changed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }

    /// Replaces all values of `name` by one. If the head has the header, the new value stands
    /// where its first line stood, in the spelling received.
    pub fn set(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        let name = name.into();
        self.leave_out(&name, true);
        self.added.push((name, safe_value(value.into())));
    }

    /// Adds a value and keeps those that are there.
    pub fn add(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        self.added.push((name.into(), safe_value(value.into())));
    }

    /// Removes all values of `name`, those of the head and those added so far.
    pub fn remove(&mut self, name: impl Into<Bytes>) {
        self.leave_out(&name.into(), false);
    }

    fn leave_out(&mut self, name: &Bytes, keeps_place: bool) {
        self.added.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        if !self.removes(name) {
            let name = name.clone();
            self.removed.push(Removed { name, keeps_place });
        }
    }

    /// Whether lines of the head with this name are left out. Compared without regard to case.
    #[must_use]
    pub fn removes(&self, name: &[u8]) -> bool {
        self.removed
            .iter()
            .any(|removed| removed.name.eq_ignore_ascii_case(name))
    }

    /// New lines, in order. Values hold no CR, LF or NUL.
    pub fn added(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.added.iter().map(|(n, v)| (n.as_ref(), v.as_ref()))
    }

    /// The new lines alone.
    #[must_use]
    pub fn into_added(self) -> Vec<(Bytes, Bytes)> {
        self.added
    }

    /// Names whose received lines are left out, in the order of the changes.
    pub fn removed(&self) -> impl Iterator<Item = &[u8]> {
        self.removed.iter().map(|removed| removed.name.as_ref())
    }

    /// The first new value of `name`.
    #[must_use]
    pub fn value(&self, name: &[u8]) -> Option<&[u8]> {
        self.added()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Walks over the lines of a head with the changes applied and hands each to `line`.
    ///
    /// Compat: as in the reference, a replaced header keeps its place and its spelling; a new
    /// one comes last.
    pub fn apply<'h>(
        &self,
        head: impl Iterator<Item = (&'h [u8], &'h [u8])>,
        mut line: impl FnMut(&[u8], &[u8]),
    ) {
        // One bit per new line that already stands at the place of a received one. Lines
        // beyond the width of the mask are simply appended.
        let mut placed = 0_u128;
        for (name, value) in head {
            match self
                .removed
                .iter()
                .find(|r| r.name.eq_ignore_ascii_case(name))
            {
                None => line(name, value),
                Some(removed) if removed.keeps_place => {
                    if let Some((at, value)) = self.unplaced(name, placed) {
                        placed |= 1 << at;
                        line(name, value);
                    }
                }
                Some(_) => {}
            }
        }
        for (at, (name, value)) in self.added().enumerate() {
            if at >= 128 || placed & (1 << at) == 0 {
                line(name, value);
            }
        }
    }

    /// The first new line of a name, unless it stands somewhere already.
    fn unplaced(&self, name: &[u8], placed: u128) -> Option<(usize, &[u8])> {
        let (at, (_, value)) = self
            .added()
            .enumerate()
            .take(128)
            .find(|(_, (n, _))| n.eq_ignore_ascii_case(name))?;
        (placed & (1 << at) == 0).then_some((at, value))
    }

    /// Forgets all changes and keeps the allocations.
    pub fn clear(&mut self) {
        self.removed.clear();
        self.added.clear();
    }
}

/// Changes to a request on its way to the backend side.
#[derive(Clone, Debug, Default)]
pub struct RequestEdits {
    /// Header changes.
    pub headers: HeaderEdits,
    /// Method to use instead of the received one.
    pub method: Option<Bytes>,
    /// Path to use instead of the one routing and the service produce.
    pub path: Option<Bytes>,
    /// Query to use instead of the received one, without question mark. An empty one leaves a
    /// bare question mark if the request had a query (as the reference does), nothing if not.
    pub query: Option<Bytes>,
    /// Value of the `Host` header sent to the backend side.
    pub host: Option<Bytes>,
    /// Backend address to use instead of the service's: host and port.
    pub destination: Option<(Bytes, u16)>,
    /// Whether to speak TLS to the backend side, and HTTP/1.1, whatever the service says.
    pub scheme: Option<Scheme>,
    /// Body to send instead of the received one; only meaningful when the body was buffered.
    pub body: Option<Bytes>,
    /// Changes to the service itself.
    pub service: Option<Box<ServiceEdits>>,
}

/// Changes to the service of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceEdits {
    /// Name of the upstream whose targets get the request; an unknown one changes nothing.
    pub upstream: Option<Bytes>,
    /// How often a failed request is tried again.
    pub retries: Option<u16>,
    /// Milliseconds for connecting, writing and reading.
    pub timeouts: Option<(u32, u32, u32)>,
}

impl RequestEdits {
    /// Whether nothing was changed, so that the head may be copied as it is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.headers.is_empty()
            && self.method.is_none()
            && self.path.is_none()
            && self.query.is_none()
            && self.host.is_none()
            && self.destination.is_none()
            && self.scheme.is_none()
            && self.body.is_none()
            && self.service.is_none()
    }

    /// Forgets all changes and keeps the allocations.
    pub fn clear(&mut self) {
        self.headers.clear();
        self.method = None;
        self.path = None;
        self.query = None;
        self.host = None;
        self.destination = None;
        self.scheme = None;
        self.body = None;
        self.service = None;
    }
}

/// Changes to the answer that were decided before it exists: rate limits, request ids. They are
/// applied to whatever answers, backend or gateway.
#[derive(Clone, Debug, Default)]
pub struct ResponseEdits {
    /// Header changes.
    pub headers: HeaderEdits,
    /// Status to send instead of the answer's own.
    pub status: Option<u16>,
}

impl ResponseEdits {
    /// Whether nothing was changed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.headers.is_empty() && self.status.is_none()
    }

    /// Forgets all changes and keeps the allocations.
    pub fn clear(&mut self) {
        self.headers.clear();
        self.status = None;
    }
}

/// Keeps a value on its line: CR, LF and NUL become percent escapes.
///
/// Compat: the reference escapes control characters in header values set by plugins in the same
/// way, so no value can open a second header.
fn safe_value(value: Bytes) -> Bytes {
    let is_bad = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0);
    if !value.iter().any(is_bad) {
        return value;
    }
    let mut safe = Vec::with_capacity(value.len() + 8);
    for byte in &value {
        match byte {
            b'\r' => safe.extend_from_slice(b"%0D"),
            b'\n' => safe.extend_from_slice(b"%0A"),
            0 => safe.extend_from_slice(b"%00"),
            other => safe.push(*other),
        }
    }
    Bytes::from(safe)
}
