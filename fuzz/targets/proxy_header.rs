//! Headers of the PROXY protocol: complete at one place, whatever follows.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| gateway::fuzzing::proxy_header(bytes));
