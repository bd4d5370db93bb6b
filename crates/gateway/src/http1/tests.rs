use plugin_api::HttpVersion;
use proptest::prelude::*;

use super::body::{BodyDecoder, chunk_header};
use super::error::{BodyError, HeadError};
use super::framing::Framing;
use super::known::{ALL, Known};
use super::request::{HeadLimits, RequestHead};
use super::response::ResponseHead;
use super::scan::{find_colon, value_prefix};

fn parse(bytes: &[u8]) -> Result<Option<RequestHead>, HeadError> {
    let mut head = RequestHead::default();
    let is_complete = head.advance(bytes, &HeadLimits::default())?;
    Ok(is_complete.then_some(head))
}

fn head(bytes: &[u8]) -> RequestHead {
    parse(bytes).expect("a good head").expect("a complete head")
}

fn refused(bytes: &[u8]) -> HeadError {
    match parse(bytes) {
        Err(error) => error,
        Ok(head) => panic!("{:?} was taken as {head:?}", String::from_utf8_lossy(bytes)),
    }
}

fn decode_all(
    framing: Framing,
    bytes: &[u8],
    cuts: &[usize],
) -> Result<(Vec<u8>, usize, bool), BodyError> {
    let mut decoder = BodyDecoder::new(framing);
    let mut payload = Vec::new();
    let mut used = 0;
    let mut start = 0;
    for end in cuts.iter().copied().chain([bytes.len()]) {
        let mut piece = bytes[start..end.max(start)].to_vec();
        start = end.max(start);
        let progress = decoder.decode(&mut piece)?;
        payload.extend_from_slice(&piece[..progress.payload]);
        used += progress.consumed;
        if progress.is_done {
            return Ok((payload, used, true));
        }
    }
    Ok((payload, used, decoder.is_done()))
}

#[test]
fn every_known_name_is_told_apart_in_any_case() {
    for (name, kind) in ALL {
        assert_eq!(Known::of(name.as_bytes()), *kind, "{name}");
        assert_eq!(Known::of(name.to_uppercase().as_bytes()), *kind, "{name}");
        assert_eq!(
            Known::of(format!("{name}x").as_bytes()),
            Known::Other,
            "{name}"
        );
        for at in 0..name.len() {
            let mut near = name.as_bytes().to_vec();
            near[at] ^= 0x10;
            assert_eq!(Known::of(&near), Known::Other, "{name} {at}");
            if near[at] == b'-' ^ 0x10 {
                // Case must not be folded where there is none: a CR is no hyphen.
                near[at] = b'\r';
                assert_eq!(Known::of(&near), Known::Other, "{name} {at}");
            }
        }
    }
}

#[test]
fn a_value_ends_at_the_first_byte_it_may_not_have_wherever_that_is() {
    for length in 0..40 {
        for at in 0..=length {
            for byte in 0..=u8::MAX {
                let mut bytes = vec![b'a'; length];
                bytes.insert(at, byte);
                let ends = byte != b'\t' && (byte < b' ' || byte == 0x7f);
                let expected = if ends { at } else { bytes.len() };
                assert_eq!(value_prefix(&bytes), expected, "{byte} at {at}");
                let colon = (byte == b':').then_some(at);
                assert_eq!(find_colon(&bytes), colon, "{byte} at {at}");
            }
        }
    }
}

#[test]
fn a_request_is_read_into_ranges() {
    let bytes = b"POST /a/b?x=1&y HTTP/1.1\r\nHost: a.test:80\r\nX-A:  v w \r\nContent-Length: 5\r\n\r\nhello";
    let head = head(bytes);
    assert_eq!(head.fields.index.method.of(bytes), b"POST");
    assert_eq!(head.fields.index.target.of(bytes), b"/a/b?x=1&y");
    assert_eq!(head.fields.index.path.of(bytes), b"/a/b");
    assert_eq!(head.fields.index.query.of(bytes), b"x=1&y");
    assert_eq!(head.host.of(bytes), b"a.test:80");
    assert_eq!(head.framing, Framing::Length(5));
    assert_eq!(head.fields.index.headers[1].value.of(bytes), b"v w");
    assert_eq!(&bytes[head.len..], b"hello");
    assert!(head.is_persistent);
}

#[test]
fn persistence_follows_version_and_connection() {
    let cases: [(&[u8], bool); 5] = [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true),
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n",
            false,
        ),
        (b"GET / HTTP/1.0\r\n\r\n", false),
        (b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
        (b"GET / HTTP/1.2 \r\nHost: a\r\n\r\n", true),
    ];
    for (bytes, is_persistent) in cases {
        assert_eq!(head(bytes).is_persistent, is_persistent);
    }
}

