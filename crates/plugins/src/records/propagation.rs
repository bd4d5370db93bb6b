//! Which trace headers are read, removed and written.

use schema::{Field, Schema};

/// Headers that may be read.
const EXTRACT: [&str; 7] = ["jaeger", "ot", "datadog", "aws", "gcp", "w3c", "b3"];

/// Headers that may be written; `preserve` means those that came.
const INJECT: [&str; 9] = [
    "preserve",
    "b3-single",
    "jaeger",
    "ot",
    "datadog",
    "aws",
    "gcp",
    "w3c",
    "b3",
];

/// The members of a `propagation` record.
pub(crate) fn propagation() -> Schema {
    Schema::record([
        Field::array("extract", Field::string("").one_of(EXTRACT))
            .describe("Headers the trace is read from; the first found counts."),
        Field::array("clear", Field::header_name(""))
            .describe("Headers removed after reading, unless they are written again."),
        Field::array("inject", Field::string("").one_of(INJECT))
            .describe("Headers the trace is written to."),
        Field::string("default_format")
            .required()
            .one_of(INJECT.into_iter().skip(1))
            .describe("What is written when nothing was read."),
    ])
}

/// Which trace headers are read and written, from before the `propagation` record. Compat: the
/// order of the formats differs between plugins.
pub(crate) fn old_header_type(formats: [&'static str; 8], message: &'static str) -> Field {
    Field::string("header_type")
        .one_of(["preserve", "ignore"].into_iter().chain(formats))
        .default("preserve")
        .going_from(message, "preserve")
        .describe("Old way to say which trace headers are read and written.")
}
