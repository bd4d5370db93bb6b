//! The same texts are taken and refused as by the reference's matcher, with the same messages.

use atc_router::{ast::Type, router::Router, schema::Schema};
use gatehouse_expressions::{Expression, Subsystem};
use proptest::{
    prelude::{ProptestConfig, Strategy, any, proptest},
    prop_assert_eq,
    sample::select,
};
use uuid::Uuid;

fn schema() -> Schema {
    let mut schema = Schema::default();
    for name in [
        "net.protocol",
        "tls.sni",
        "http.method",
        "http.host",
        "http.path",
        "http.path.segments.*",
        "http.headers.*",
        "http.queries.*",
    ] {
        schema.add_field(name, Type::String);
    }
    for name in ["net.src.port", "net.dst.port", "http.path.segments.len"] {
        schema.add_field(name, Type::Int);
    }
    for name in ["net.src.ip", "net.dst.ip"] {
        schema.add_field(name, Type::IpAddr);
    }
    schema
}

fn oracle(text: &str) -> Result<(), String> {
    let schema = schema();
    Router::new(&schema).add_matcher(0, Uuid::nil(), text)
}

fn ours(text: &str) -> Result<(), String> {
    Expression::parse(text, Subsystem::Http)
        .map(drop)
        .map_err(|error| error.to_string())
}

