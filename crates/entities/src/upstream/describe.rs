//! The description of upstreams.

use schema::{
    Check, Condition, CustomCheck, Failure, Field, FieldKind, Map, Pattern, Schema, validators,
};
use serde_json::{Value, json};

use super::meanings::MEANINGS;

/// What can be hashed.
const INPUTS: [&str; 8] = [
    "none",
    "consumer",
    "ip",
    "header",
    "cookie",
    "path",
    "query_arg",
    "uri_capture",
];

/// Ways to probe.
const TYPES: [&str; 5] = ["tcp", "http", "https", "grpc", "grpcs"];

/// Statuses of real traffic that count as success.
pub(super) const PASSIVE_HEALTHY: [u16; 19] = [
    200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308,
];

pub(super) fn schema() -> Schema {
    let schema = Schema::new("upstreams")
        .field(Field::id())
        .field(Field::created_at())
        .field(
            Field::string("name")
                .required()
                .unique()
                .custom("hostname_no_port", validators::hostname_no_port),
        )
        .field(Field::updated_at())
        .field(Field::string("algorithm").default("round-robin").one_of_or(
            [
                "consistent-hashing",
                "least-connections",
                "round-robin",
                "latency",
            ],
            [STICKY],
        ))
        .field(Field::string("hash_on").default("none").one_of(INPUTS))
        .field(
            Field::string("hash_fallback")
                .default("none")
                .one_of(INPUTS),
        )
        .field(Field::header_name("hash_on_header"))
        .field(Field::header_name("hash_fallback_header"))
        .field(Field::string("hash_on_cookie").custom("cookie_name", validators::cookie_name))
        .field(Field::path("hash_on_cookie_path").default("/"))
        .field(Field::string("hash_on_query_arg").len_min(1))
        .field(Field::string("hash_fallback_query_arg").len_min(1))
        .field(Field::string("hash_on_uri_capture").len_min(1))
        .field(Field::string("hash_fallback_uri_capture").len_min(1))
        .field(Field::integer("slots").default(10000).between(10, 65536))
        .field(healthchecks())
        .field(Field::tags())
        .field(Field::string("host_header").custom(
            "host_with_optional_port",
            validators::host_with_optional_port,
        ))
        .field(Field::foreign("client_certificate", "certificates"))
        .field(Field::boolean("use_srv_name").default(false))
        .field(
            Field::string("sticky_sessions_cookie")
                .custom("cookie_name", validators::cookie_name)
                .extension(),
        )
        .field(Field::path("sticky_sessions_cookie_path").extension())
        .check(STICKY_CHECK);
    hash_checks(schema).describe(&MEANINGS)
}

/// The algorithm that the reference's open-source line lacks.
const STICKY: &str = "sticky-sessions";

/// Compat: sticky sessions need the name of their cookie.
const STICKY_CHECK: Check = Check::Custom(CustomCheck {
    name: "sticky sessions",
    fields: &["algorithm", "sticky_sessions_cookie"],
    published: &[],
    run_with_missing_fields: true,
    run_with_invalid_fields: false,
    run: |body: &Map| {
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        if text("algorithm") != Some(STICKY) || text("sticky_sessions_cookie").is_some() {
            return Ok(());
        }
        Err(Failure {
            entity: vec!["failed conditional validation given value of field 'algorithm'".into()],
            fields: vec![(
                "sticky_sessions_cookie".into(),
                "required field missing".into(),
            )],
        })
    },
});

