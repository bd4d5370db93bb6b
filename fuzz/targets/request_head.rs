//! Request heads of HTTP/1.1: quick and careful readers agree, pieces give what the whole gives, what
//! was read reads back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| gateway::fuzzing::request_head(bytes));