#[test]
fn a_number_sign_belongs_to_a_path_and_ends_a_query() {
    let bytes = b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n";
    let parsed = head(bytes);
    assert_eq!(parsed.fields.index.path.of(bytes), b"/a#b");
    assert!(!parsed.fields.index.has_query);
    let bytes = b"GET /a#b?x#y?z HTTP/1.1\r\nHost: a\r\n\r\n";
    let parsed = head(bytes);
    assert_eq!(parsed.fields.index.path.of(bytes), b"/a#b");
    assert_eq!(parsed.fields.index.query.of(bytes), b"x");
    let bytes = b"GET /a?#y HTTP/1.1\r\nHost: a\r\n\r\n";
    let parsed = head(bytes);
    assert!(parsed.fields.index.has_query);
    assert_eq!(parsed.fields.index.query.of(bytes), b"");
    let bytes = b"GET http://b#y HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(head(bytes).host.of(bytes), b"b");
}

#[test]
fn an_absolute_target_names_host_and_path() {
    let bytes = b"GET http://x.test:8/y?z HTTP/1.1\r\nHost: a.test\r\n\r\n";
    let parsed = head(bytes);
    assert_eq!(parsed.host.of(bytes), b"x.test:8");
    assert_eq!(parsed.fields.index.path.of(bytes), b"/y");
    let bytes = b"GET http://x.test HTTP/1.1\r\nHost: a.test\r\n\r\n";
    assert_eq!(head(bytes).fields.index.path.of(bytes), b"");
}

