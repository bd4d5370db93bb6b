//! Lua code that runs in the phases of a request.

use schema::{Check, Field, Schema};

use super::changes::list;

/// The whole configuration of a plugin that runs functions.
pub(crate) fn functions(name: &'static str) -> Schema {
    let phase = |name, description| list(name, Field::string("").optional(), description);
    Schema::new(name)
        .fields([
            phase("certificate", "Code to run during the TLS handshake."),
            phase("rewrite", "Code to run before routing."),
            phase("access", "Code to run after routing."),
            phase("header_filter", "Code to run on the head of the answer."),
            phase(
                "body_filter",
                "Code to run on each piece of the answer's body.",
            ),
            phase("log", "Code to run after the answer is out."),
        ])
        .outer_check(Check::AtLeastOneOf(vec![
            "config.certificate",
            "config.rewrite",
            "config.access",
            "config.header_filter",
            "config.body_filter",
            "config.log",
        ]))
}
