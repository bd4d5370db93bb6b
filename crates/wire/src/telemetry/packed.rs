//! The packed form of a batch: what our nodes send.
//!
//! A busy core notes a record for every request, so writing one must cost no more than copying
//! its bytes: no text form, no compression, no allocation. All numbers are little-endian;
//! *varint* is LEB128. A frame is a head and records:
//!
//! | part | bytes |
//! | --- | --- |
//! | version, [`VERSION`] | 1 |
//! | node id | 16 |
//! | stream, sequence, dropped, number of records | 8 each |
//!
//! | part of a record | bytes |
//! | --- | --- |
//! | start, milliseconds since the Unix epoch | 8 |
//! | request id | 32 |
//! | status, status of the upstream (0: none) | 2 each |
//! | source: 0 upstream, 1 plugin, 2 gateway | 1 |
//! | flags: 1 service, 2 route, 4 consumer, 8 target, 16 client of IPv6 | 1 |
//! | client address | 4 or 16 |
//! | ids of service, route, consumer, as far as flagged | 16 each |
//! | total, upstream and gateway microseconds, request and response bytes | varint each |
//! | method, host, path, and target if flagged: length, then text | 1 + length |
//!
//! Texts are cut after 255 bytes at the most; [`Note`] says where.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;
use uuid::Uuid;

use super::{Batch, Latencies, MAX_RECORDS, Record, Source};
use crate::error::WireError;

/// First byte of a packed frame. A frame of gzip begins with `0x1f`.
pub const VERSION: u8 = 1;

/// Longest method kept.
const METHOD_MAX: usize = 32;
/// Longest host kept.
const HOST_MAX: usize = 128;
/// Longest path kept.
const PATH_MAX: usize = 128;
/// Longest target kept.
const TARGET_MAX: usize = 255;

/// Length of the front of a record, up to its flags.
const FRONT: usize = 46;

/// Most bytes of a record before its texts.
const FIXED_MAX: usize = FRONT + 16 + 3 * 16 + 5 * 10;

/// Most bytes that one record takes.
pub const MAX_RECORD_BYTES: usize = FIXED_MAX + 4 + METHOD_MAX + HOST_MAX + PATH_MAX + TARGET_MAX;

const HAS_SERVICE: u8 = 1;
const HAS_ROUTE: u8 = 2;
const HAS_CONSUMER: u8 = 4;
const HAS_TARGET: u8 = 8;
const IS_IPV6: u8 = 16;

/// One answered request in borrowed parts, as the engine notes it. See [`Record`] for the
/// meaning of each.
#[derive(Debug, Clone, Copy)]
pub struct Note<'a> {
    /// When the first byte of the request was read, in milliseconds since the Unix epoch.
    pub started_at_ms: u64,
    /// The request id.
    pub request_id: &'a [u8; 32],
    /// Method; cut after 32 bytes.
    pub method: &'a [u8],
    /// Host without port; cut after 128 bytes.
    pub host: &'a [u8],
    /// Path without query string; cut after 128 bytes.
    pub path: &'a [u8],
    /// Status sent to the client; 0 when the connection ended before one.
    pub status: u16,
    /// Status of the upstream; 0 when none answered.
    pub upstream_status: u16,
    /// The service.
    pub service: Option<Uuid>,
    /// The route.
    pub route: Option<Uuid>,
    /// The consumer.
    pub consumer: Option<Uuid>,
    /// Times.
    pub latencies: Latencies,
    /// Bytes of the request, head and body.
    pub request_bytes: u64,
    /// Bytes of the answer, head and body.
    pub response_bytes: u64,
    /// The client.
    pub client_ip: IpAddr,
    /// `host:port` of the upstream used last; cut after 255 bytes.
    pub target: Option<&'a str>,
    /// Who made the answer.
    pub source: Source,
}