#[test]
fn empty_lines_before_a_request_are_skipped_but_not_for_ever() {
    assert_eq!(
        head(b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .fields
            .index
            .version,
        HttpVersion::Http11
    );
    assert_eq!(refused(&b"\r\n".repeat(9)), HeadError::FirstLine);
}

#[test]
fn smuggling_attempts_are_refused() {
    use HeadError as E;
    let cases: &[(&[u8], HeadError)] = &[
        (
            b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            E::AmbiguousLength,
        ),
        (
            b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            E::AmbiguousLength,
        ),
        (
            b"Content-Length: 5\r\nContent-Length: 5\r\n",
            E::ContentLength,
        ),
        (b"Content-Length: 5, 5\r\n", E::ContentLength),
        (b"Content-Length: +5\r\n", E::ContentLength),
        (b"Content-Length: -5\r\n", E::ContentLength),
        (b"Content-Length: 0x5\r\n", E::ContentLength),
        (b"Content-Length: \r\n", E::ContentLength),
        (b"Content-Length: 5 5\r\n", E::ContentLength),
        (
            b"Content-Length: 99999999999999999999\r\n",
            E::ContentLength,
        ),
        (b"Transfer-Encoding: gzip\r\n", E::TransferCoding),
        (b"Transfer-Encoding: gzip, chunked\r\n", E::TransferCoding),
        (
            b"Transfer-Encoding: chunked, chunked\r\n",
            E::TransferCoding,
        ),
        (b"Transfer-Encoding: identity\r\n", E::TransferCoding),
        (b"Transfer-Encoding: \r\n", E::TransferCoding),
        (b"Transfer-Encoding: xchunked\r\n", E::TransferCoding),
        (b"Transfer-Encoding: \"chunked\"\r\n", E::TransferCoding),
        (
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            E::TransferCoding,
        ),
        (b"Transfer-Encoding : chunked\r\n", E::FieldName),
        (b"Transfer-Encoding\t: chunked\r\n", E::FieldName),
        (b"Content-Length : 5\r\n", E::FieldName),
        (b" Content-Length: 5\r\n", E::Folded),
        (b"X: a\r\n folded\r\n", E::Folded),
        (b"X: a\r\n\tfolded\r\n", E::Folded),
        (b"X: a\nContent-Length: 5\r\n", E::BareLineFeed),
        (b"X: a\rContent-Length: 5\r\n", E::FieldValue),
        (b"X: a\0b\r\n", E::FieldValue),
        (b"X: a\x7f\r\n", E::FieldValue),
        (b"Bad Header: 1\r\n", E::FieldName),
        (b": empty\r\n", E::FieldName),
        (b"no-colon\r\n", E::FieldName),
        (b"Host: b\r\n", E::Host),
    ];
    for (fields, error) in cases {
        let bytes = [b"POST / HTTP/1.1\r\nHost: a\r\n", *fields, b"\r\n"].concat();
        assert_eq!(
            refused(&bytes),
            *error,
            "{:?}",
            String::from_utf8_lossy(fields)
        );
    }
}

#[test]
fn a_field_whose_name_has_odd_characters_is_left_out() {
    for line in [
        "X\u{e9}: 1\r\n",
        "X(1): 1\r\n",
        "Content-Length\u{a0}: 5\r\n",
    ] {
        let bytes = format!("GET / HTTP/1.1\r\nHost: a\r\n{line}X-B: 2\r\n\r\n").into_bytes();
        let head = head(&bytes);
        assert_eq!(head.fields.index.headers.len(), 2, "{line}");
        assert_eq!(head.framing, Framing::None);
    }
}

#[test]
fn malformed_first_lines_are_refused() {
    use HeadError as E;
    let cases: &[(&[u8], HeadError)] = &[
        (b"GET / HTTP/1.1\nHost: a\n\n", E::BareLineFeed),
        (b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", E::BareLineFeed),
        (b"GET /\r\n", E::FirstLine),
        (b"GET\r\n", E::FirstLine),
        (b"get / HTTP/1.1\r\n", E::FirstLine),
        (b"G@T / HTTP/1.1\r\n", E::FirstLine),
        (b" GET / HTTP/1.1\r\n", E::FirstLine),
        (b"GET / HTTP/0.9\r\n", E::Version),
        (b"GET / HTTP/2.0\r\n", E::Version),
        (b"GET / HTTP/11\r\n", E::FirstLine),
        (b"GET / HTTP/1.1 x\r\n", E::FirstLine),
        (b"GET / http/1.1\r\n", E::FirstLine),
        (b"GET  / HTTP/1.1\r\n", E::FirstLine),
        (b"GET /a b HTTP/1.1\r\n", E::FirstLine),
        (b"GET /\0 HTTP/1.1\r\n", E::Target),
        (b"GET * HTTP/1.1\r\n", E::Target),
        (b"GET ftp://a/ HTTP/1.1\r\n", E::Target),
        (b"GET http:///y HTTP/1.1\r\n", E::Host),
        (b"CONNECT a.test:443 HTTP/1.1\r\n", E::Target),
        (b"TRACE / HTTP/1.1\r\n", E::Method),
        (b"GET / HTTP/1.1\r\n\r\n", E::Host),
        (b"GET / HTTP/1.1\r\nHost:\r\n", E::Host),
        (b"GET / HTTP/1.1\r\nHost: a/b\r\n", E::Host),
        (b"GET / HTTP/1.1\r\nHost: a..b\r\n", E::Host),
        (
            b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            E::AmbiguousLength,
        ),
        (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
            E::FirstLine,
        ),
    ];
    for (bytes, error) in cases {
        assert_eq!(
            refused(bytes),
            *error,
            "{:?}",
            String::from_utf8_lossy(bytes)
        );
    }
}

#[test]
fn limits_of_lines_and_heads_hold() {
    let line = [b"GET /", "a".repeat(9000).as_bytes()].concat();
    assert_eq!(refused(&line), HeadError::LineTooLong);
    let field = [b"GET / HTTP/1.1\r\nX: ", "a".repeat(9000).as_bytes()].concat();
    assert_eq!(refused(&field), HeadError::FieldsTooLong);
    let many = [
        b"GET / HTTP/1.1\r\n".to_vec(),
        b"X: aaaaaaaa\r\n".repeat(600),
    ]
    .concat();
    assert_eq!(refused(&many), HeadError::FieldsTooLong);
    let large = [
        b"GET / HTTP/1.1\r\n".to_vec(),
        format!("X: {}\r\n", "a".repeat(4000))
            .repeat(9)
            .into_bytes(),
    ]
    .concat();
    assert_eq!(refused(&large), HeadError::FieldsTooLong);
}

#[test]
fn responses_are_read_and_framed() {
    let cases: &[(&[u8], bool, u16, Framing)] = &[
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
            false,
            200,
            Framing::Length(3),
        ),
        (
            b"HTTP/1.1 200\r\nContent-Length: 3\r\n\r\n",
            true,
            200,
            Framing::None,
        ),
        (
            b"HTTP/1.1 204 No Content\r\n\r\n",
            false,
            204,
            Framing::None,
        ),
        (
            b"HTTP/1.1 304 \r\nContent-Length: 3\r\n\r\n",
            false,
            304,
            Framing::None,
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\n", false, 100, Framing::None),
        (b"HTTP/1.0 200 OK\r\n\r\n", false, 200, Framing::Close),
        (
            b"HTTP/1.1 299 Odd \xe9\r\nTransfer-Encoding: Chunked\r\n\r\n",
            false,
            299,
            Framing::Chunked,
        ),
    ];
    for (bytes, is_head, status, framing) in cases {
        let mut head = ResponseHead::default();
        assert_eq!(head.advance(bytes, 1 << 15, *is_head), Ok(true));
        assert_eq!(
            (head.status(), head.framing, head.len),
            (*status, *framing, bytes.len())
        );
    }
}

#[test]
fn malformed_responses_are_refused() {
    let cases: &[&[u8]] = &[
        b"HTTP/1.1 200 OK\nContent-Length: 3\n\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA b: 3\r\n\r\n",
    ];
    for bytes in cases {
        let mut head = ResponseHead::default();
        assert!(
            head.advance(bytes, 1 << 15, false).is_err(),
            "{:?}",
            String::from_utf8_lossy(bytes)
        );
    }
}

#[test]
fn chunked_bodies_are_decoded_in_place() {
    let bytes = b"5;ext=1\r\nhello\r\n3\r\nabc\r\n0\r\nX-T: 1\r\nContent-Length: 9\r\n\r\nGET";
    let mut decoder = BodyDecoder::new(Framing::Chunked);
    let mut piece = bytes.to_vec();
    let progress = decoder.decode(&mut piece).expect("a good body");
    assert_eq!(&piece[..progress.payload], b"helloabc");
    assert_eq!(&bytes[progress.consumed..], b"GET");
    assert!(progress.is_done);
    assert_eq!(decoder.trailers(), b"X-T: 1\r\n");
}

#[test]
fn malformed_chunks_are_refused() {
    let cases: &[&[u8]] = &[
        b"zz\r\n",
        b"\r\n",
        b";x\r\n",
        b"-1\r\n",
        b"+1\r\n",
        b"0x1\r\n",
        b" 1\r\n",
        b"1\nA",
        b"1\r\rA",
        b"1\r\nAB",
        b"1\r\nA\n",
        b"fffffffffffffffff\r\n",
        b"0\r\nbad trailer\r\n",
        b"0\r\nX: 1\n",
        b"0\r\n X: 1\r\n",
        b"1;a\0\r\n",
        b"1;a\nb\r\n",
    ];
    for bytes in cases {
        assert!(
            decode_all(Framing::Chunked, bytes, &[]).is_err(),
            "{:?}",
            String::from_utf8_lossy(bytes)
        );
    }
    let extension = [b"1;", "e".repeat(5000).as_bytes()].concat();
    assert_eq!(
        decode_all(Framing::Chunked, &extension, &[]),
        Err(BodyError::ExtensionsTooLong)
    );
    let trailer = [b"0\r\nX: ", "e".repeat(9000).as_bytes()].concat();
    assert_eq!(
        decode_all(Framing::Chunked, &trailer, &[]),
        Err(BodyError::Trailer)
    );
}

#[test]
fn a_body_that_ends_early_is_told() {
    let mut length = BodyDecoder::new(Framing::Length(5));
    length.decode(&mut b"abc".to_vec()).expect("a good body");
    assert_eq!(length.end(), Err(BodyError::Truncated));
    assert_eq!(
        BodyDecoder::new(Framing::Chunked).end(),
        Err(BodyError::Truncated)
    );
    assert_eq!(BodyDecoder::new(Framing::Close).end(), Ok(()));
}

#[test]
fn chunk_headers_are_hexadecimal() {
    let mut out = [0; 18];
    assert_eq!(chunk_header(0, &mut out), b"0\r\n");
    assert_eq!(chunk_header(0x1a0f, &mut out), b"1a0f\r\n");
}

fn sample() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just("Host: a.test\r\n"),
        Just("Content-Length: 7\r\n"),
        Just("Transfer-Encoding: chunked\r\n"),
        Just("Connection: close, x\r\n"),
        Just("X: y\r\n"),
        Just("X:y\n"),
        Just(" z\r\n"),
        Just("Bad : 1\r\n"),
        Just("Expect: 100-continue\r\n"),
        Just("host: b.test:80\r\n"),
        Just("X-Long-Name-Of-A-Field:   a value with\ttabs and spaces \t\r\n"),
        Just("Accept: */*\r\n"),
        Just("Empty:\r\n"),
        Just("Spaces: \r\n"),
        Just("Odd(name): 1\r\n"),
        Just("\r\n"),
    ];
    let first = prop_oneof![
        Just("GET / HTTP/1.1\r\n"),
        Just("POST /a?b HTTP/1.0\r\n"),
        Just("GET http://h/ HTTP/1.1\r\n"),
        Just("X\r\n"),
        Just("GET /a/long/path?with=a&query=and?more HTTP/1.1\r\n"),
        Just("GET /a?b#c HTTP/1.1\r\n"),
        Just("GET /a#c?d HTTP/1.1\r\n"),
        Just("GET /a\tb HTTP/1.1\r\n"),
        Just("GET  / HTTP/1.1\r\n"),
        Just("TRACE / HTTP/1.1\r\n"),
        Just("HTTP/1.1 200 OK\r\n"),
        Just("HTTP/1.1 099 OK\r\n"),
        Just("HTTP/1.1 304 \r\n"),
        Just("HTTP/1.1 404\r\n"),
        Just("HTTP/1.0 200 Very well\r\n"),
    ];
    (
        first,
        proptest::collection::vec(line, 0..8),
        proptest::collection::vec(any::<u8>(), 0..6),
    )
        .prop_map(|(first, lines, tail)| {
            [first.as_bytes(), lines.concat().as_bytes(), b"\r\n", &tail].concat()
        })
}

