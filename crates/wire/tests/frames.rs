//! Frames of both directions: read back, odd forms, damage, limits.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot do without ends the test"
)]

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use gatehouse_wire::downgrade::Rewriter;
use gatehouse_wire::hash::config_hash;
use gatehouse_wire::telemetry::{Acknowledge, Batch, Latencies, Record, Source};
use gatehouse_wire::v1::{
    BasicInfo, ErrorReport, NodeFrame, PlaneFrame, PluginVersion, decode_node_frame,
    decode_reconfigure, encode_node_frame, encode_reconfigure,
};
use gatehouse_wire::v2::Hello;
use gatehouse_wire::{PackedTable, Version, WireError};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use uuid::Uuid;

const MAX: usize = 1 << 20;

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn pushed(message: &Value) -> Result<PlaneFrame, WireError> {
    decode_reconfigure(&gzip(message.to_string().as_bytes()), MAX)
}

#[test]
fn pushed_configuration_reads_back() {
    let table = json!({"_format_version": "3.0", "services": [{"name": "s", "port": 80}]});
    let packed = PackedTable::of(&table);
    let hashes = config_hash(&table);
    let mut rewriter = Rewriter::new(Version::new(3, 10, 0), false);
    let frame = encode_reconfigure(&packed, &hashes, 1_767_225_600_123, &mut rewriter).unwrap();
    let PlaneFrame::Reconfigure(read) = decode_reconfigure(&frame, MAX).unwrap() else {
        panic!("not a configuration");
    };
    assert_eq!(read.config_table, table);
    assert_eq!(read.config_hash, hashes.config);
    assert_eq!(read.hashes, Some(hashes));
    assert_eq!(read.timestamp, Some(1_767_225_600.123));
}

#[test]
fn zlib_is_read_and_raw_deflate_refused() {
    let text = json!({"type": "reconfigure", "config_table": {}}).to_string();
    assert!(decode_reconfigure(&zlib(text.as_bytes()), MAX).is_ok());
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
    raw.write_all(text.as_bytes()).unwrap();
    let raw = raw.finish().unwrap();
    assert_eq!(decode_reconfigure(&raw, MAX), Err(WireError::NotCompressed));
}

#[test]
fn missing_or_odd_hash_is_computed_and_any_32_characters_are_kept() {
    let table = json!({"services": [{"name": "s"}]});
    let computed = config_hash(&table).config;
    for (sent, expected) in [
        (json!(null), computed.as_str()),
        (json!("short"), computed.as_str()),
        (json!("has a space in it, 32 characters"), computed.as_str()),
        (
            json!("ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ"),
            "ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ",
        ),
    ] {
        let message = json!({"type": "reconfigure", "config_table": table, "config_hash": sent});
        let PlaneFrame::Reconfigure(read) = pushed(&message).unwrap() else {
            panic!("not a configuration");
        };
        assert_eq!(read.config_hash, expected, "{sent}");
    }
}

#[test]
fn absent_sections_of_sent_hashes_are_zeros() {
    let message = json!({"type": "reconfigure", "config_table": {}, "hashes": {"routes": "a"}});
    let PlaneFrame::Reconfigure(read) = pushed(&message).unwrap() else {
        panic!("not a configuration");
    };
    let hashes = read.hashes.unwrap();
    assert_eq!(
        (hashes.routes.as_str(), hashes.plugins.as_str()),
        ("a", gatehouse_wire::EMPTY_HASH)
    );
}

#[test]
fn unknown_types_are_told_apart_from_damage() {
    for message in [json!({"type": "nope"}), json!({}), json!({"type": 3})] {
        assert!(
            matches!(pushed(&message), Ok(PlaneFrame::Other { .. })),
            "{message}"
        );
    }
    for message in [json!([]), json!(1), json!({"type": "reconfigure"})] {
        assert!(
            matches!(pushed(&message), Err(WireError::Malformed(_))),
            "{message}"
        );
    }
    assert!(matches!(
        decode_reconfigure(&gzip(b"not json"), MAX),
        Err(WireError::Json(_))
    ));
    assert_eq!(
        decode_reconfigure(&[0, 1, 2], MAX),
        Err(WireError::NotCompressed)
    );
    assert_eq!(decode_reconfigure(&[], MAX), Err(WireError::NotCompressed));
}

#[test]
fn truncated_frame_is_refused_at_every_length() {
    let whole = gzip(
        json!({"type": "reconfigure", "config_table": {"a": "b"}})
            .to_string()
            .as_bytes(),
    );
    for length in 0..whole.len() {
        assert!(
            decode_reconfigure(&whole[..length], MAX).is_err(),
            "{length}"
        );
    }
}

#[test]
fn small_frame_that_inflates_to_much_is_refused() {
    let bomb = gzip(&vec![b' '; 8 * MAX]);
    assert!(bomb.len() < 16 * 1024);
    let refused = decode_reconfigure(&bomb, MAX);
    assert_eq!(refused, Err(WireError::TooLarge { limit: MAX }));
    let exact = gzip(&vec![b' '; MAX]);
    assert!(matches!(
        decode_reconfigure(&exact, MAX),
        Err(WireError::Json(_))
    ));
}