impl Default for Note<'_> {
    fn default() -> Self {
        Self {
            started_at_ms: 0,
            request_id: b"00000000000000000000000000000000",
            method: b"",
            host: b"",
            path: b"",
            status: 0,
            upstream_status: 0,
            service: None,
            route: None,
            consumer: None,
            latencies: Latencies::default(),
            request_bytes: 0,
            response_bytes: 0,
            client_ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            target: None,
            source: Source::Gateway,
        }
    }
}

impl Note<'_> {
    /// Appends the record to the records of a batch.
    pub fn pack(&self, out: &mut Vec<u8>) {
        let source = match self.source {
            Source::Upstream => 0,
            Source::Plugin => 1,
            Source::Gateway => 2,
        };
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let flags = flag(self.service.is_some(), HAS_SERVICE)
            | flag(self.route.is_some(), HAS_ROUTE)
            | flag(self.consumer.is_some(), HAS_CONSUMER)
            | flag(self.target.is_some(), HAS_TARGET)
            | flag(self.client_ip.is_ipv6(), IS_IPV6);
        // Everything before the texts is put together apart: places in a piece of known size cost
        // less than asking a vector for room again and again.
        let mut piece = Piece::default();
        piece.put(&self.started_at_ms.to_le_bytes());
        piece.put(self.request_id);
        piece.put(&self.status.to_le_bytes());
        piece.put(&self.upstream_status.to_le_bytes());
        piece.put(&[source, flags]);
        match self.client_ip {
            IpAddr::V4(ip) => piece.put(&ip.octets()),
            IpAddr::V6(ip) => piece.put(&ip.octets()),
        }
        for id in [self.service, self.route, self.consumer].iter().flatten() {
            piece.put(id.as_bytes());
        }
        piece.number(self.latencies.total_us);
        piece.number(self.latencies.upstream_us);
        piece.number(self.latencies.gateway_us);
        piece.number(self.request_bytes);
        piece.number(self.response_bytes);
        out.extend_from_slice(&piece.bytes[..piece.length]);
        put_text(out, self.method, METHOD_MAX);
        put_text(out, self.host, HOST_MAX);
        put_text(out, self.path, PATH_MAX);
        if let Some(target) = self.target {
            put_text(out, target.as_bytes(), TARGET_MAX);
        }
    }
}

/// The head of a packed frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHead {
    /// The node.
    pub node_id: Uuid,
    /// See [`Batch::stream`].
    pub stream: u64,
    /// See [`Batch::sequence`].
    pub sequence: u64,
    /// See [`Batch::dropped`].
    pub dropped: u64,
    /// How many records follow; at most [`MAX_RECORDS`].
    pub count: u64,
}

/// Length of the head of a frame.
pub const HEAD_BYTES: usize = 49;

impl FrameHead {
    /// Makes a frame of memory in which records stand behind [`HEAD_BYTES`] bytes of any kind. The
    /// head takes their place, and nothing is copied.
    #[must_use]
    pub fn frame(&self, mut memory: Vec<u8>) -> Bytes {
        if memory.len() < HEAD_BYTES {
            memory.resize(HEAD_BYTES, 0);
        }
        let mut head = Piece::default();
        head.put(&[VERSION]);
        head.put(self.node_id.as_bytes());
        for number in [self.stream, self.sequence, self.dropped, self.count] {
            head.put(&number.to_le_bytes());
        }
        memory[..HEAD_BYTES].copy_from_slice(&head.bytes[..HEAD_BYTES]);
        Bytes::from(memory)
    }
}

/// Reads a packed frame whole.
pub(super) fn decode(payload: &[u8]) -> Result<Batch, WireError> {
    let mut input = Input(payload);
    let version = input.byte()?;
    if version != VERSION {
        return Err(WireError::Malformed(format!(
            "packed telemetry of version {version}"
        )));
    }
    let node_id = input.id()?;
    let (stream, sequence) = (input.long()?, input.long()?);
    let (dropped, count) = (input.long()?, input.long()?);
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count > MAX_RECORDS {
        let text = format!("more than {MAX_RECORDS} records in a batch");
        return Err(WireError::Malformed(text));
    }
    let mut records = Vec::with_capacity(count.min(payload.len() / 64 + 1));
    for _ in 0..count {
        records.push(input.record()?);
    }
    if !input.0.is_empty() {
        let text = format!("{} bytes behind the last record", input.0.len());
        return Err(WireError::Malformed(text));
    }
    Ok(Batch {
        node_id,
        stream,
        sequence,
        dropped,
        records,
    })
}

