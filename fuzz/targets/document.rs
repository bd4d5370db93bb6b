//! Declarative files: any bytes give a document or an error with a place, never a panic, and
//! within the limits.
#![no_main]

use declarative::{Document, Format, Limits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for format in [Format::Yaml, Format::Json, Format::Auto] {
        if let Ok(document) = Document::parse(bytes, format, Limits::default()) {
            let _ = document.value();
        }
    }
});