proptest! {
    #[test]
    fn any_split_of_a_head_gives_the_same_result(bytes in sample(), cuts in proptest::collection::vec(0_usize..200, 0..6)) {
        let whole = parse(&bytes);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (bytes.len() + 1)).collect();
        cuts.sort_unstable();
        cuts.push(bytes.len());
        let mut parts = RequestHead::default();
        let mut result = Ok(false);
        for cut in cuts {
            result = parts.advance(&bytes[..cut], &HeadLimits::default());
            if result != Ok(false) {
                break;
            }
        }
        match (whole, result) {
            (Ok(Some(head)), Ok(true)) => {
                prop_assert_eq!(head.len, parts.len);
                prop_assert_eq!(head.framing, parts.framing);
                prop_assert_eq!(head.fields.index.headers, parts.fields.index.headers);
                prop_assert_eq!(head.fields.kinds, parts.fields.kinds);
                prop_assert_eq!(head.host, parts.host);
            }
            (Err(whole), Err(parts)) => prop_assert_eq!(whole, parts),
            (Ok(None), Ok(false)) => {}
            (whole, parts) => prop_assert!(false, "{:?} against {:?}", whole, parts),
        }
    }

    #[test]
    fn quick_and_careful_readers_agree(bytes in sample(), at in 0_usize..200, byte in any::<u8>()) {
        let mut damaged = bytes.clone();
        if let Some(place) = damaged.get_mut(at) {
            *place = byte;
        }
        for bytes in [bytes, damaged] {
            let limits = HeadLimits { line: 60, head: 160 };
            let (mut quick, mut careful) = (RequestHead::default(), RequestHead::default());
            let results = (quick.advance(&bytes, &limits), careful.advance_carefully(&bytes, &limits));
            prop_assert_eq!(results.0, results.1);
            prop_assert_eq!(format!("{quick:?}"), format!("{careful:?}"));
            let (mut quick, mut careful) = (ResponseHead::default(), ResponseHead::default());
            let results = (quick.advance(&bytes, 160, false), careful.advance_carefully(&bytes, 160, false));
            prop_assert_eq!(results.0, results.1);
            quick.usual_line = 0;
            prop_assert_eq!(format!("{quick:?}"), format!("{careful:?}"));
        }
    }

    #[test]
    fn no_bytes_make_the_codec_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes);
        let _ = ResponseHead::default().advance(&bytes, 1 << 15, false);
        let _ = decode_all(Framing::Chunked, &bytes, &[]);
    }

    #[test]
    fn any_split_of_a_chunked_body_gives_the_same_payload(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..6),
        cuts in proptest::collection::vec(0_usize..400, 0..8),
        damage in proptest::option::of((0_usize..400, any::<u8>())),
    ) {
        let mut bytes = Vec::new();
        for chunk in &chunks {
            bytes.extend_from_slice(chunk_header(chunk.len(), &mut [0; 18]));
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\nT: v\r\n\r\nrest");
        if let Some((at, byte)) = damage {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (bytes.len() + 1)).collect();
        cuts.sort_unstable();
        let whole = decode_all(Framing::Chunked, &bytes, &[]);
        prop_assert_eq!(&whole, &decode_all(Framing::Chunked, &bytes, &cuts));
        if damage.is_none() {
            prop_assert_eq!(whole, Ok((chunks.concat(), bytes.len() - 4, true)));
        }
    }
}
