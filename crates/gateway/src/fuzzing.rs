//! What the fuzz targets hold the parsers of outside bytes to. Built for them and for tests alone.
//!
//! Every check is of a property, not of an absence of panics: the quick readers agree with the
//! careful ones, pieces give what the whole gives, and what was read reads back the same.

use plugin_api::{HeaderSpan, Span};

use hickory_resolver::proto::op::Message;

use crate::dns::ask;
use crate::health::probe::status_of;
use crate::http1::{BodyDecoder, BodyError, Framing, HeadError, HeadLimits, RequestHead};
use crate::http1::{ResponseHead, chunk_header};
use crate::proxy::proxy_header;
use crate::stream;

/// Largest answer head of these checks.
const MAX_HEAD: usize = 32 * 1024;

/// Splits the input into places to cut at and the bytes of a message.
fn cut(input: &[u8]) -> ([usize; 2], &[u8]) {
    let (places, bytes) = input.split_at(input.len().min(2));
    let place = |index: usize| {
        let place = places.get(index).map_or(0, |byte| usize::from(*byte));
        place.min(bytes.len())
    };
    let (first, second) = (place(0), place(1));
    ([first.min(second), first.max(second)], bytes)
}

/// The first message of a TLS client.
///
/// # Panics
///
/// When a property does not hold.
pub fn client_hello(input: &[u8]) {
    let ([first, second], bytes) = cut(input);
    let whole = stream::read_hello(bytes);
    for end in [first, second] {
        // What was read stays so, whatever follows; what was refused stays refused.
        match stream::read_hello(&bytes[..end]) {
            Ok(None) => {}
            Err(refused) => assert_eq!(whole, Err(refused)),
            Ok(Some(hello)) => assert_eq!(whole, Ok(Some(hello))),
        }
    }
    let mut acceptor = rustls::server::Acceptor::default();
    let mut rest = bytes;
    if whole.is_err() || acceptor.read_tls(&mut rest).is_err() {
        return;
    }
    // Who takes part in the handshake finds the same name.
    if let (Ok(Some(hello)), Ok(Some(accepted))) = (whole, acceptor.accept()) {
        let named = accepted.client_hello().server_name().map(str::to_owned);
        assert_eq!(hello.server_name, named);
    }
}

/// Request heads.
///
/// # Panics
///
/// When a property does not hold.
pub fn request_head(input: &[u8]) {
    let (cuts, bytes) = cut(input);
    let limits = HeadLimits::default();
    let mut whole = RequestHead::default();
    let result = whole.advance(bytes, &limits);
    let mut careful = RequestHead::default();
    assert_eq!(result, careful.advance_carefully(bytes, &limits));
    assert_eq!(format!("{whole:?}"), format!("{careful:?}"));

    let mut parts = RequestHead::default();
    let in_parts = in_parts(&cuts, bytes, |bytes| parts.advance(bytes, &limits));
    assert_eq!(result.ok(), in_parts.ok());
    if result != Ok(true) {
        return;
    }
    assert_eq!(whole.fields.index.headers, parts.fields.index.headers);
    assert_eq!(whole.framing, parts.framing);
    assert_eq!(whole.len, parts.len);

    let index = &whole.fields.index;
    let target = checked(index.target, bytes, whole.len);
    let mut rendered = checked(index.method, bytes, whole.len).to_vec();
    for part in [
        &b" "[..],
        target,
        b" HTTP/",
        index.version.as_str().as_bytes(),
        b"\r\n",
    ] {
        rendered.extend_from_slice(part);
    }
    render(&mut rendered, &index.headers, bytes, whole.len);
    let mut again = RequestHead::default();
    let limits = HeadLimits {
        line: usize::MAX,
        head: usize::MAX,
    };
    assert_eq!(again.advance(&rendered, &limits), Ok(true));
    assert_eq!(again.framing, whole.framing);
    assert_eq!(again.is_persistent, whole.is_persistent);
    assert_eq!(again.expects_continue, whole.expects_continue);
    assert_eq!(again.host.of(&rendered), whole.host.of(bytes));
    assert_eq!(again.fields.kinds, whole.fields.kinds);
    assert_eq!(again.fields.index.path.of(&rendered), index.path.of(bytes));
}

