//! Bodies in chunks: any pieces give the same payload, and it can be sent on in other chunks.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| gateway::fuzzing::chunked(bytes));