/// Every input needs its companion, allows some fallbacks, and differs from its fallback.
fn hash_checks(mut schema: Schema) -> Schema {
    let inputs_after = |list: &[&'static str]| [&["none"], list].concat();
    let others = ["header", "cookie", "path", "query_arg", "uri_capture"];
    let after_consumer = inputs_after(&[&["ip"][..], &others].concat());
    let after_ip = inputs_after(&[&["consumer"][..], &others].concat());
    let after_path = inputs_after(&[
        "consumer",
        "header",
        "cookie",
        "query_arg",
        "ip",
        "uri_capture",
    ]);
    let checks = [
        needs("hash_on", "^header$", "hash_on_header"),
        needs("hash_fallback", "^header$", "hash_fallback_header"),
        needs("hash_on", "^cookie$", "hash_on_cookie"),
        needs("hash_fallback", "^cookie$", "hash_on_cookie"),
        allows("^none$", vec!["none"]),
        allows("^cookie$", vec!["none"]),
        allows("^consumer$", after_consumer),
        allows("^ip$", after_ip),
        allows("^path$", after_path),
        Check::Distinct(vec!["hash_on_header", "hash_fallback_header"]),
        needs("hash_on", "^query_arg$", "hash_on_query_arg"),
        needs("hash_fallback", "^query_arg$", "hash_fallback_query_arg"),
        Check::Distinct(vec!["hash_on_query_arg", "hash_fallback_query_arg"]),
        needs("hash_on", "^uri_capture$", "hash_on_uri_capture"),
        needs(
            "hash_fallback",
            "^uri_capture$",
            "hash_fallback_uri_capture",
        ),
        Check::Distinct(vec!["hash_on_uri_capture", "hash_fallback_uri_capture"]),
    ];
    schema.checks.extend(checks);
    schema
}

fn needs(guard: &'static str, value: &'static str, field: &'static str) -> Check {
    let equals = Condition::matches(Pattern::new(value, value));
    Check::conditional(guard, equals, field, Condition::required())
}

fn allows(value: &'static str, fallbacks: Vec<&'static str>) -> Check {
    let equals = Condition::matches(Pattern::new(value, value));
    Check::conditional(
        "hash_on",
        equals,
        "hash_fallback",
        Condition::one_of(fallbacks),
    )
}

fn healthchecks() -> Field {
    let checks = Schema::record([active(), passive()]);
    let mut field = Field::record("healthchecks", checks)
        .required()
        .with_members_default();
    // Compat: the published default of the whole does not name the threshold.
    if let FieldKind::Record(schema) = &mut field.kind {
        schema
            .fields
            .push(Field::number("threshold").default(0).between(0, 100));
    }
    field
}

fn active() -> Field {
    let healthy = Schema::record([
        statuses(json!([200, 302])),
        counter("successes"),
        Field::number("interval").default(0).between(0, 65535),
    ]);
    let unhealthy = Schema::record([
        counter("timeouts"),
        Field::number("interval").default(0).between(0, 65535),
        statuses(json!([429, 404, 500, 501, 502, 503, 504, 505])),
        counter("http_failures"),
        counter("tcp_failures"),
    ]);
    let headers = Field::map(
        "headers",
        Field::header_name(""),
        Field::array("", Field::string("")),
    );
    let fields = [
        Field::string("type").default("http").one_of(TYPES),
        Field::number("timeout").default(1).between(0, 65535),
        Field::integer("concurrency")
            .default(10)
            .between(1, 2_147_483_648_u32),
        Field::path("http_path").default("/"),
        Field::sni("https_sni").optional(),
        Field::boolean("https_verify_certificate")
            .required()
            .default(true),
        Field::record("healthy", healthy)
            .required()
            .with_members_default(),
        Field::record("unhealthy", unhealthy)
            .required()
            .with_members_default(),
        headers.optional(),
    ];
    Field::record("active", Schema::record(fields))
        .required()
        .with_members_default()
}

fn passive() -> Field {
    let healthy = Schema::record([
        counter("successes"),
        statuses(Value::from(PASSIVE_HEALTHY.to_vec())),
    ]);
    let unhealthy = Schema::record([
        counter("timeouts"),
        statuses(json!([429, 500, 503])),
        counter("http_failures"),
        counter("tcp_failures"),
    ]);
    let fields = [
        Field::record("healthy", healthy)
            .required()
            .with_members_default(),
        Field::string("type").default("http").one_of(TYPES),
        Field::record("unhealthy", unhealthy)
            .required()
            .with_members_default(),
    ];
    Field::record("passive", Schema::record(fields))
        .required()
        .with_members_default()
}

fn counter(name: &'static str) -> Field {
    Field::integer(name).default(0).between(0, 255)
}

fn statuses(default: Value) -> Field {
    Field::array("http_statuses", Field::integer("").between(100, 999)).default(default)
}