/// Heads of answers.
///
/// # Panics
///
/// When a property does not hold.
pub fn response_head(input: &[u8]) {
    let (cuts, bytes) = cut(input);
    let is_head = bytes.len() % 2 == 1;
    let mut whole = ResponseHead::default();
    let result = whole.advance(bytes, MAX_HEAD, is_head);
    let mut careful = ResponseHead::default();
    assert_eq!(result, careful.advance_carefully(bytes, MAX_HEAD, is_head));
    careful.usual_line = whole.usual_line;
    assert_eq!(format!("{whole:?}"), format!("{careful:?}"));

    let mut parts = ResponseHead::default();
    let in_parts = in_parts(&cuts, bytes, |bytes| {
        parts.advance(bytes, MAX_HEAD, is_head)
    });
    assert_eq!(result.ok(), in_parts.ok());
    if result != Ok(true) {
        return;
    }
    assert_eq!(whole.fields.index.headers, parts.fields.index.headers);
    assert_eq!((whole.framing, whole.len), (parts.framing, parts.len));
    assert!((100..1000).contains(&whole.status()));

    let index = &whole.fields.index;
    let reason = checked(index.reason, bytes, whole.len);
    let mut rendered = format!("HTTP/{} {} ", index.version.as_str(), whole.status()).into_bytes();
    rendered.extend_from_slice(reason);
    rendered.extend_from_slice(b"\r\n");
    if whole.usual_line > 0 {
        assert_eq!(rendered, bytes[..whole.usual_line]);
    }
    render(&mut rendered, &index.headers, bytes, whole.len);
    let mut again = ResponseHead::default();
    assert_eq!(again.advance(&rendered, usize::MAX, is_head), Ok(true));
    assert_eq!(again.framing, whole.framing);
    assert_eq!(again.is_persistent, whole.is_persistent);
    assert_eq!(again.fields.kinds, whole.fields.kinds);
}

/// Feeds a reader with more and more of the bytes.
fn in_parts(
    cuts: &[usize],
    bytes: &[u8],
    mut read: impl FnMut(&[u8]) -> Result<bool, HeadError>,
) -> Result<bool, HeadError> {
    for cut in cuts {
        let result = read(&bytes[..*cut]);
        if result != Ok(false) {
            return result;
        }
    }
    read(bytes)
}

