//! Frames of the hybrid protocol, from either side.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = wire::v1::decode_reconfigure(bytes, 1 << 20);
    let _ = wire::inflate(bytes, 1 << 20);
    let _ = wire::parse_json(bytes);
    let _ = wire::telemetry::Batch::decode(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = wire::Version::parse(text);
    }
});
