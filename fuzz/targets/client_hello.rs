//! The first message of a TLS client: whole or in pieces, and the same name as who ends TLS finds.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| gateway::fuzzing::client_hello(bytes));