#[test]
fn messages_are_those_of_the_reference() {
    let mut differ = Vec::new();
    for text in [
        "",
        "  ",
        "! a == 1",
        "a == 1 || ! b == 2",
        "http.path",
        "http.path ==",
        "http.path == \"a\" http.host",
        "http.path == \"a\" &&",
        "(http.path == \"a\"",
        "http.path == \"a\")",
        "http.path == \"a",
        "http.path == 'a'",
        "http.path & \"a\"",
        "http.foo == \"a\"",
        "foo == 1",
        "http.headers.a.b == \"x\"",
        "http.path == 1",
        "http.path > 1",
        "http.path > \"1\"",
        "http.path in \"1\"",
        "net.src.ip in 10.0.0.1",
        "net.src.ip in 10.0.0.1/8",
        "net.src.ip in 10.0.0.0/33",
        "net.src.ip == 10.0.0.0/8",
        "net.src.ip == 10.0.0.256",
        "net.src.ip == 1:2:3",
        "net.src.ip in fe80::/129",
        "net.src.ip in fe80::1/10",
        "net.src.port ^= 1",
        "net.src.port contains 1",
        "net.src.port ~ \"1\"",
        "net.src.port ~ 1",
        "net.src.port == 99999999999999999999",
        "lower(net.src.port) == 1",
        "upper(http.path) == \"a\"",
        "lower(http.path == \"a\"",
        "lower() == \"a\"",
        "http.path ~ \"[\"",
        "http.path ~ \"a(?=b)\"",
        "net.src.port == 0789",
        "http.path ==\n  1",
        "http.host == \"\u{e9}\" &&\n\thttp.path == \"a\" || foo( == 1",
    ] {
        let (ours, oracle) = (ours(text), oracle(text));
        if ours != oracle {
            differ.push(format!("{text}\n{ours:?}\n{oracle:?}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n\n"));
}

#[test]
fn segments_are_numbered_in_order() {
    let parse = |suffix: &str, literal: &str| {
        let text = format!("http.path.segments.{suffix} == {literal}");
        Expression::parse(&text, Subsystem::Http).map_err(|error| error.to_string())
    };
    for suffix in ["0", "1", "10", "0_1", "3_12"] {
        assert!(parse(suffix, "\"a\"").is_ok(), "{suffix}");
    }
    assert!(parse("len", "3").is_ok());
    for suffix in ["01", "1_1", "2_1", "x", "1_", "_1", "0_0", "1_2_3", "-1x"] {
        let error = parse(suffix, "\"a\"").unwrap_err();
        let is_named = error == "illformed http.path.segments.* field";
        assert!(is_named || suffix.starts_with('-'), "{suffix}: {error}");
    }
}

#[test]
fn requests_have_no_place_in_streams() {
    for (text, is_good) in [
        ("http.path == \"/\"", false),
        ("http.headers.a == \"/\"", false),
        ("net.dst.port == 80 && tls.sni == \"a\"", true),
        ("net.port == 80", true),
    ] {
        let found = Expression::parse(text, Subsystem::Stream);
        assert_eq!(found.is_ok(), is_good, "{text}");
    }
}

#[test]
fn limits_are_named() {
    let deep = format!("{}net.port == 1{}", "(".repeat(101), ")".repeat(101));
    let error = Expression::parse(&deep, Subsystem::Http).unwrap_err();
    assert!(
        error.to_string().contains("more than 100 parentheses"),
        "{error}"
    );
    let fits = format!("{}net.port == 1{}", "(".repeat(100), ")".repeat(100));
    assert!(Expression::parse(&fits, Subsystem::Http).is_ok());
    let long = format!("net.port == 1{}", " ".repeat(65_536));
    let error = Expression::parse(&long, Subsystem::Http).unwrap_err();
    assert!(
        error.to_string().contains("longer than 65536 bytes"),
        "{error}"
    );
    let many = format!("{}net.port == 1", "net.port == 1 && ".repeat(3000));
    assert!(Expression::parse(&many, Subsystem::Http).is_ok());
}

const TOKENS: &[&str] = &[
    "http.path",
    "http.host",
    "net.src.ip",
    "net.dst.port",
    "http.headers.x_a",
    "foo",
    "lower(",
    "any(",
    "(",
    ")",
    "!",
    "&&",
    "||",
    "==",
    "!=",
    "~",
    "^=",
    "=^",
    ">=",
    ">",
    "<=",
    "<",
    "in",
    "not in",
    "contains",
    "\"a\"",
    "\"^a\\\\d\"",
    "r#\"b\"#",
    "1",
    "-5",
    "0x1F",
    "017",
    "08",
    "10.0.0.1",
    "10.0.0.0/8",
    "::1",
    "fe80::/10",
    "1.2.3",
    "\"",
    "\\",
];

fn predicate() -> impl Strategy<Value = String> {
    let fields: &[&str] = &[
        "http.path",
        "lower(http.path)",
        "any(lower(http.headers.x_a))",
        "net.src.ip",
        "net.dst.port",
        "tls.sni",
        "http.path.segments.len",
        "any(net.dst.port)",
    ];
    let operators: &[&str] = &[
        "==", "!=", "~", "^=", "=^", ">=", ">", "<=", "<", "in", "not in", "contains",
    ];
    let literals: &[&str] = &[
        "\"a\"",
        "\"[a-z]\"",
        "r#\"\\d\"#",
        "1",
        "-5",
        "0x1F",
        "017",
        "10.0.0.1",
        "10.0.0.0/8",
        "::1",
        "fe80::/10",
    ];
    (select(fields), select(operators), select(literals))
        .prop_map(|(field, operator, literal)| format!("{field} {operator} {literal}"))
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn heaps_of_tokens_are_judged_alike(
        tokens in proptest::collection::vec(select(TOKENS), 0..12),
        spaced in any::<bool>(),
    ) {
        let text = tokens.join(if spaced { " " } else { "" });
        prop_assert_eq!(ours(&text).is_ok(), oracle(&text).is_ok(), "{}", text);
    }

    #[test]
    fn comparisons_get_the_same_verdict(
        parts in proptest::collection::vec((predicate(), select(&[" && ", "||", " || "][..])), 1..4),
    ) {
        let mut text = String::new();
        for (predicate, operator) in &parts {
            text.push_str(predicate);
            text.push_str(operator);
        }
        text.push_str("http.path == \"a\"");
        prop_assert_eq!(ours(&text), oracle(&text), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,60}") {
        prop_assert_eq!(ours(&text).is_ok(), oracle(&text).is_ok(), "{}", text);
    }
}