/// The bytes of a span, which lie in the head and move no boundary.
fn checked(span: Span, bytes: &[u8], length: usize) -> &[u8] {
    assert!(span.start <= span.end && span.end as usize <= length);
    let text = span.of(bytes);
    assert!(!text.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
    text
}

fn render(out: &mut Vec<u8>, lines: &[HeaderSpan], bytes: &[u8], length: usize) {
    for line in lines {
        let name = checked(line.name, bytes, length);
        assert!(!name.is_empty() && !name.iter().any(|byte| b" \t:".contains(byte)));
        for part in [name, b": ", checked(line.value, bytes, length), b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// Bodies in chunks.
///
/// # Panics
///
/// When a property does not hold.
pub fn chunked(input: &[u8]) {
    let (cuts, bytes) = cut(input);
    let whole = decode(bytes, &[]);
    assert_eq!(whole, decode(bytes, &cuts));
    let single: Vec<usize> = (0..bytes.len().min(512)).collect();
    assert_eq!(whole, decode(bytes, &single));
    let Ok((payload, consumed, is_done)) = whole else {
        return;
    };
    assert!(payload.len() <= consumed && consumed <= bytes.len());
    assert!(is_done || consumed == bytes.len());
    let mut encoded = Vec::new();
    for chunk in payload.chunks(97) {
        encoded.extend_from_slice(chunk_header(chunk.len(), &mut [0; 18]));
        encoded.extend_from_slice(chunk);
        encoded.extend_from_slice(b"\r\n");
    }
    encoded.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(decode(&encoded, &[]), Ok((payload, encoded.len(), true)));
}

fn decode(bytes: &[u8], cuts: &[usize]) -> Result<(Vec<u8>, usize, bool), BodyError> {
    let mut decoder = BodyDecoder::new(Framing::Chunked);
    let (mut payload, mut consumed, mut start) = (Vec::new(), 0, 0);
    for end in cuts.iter().copied().chain([bytes.len()]) {
        let mut piece = bytes[start..end].to_vec();
        start = end;
        let progress = decoder.decode(&mut piece)?;
        payload.extend_from_slice(&piece[..progress.payload]);
        consumed += progress.consumed;
        if progress.is_done {
            break;
        }
        assert_eq!(progress.consumed, piece.len());
    }
    for line in decoder.trailers().split_inclusive(|byte| *byte == b'\n') {
        assert!(line.ends_with(b"\r\n") && line.contains(&b':'));
    }
    Ok((payload, consumed, decoder.is_done()))
}

/// Headers of the PROXY protocol.
///
/// # Panics
///
/// When a property does not hold.
pub fn proxy_header(bytes: &[u8]) {
    let whole = proxy_header::parse(bytes);
    for end in 0..bytes.len().min(proxy_header::MAX_LENGTH + 1) {
        match (proxy_header::parse(&bytes[..end]), whole) {
            // A header is complete at one place, and nothing behind it changes it.
            (Ok(Some(early)), _) => {
                assert_eq!(whole, Ok(Some(early)));
                assert!(early.length <= end);
            }
            (Ok(None), Ok(Some(header))) => assert!(end < header.length),
            (Ok(None), _) => {}
            // What is no header does not become one.
            (Err(error), _) => assert_eq!(whole, Err(error)),
        }
    }
    if let Ok(Some(header)) = whole {
        assert!(header.length <= bytes.len() && header.length <= proxy_header::MAX_LENGTH);
    }
}

/// The status of an answer to a probe: what is read early stays, whatever follows.
///
/// # Panics
///
/// When a property does not hold.
pub fn probe_status(bytes: &[u8]) {
    let whole = status_of(bytes);
    for end in 0..bytes.len().min(64) {
        if let Some(early) = status_of(&bytes[..end]) {
            assert_eq!(whole, Some(early));
        }
    }
    assert!(whole.is_none_or(|status| (100..=999).contains(&status)));
}

/// An answer of a name server, as far as it is ours to read.
///
/// # Panics
///
/// When a property does not hold.
pub fn dns_answer(bytes: &[u8]) {
    let Ok(message) = Message::from_vec(bytes) else {
        return;
    };
    let records = || {
        let answers = message.answers.iter();
        answers.map(|record| (record.data.clone(), record.ttl))
    };
    for is_v6 in [false, true] {
        if let Ok(records) = ask::addresses_of(records(), is_v6) {
            assert!((1..=ask::FOUND_MAX).contains(&records.found.len()));
            assert!(records.found.iter().all(|own| own.ip.is_ipv6() == is_v6));
        }
    }
    if let Ok((services, _)) = ask::services_of(records()) {
        assert!((1..=ask::FOUND_MAX).contains(&services.len()));
        assert!(
            services
                .iter()
                .all(|own| own.weight > 0 && !own.name.is_empty())
        );
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    const PIECES: &[&[u8]] = &[
        b"GET /a?b HTTP/1.1\r\n",
        b"POST http://h/ HTTP/1.0\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.0 404\r\n",
        b"Host: a.test\r\n",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close, x\r\n",
        b"Odd(name): 1\r\n",
        b"X:  y \t\r\n",
        b"\r\n",
        b"3\r\nabc\r\n",
        b"0;x\r\n",
        b"X-T: 1\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1000 80\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c",
        b"\x16\x03\x01\0\x3e\x01\0\0\x3a\x03\x03",
        b"\x16\x03\x01\0\x3e\x01\0\0\x3a\x03\x030123456789012345678901234567890\x31\0\0\x02\x13\x01\x01\0\0\x0f\
          \0\0\0\x0b\0\x09\0\0\x06a.test",
    ];

    /// An answer with an alias, an address of each family and a service.
    const ANSWER: &[u8] = b"\x12\x34\x81\x80\0\x01\0\x04\0\0\0\0\x01a\x04test\0\0\x01\0\x01\
        \xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x04\x01b\xc0\x0e\
        \xc0\x24\0\x01\0\x01\0\0\0\x3c\0\x04\x0a\0\0\x01\
        \xc0\x24\0\x1c\0\x01\0\0\0\x3c\0\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\
        \xc0\x24\0\x21\0\x01\0\0\0\x3c\0\x0a\0\x01\0\0\x1f\x40\x01c\xc0\x0e";

    #[test]
    fn the_sample_of_an_answer_is_one() {
        let message = super::Message::from_vec(ANSWER).unwrap();
        assert_eq!(message.answers.len(), 4);
        super::dns_answer(ANSWER);
    }

    /// Pieces of messages put together, and some of that damaged.
    fn pieces() -> impl Strategy<Value = Vec<u8>> {
        let piece = proptest::sample::select(PIECES);
        (
            vec(piece, 0..9),
            any::<[u8; 2]>(),
            0_usize..200,
            any::<u8>(),
            any::<bool>(),
        )
            .prop_map(|(pieces, cuts, at, byte, is_damaged)| {
                let mut bytes = [&cuts[..], &pieces.concat()].concat();
                if let (true, Some(place)) = (is_damaged, bytes.get_mut(at)) {
                    *place = byte;
                }
                bytes
            })
    }

    proptest! {
        #[test]
        fn properties_hold_for_pieces_of_messages(bytes in pieces()) {
            super::request_head(&bytes);
            super::response_head(&bytes);
            super::chunked(&bytes);
            super::proxy_header(bytes.get(2..).unwrap_or_default());
            super::client_hello(&bytes);
            super::probe_status(bytes.get(2..).unwrap_or_default());
        }

        #[test]
        fn properties_hold_for_any_bytes(bytes in vec(any::<u8>(), 0..200)) {
            super::request_head(&bytes);
            super::response_head(&bytes);
            super::chunked(&bytes);
            super::proxy_header(&bytes);
            super::client_hello(&bytes);
            super::probe_status(&bytes);
            super::dns_answer(&bytes);
        }

        #[test]
        fn properties_hold_for_damaged_answers_of_name_servers(
            at in 0_usize..200,
            byte: u8,
            cut in 0_usize..200,
        ) {
            let mut bytes = ANSWER.to_vec();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            super::dns_answer(&bytes);
            super::dns_answer(&bytes[..cut.min(bytes.len())]);
        }
    }
}