/// What is left to be read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let cut = || WireError::Malformed("the packed batch ends in the middle".to_owned());
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(cut)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn byte(&mut self) -> Result<u8, WireError> {
        Ok(self.array::<1>()?[0])
    }

    fn short(&mut self) -> Result<u16, WireError> {
        self.array().map(u16::from_le_bytes)
    }

    fn long(&mut self) -> Result<u64, WireError> {
        self.array().map(u64::from_le_bytes)
    }

    fn id(&mut self) -> Result<Uuid, WireError> {
        self.array().map(Uuid::from_bytes)
    }

    fn number(&mut self) -> Result<u64, WireError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(WireError::Malformed(
            "a number of more than 64 bits".to_owned(),
        ))
    }

    fn text(&mut self) -> Result<String, WireError> {
        let length = usize::from(self.byte()?);
        self.take(length)
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    fn record(&mut self) -> Result<Record, WireError> {
        let started_at_ms = self.long()?;
        let request_id = String::from_utf8_lossy(self.take(32)?).into_owned();
        let (status, upstream_status) = (self.short()?, self.short()?);
        let source = match self.byte()? {
            0 => Source::Upstream,
            1 => Source::Plugin,
            2 => Source::Gateway,
            other => return Err(WireError::Malformed(format!("unknown source {other}"))),
        };
        let flags = self.byte()?;
        let client_ip = if flags & IS_IPV6 == 0 {
            IpAddr::V4(Ipv4Addr::from(self.array::<4>()?))
        } else {
            IpAddr::V6(Ipv6Addr::from(self.array::<16>()?))
        };
        let mut id = |flag: u8| (flags & flag != 0).then(|| self.id()).transpose();
        let (service, route, consumer) = (id(HAS_SERVICE)?, id(HAS_ROUTE)?, id(HAS_CONSUMER)?);
        let latencies = Latencies {
            total_us: self.number()?,
            upstream_us: self.number()?,
            gateway_us: self.number()?,
        };
        let (request_bytes, response_bytes) = (self.number()?, self.number()?);
        let (method, host, path) = (self.text()?, self.text()?, self.text()?);
        let target = (flags & HAS_TARGET != 0).then(|| self.text()).transpose()?;
        Ok(Record {
            started_at_ms,
            request_id,
            method,
            host,
            path: Some(path).filter(|path| !path.is_empty()),
            status,
            upstream_status: Some(upstream_status).filter(|status| *status != 0),
            service,
            route,
            consumer,
            latencies,
            request_bytes,
            response_bytes,
            client_ip: Some(client_ip),
            target,
            source,
        })
    }
}

/// The part of a record before its texts.
struct Piece {
    bytes: [u8; FIXED_MAX],
    length: usize,
}

impl Default for Piece {
    fn default() -> Self {
        Self {
            bytes: [0; FIXED_MAX],
            length: 0,
        }
    }
}

impl Piece {
    #[inline]
    fn put<const N: usize>(&mut self, part: &[u8; N]) {
        // There is room for everything a record can have, so nothing is ever left out.
        let rest = self.bytes.get_mut(self.length..).unwrap_or_default();
        if let Some(place) = rest.first_chunk_mut() {
            *place = *part;
            self.length += N;
        }
    }

    #[inline]
    fn number(&mut self, mut number: u64) {
        loop {
            let [low, ..] = (number & 0x7f).to_le_bytes();
            number >>= 7;
            if number == 0 {
                return self.put(&[low]);
            }
            self.put(&[low | 0x80]);
        }
    }
}

