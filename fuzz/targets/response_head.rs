//! Heads of answers: the same properties as of request heads.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| gateway::fuzzing::response_head(bytes));
