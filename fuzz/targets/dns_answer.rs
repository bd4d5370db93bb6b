//! Answers of name servers, as far as they are ours to read.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| gateway::fuzzing::dns_answer(bytes));