#[test]
fn basic_info_reads_back() {
    let info = BasicInfo {
        plugins: vec![
            PluginVersion {
                name: "acl".into(),
                version: Some("3.9.1".into()),
            },
            PluginVersion {
                name: "mine".into(),
                version: None,
            },
        ],
        process_conf: Map::from_iter([("role".to_owned(), json!("data_plane"))]),
        labels: BTreeMap::from([("team".into(), "edge".into())]),
        filters: Map::new(),
    };
    let frame = NodeFrame::BasicInfo(Box::new(info));
    let bytes = encode_node_frame(&frame).unwrap();
    let text: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(text["type"], "basic_info");
    assert_eq!(text["plugins"][1], json!({"name": "mine", "version": null}));
    assert_eq!(decode_node_frame(&bytes).unwrap(), frame);
}

#[test]
fn basic_info_of_the_reference_is_read_leniently() {
    let bytes = json!({
        "type": "basic_info", "plugins": {}, "labels": [], "filters": [], "future": 1
    })
    .to_string();
    let NodeFrame::BasicInfo(info) = decode_node_frame(bytes.as_bytes()).unwrap() else {
        panic!("not basic_info");
    };
    assert_eq!(*info, BasicInfo::default());
    for bad in [
        json!({"type": "basic_info"}),
        json!({"type": "basic_info", "plugins": "x"}),
        json!({"plugins": []}),
        json!([]),
    ] {
        assert!(
            decode_node_frame(bad.to_string().as_bytes()).is_err(),
            "{bad}"
        );
    }
}

#[test]
fn error_report_reads_back_and_has_defaults() {
    let report = ErrorReport {
        name: ErrorReport::PARSE_FAILURE.into(),
        source: "declarative".into(),
        message: "in 'services': …".into(),
        config_hash: "4189813980db50dc45d3289032e4a647".into(),
        code: Some(14),
        fields: Some(json!({"services": [{"host": "required field missing"}]})),
        flattened_errors: vec![json!({"entity_type": "service"})],
    };
    let frame = NodeFrame::Error(Box::new(report));
    let bytes = encode_node_frame(&frame).unwrap();
    assert_eq!(decode_node_frame(&bytes).unwrap(), frame);

    let NodeFrame::Error(bare) = decode_node_frame(br#"{"type":"error","error":{}}"#).unwrap()
    else {
        panic!("not an error");
    };
    assert_eq!(bare.message, "an unexpected error occurred");
    assert_eq!(bare.config_hash, gatehouse_wire::EMPTY_HASH);
}

#[test]
fn hello_is_answered_without_capabilities() {
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "kong.meta.v1.hello", "params": [{
            "rpc_capabilities": ["kong.sync.v2"], "rpc_frame_encodings": ["x-snappy-framed"],
            "kong_version": "3.10.0", "kong_hostname": "edge-1",
            "kong_node_id": "4cf1c6a0-7d0e-4b61-9b9c-2f4f2b1d9c11",
            "kong_conf": {"cluster_dp_labels": ["team:edge"]},
        }]
    });
    let hello = Hello::decode(call.to_string().as_bytes()).unwrap();
    assert_eq!(hello.capabilities, ["kong.sync.v2"]);
    let reply: Value = serde_json::from_slice(&hello.reply().encode().unwrap()).unwrap();
    let expected = json!({"jsonrpc": "2.0", "id": 1, "result": {
        "rpc_capabilities": [], "rpc_frame_encoding": "x-snappy-framed"
    }});
    assert_eq!(reply, expected);
    for pointer in ["/params/0/kong_conf", "/params/0/kong_version", "/method"] {
        let mut broken = call.clone();
        *broken.pointer_mut(pointer).unwrap() = json!(1);
        assert!(
            Hello::decode(broken.to_string().as_bytes()).is_err(),
            "{pointer}"
        );
    }
}

#[test]
fn telemetry_reads_back() {
    let record = Record {
        started_at_ms: 1_767_225_600_123,
        request_id: "0123456789abcdef0123456789abcdef".into(),
        method: "GET".into(),
        host: "shop.test".into(),
        path: Some("/orders".into()),
        status: 502,
        upstream_status: None,
        service: Some(Uuid::from_u128(1)),
        route: Some(Uuid::from_u128(2)),
        consumer: None,
        latencies: Latencies {
            total_us: 900,
            upstream_us: 700,
            gateway_us: 200,
        },
        request_bytes: 120,
        response_bytes: 340,
        client_ip: Some("192.0.2.1".parse().unwrap()),
        target: Some("10.0.0.1:80".into()),
        source: Source::Gateway,
    };
    let batch = Batch {
        node_id: Uuid::from_u128(3),
        stream: u64::MAX,
        sequence: 7,
        dropped: 2,
        records: vec![record],
    };
    assert_eq!(Batch::decode(&batch.encode().unwrap()).unwrap(), batch);
    let acknowledge = Acknowledge {
        stream: u64::MAX,
        sequence: 7,
    };
    assert_eq!(
        Acknowledge::decode(&acknowledge.encode()).unwrap(),
        acknowledge
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let _ = decode_reconfigure(&bytes, MAX);
        let _ = decode_reconfigure(&gzip(&bytes), MAX);
        let _ = decode_node_frame(&bytes);
        let _ = Hello::decode(&bytes);
        let _ = Batch::decode(&gzip(&bytes));
        let _ = Acknowledge::decode(&bytes);
        let _ = Version::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn damaged_gzip_never_panics(at in 0_usize..200, to in any::<u8>()) {
        let text = json!({"type": "reconfigure", "config_table": {"a": ["b", 1, null]}});
        let mut frame = gzip(text.to_string().as_bytes());
        let at = at % frame.len();
        frame[at] = to;
        let _ = decode_reconfigure(&frame, MAX);
    }
}