fn put_text(out: &mut Vec<u8>, text: &[u8], max: usize) {
    let kept = &text[..text.len().min(max)];
    out.push(u8::try_from(kept.len()).unwrap_or(0));
    out.extend_from_slice(kept);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn note() -> Note<'static> {
        Note {
            started_at_ms: 1_795_507_972_118,
            request_id: b"0123456789abcdef0123456789abcdef",
            method: b"GET",
            host: b"shop.test",
            path: b"/orders",
            status: 200,
            upstream_status: 201,
            service: Some(Uuid::from_u128(1)),
            route: Some(Uuid::from_u128(2)),
            consumer: None,
            latencies: Latencies {
                total_us: 300_000,
                upstream_us: 127,
                gateway_us: 128,
            },
            request_bytes: u64::MAX,
            response_bytes: 0,
            client_ip: IpAddr::V6(Ipv6Addr::LOCALHOST),
            target: Some("10.0.0.5:80"),
            source: Source::Plugin,
        }
    }

    fn frame(notes: &[Note<'_>]) -> Bytes {
        let mut records = vec![0; HEAD_BYTES];
        for note in notes {
            note.pack(&mut records);
        }
        let count = notes.len() as u64;
        let node_id = Uuid::from_u128(9);
        FrameHead {
            node_id,
            stream: 3,
            sequence: 4,
            dropped: 5,
            count,
        }
        .frame(records)
    }

    #[test]
    fn packed_batch_reads_back_as_it_was_noted() {
        let batch = Batch::decode(&frame(&[note(), Note::default()])).unwrap();

        assert_eq!((batch.node_id, batch.stream), (Uuid::from_u128(9), 3));
        assert_eq!(
            (batch.sequence, batch.dropped, batch.records.len()),
            (4, 5, 2)
        );
        let record = &batch.records[0];
        assert_eq!(record.request_id, "0123456789abcdef0123456789abcdef");
        assert_eq!(
            (record.method.as_str(), record.host.as_str()),
            ("GET", "shop.test")
        );
        assert_eq!(record.path.as_deref(), Some("/orders"));
        assert_eq!((record.status, record.upstream_status), (200, Some(201)));
        assert_eq!(record.service, Some(Uuid::from_u128(1)));
        assert_eq!(
            (record.route, record.consumer),
            (Some(Uuid::from_u128(2)), None)
        );
        assert_eq!(record.latencies, note().latencies);
        assert_eq!((record.request_bytes, record.response_bytes), (u64::MAX, 0));
        assert_eq!(record.client_ip, Some(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        assert_eq!(record.target.as_deref(), Some("10.0.0.5:80"));
        assert_eq!(record.source, Source::Plugin);
        let empty = &batch.records[1];
        assert_eq!(
            (empty.upstream_status, &empty.path, &empty.target),
            (None, &None, &None)
        );
    }

    #[test]
    fn long_texts_are_cut_and_stay_text() {
        let long = "é".repeat(200);
        let cut = Note {
            path: long.as_bytes(),
            ..note()
        };

        let batch = Batch::decode(&frame(&[cut])).unwrap();

        assert_eq!(batch.records[0].path.as_ref().unwrap().chars().count(), 64);
    }

    #[test]
    fn every_cut_of_a_frame_is_refused() {
        let whole = frame(&[note()]);
        for length in 0..whole.len() {
            assert!(Batch::decode(&whole[..length]).is_err(), "{length}");
        }
        let longer = [&whole[..], b"x"].concat();
        assert!(Batch::decode(&longer).is_err());
    }

    #[test]
    fn absurd_number_of_records_is_refused_before_anything_is_kept() {
        let count = MAX_RECORDS as u64 + 1;
        let head = FrameHead {
            node_id: Uuid::nil(),
            stream: 0,
            sequence: 0,
            dropped: 0,
            count,
        };
        let error = Batch::decode(&head.frame(Vec::new())).unwrap_err();
        assert!(error.to_string().contains("records"), "{error}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let packed = [&[VERSION][..], &bytes].concat();
            drop(Batch::decode(&packed));
        }
    }
}
