//! Reading texts: what YAML and JSON mean here, where errors are, and what is too much.

mod common;

use common::parse;
use gatehouse_declarative::{Document, Format, Limits, NOT_AN_OBJECT, ParseError};
use serde_json::{Value, json};

fn error(bytes: &[u8]) -> ParseError {
    Document::parse(bytes, Format::Auto, Limits::default()).expect_err("unreadable")
}

fn value(text: &str) -> Value {
    parse(text).value().clone()
}

#[test]
fn plain_scalars_mean_what_the_reference_takes_them_for() {
    let read = value(
        "a: ~\nb: null\nc: yes\nd: Off\ne: 12\nf: -3\ng: 1.5\nh: 0x1F\ni: 017\nj: 1e3\nk: a.b\n\
         l: '12'\nm: \"yes\"\nn: 1.2.3\np: .inf\nq: !!str 12\nr: 12:30\ns:\n\
         t: 0x-5\nu: 1e999\nv: 0x\n",
    );
    assert_eq!(
        read,
        json!({
            "a": null, "b": null, "c": true, "d": false, "e": 12, "f": -3, "g": 1.5, "h": 31,
            "i": 15, "j": 1000.0, "k": "a.b", "l": "12", "m": "yes", "n": "1.2.3",
            "p": ".inf", "q": "12", "r": "12:30", "s": null,
            "t": "0x-5", "u": "1e999", "v": "0x",
        })
    );
}

#[test]
fn blocks_and_flows_are_read() {
    let read =
        value("a: |\n  one\n  two\nb: >-\n  one\n  two\nc: [1, {d: 2}]\ne:\n- f: 1\n  g: 2\n");
    assert_eq!(
        read,
        json!({"a": "one\ntwo\n", "b": "one two", "c": [1, {"d": 2}], "e": [{"f": 1, "g": 2}]})
    );
}

#[test]
fn json_is_read_as_json() {
    let read = value("{\"a\": \"\\ud83d\\ude00\\t\", \"b\": [1.0, true, null],\n\"c\": {}}");
    assert_eq!(read, json!({"a": "😀\t", "b": [1.0, true, null], "c": {}}));
}

#[test]
fn flow_yaml_that_is_no_json_is_still_read() {
    assert_eq!(value("{a: 1, b: [x]}"), json!({"a": 1, "b": ["x"]}));
}

#[test]
fn every_node_knows_its_line_in_yaml() {
    let document = parse("a: 1\nservices:\n- name: x\n  paths:\n  - /a\n  -   /b\n- name: y\n");
    assert_eq!(document.line("services"), Some(2));
    assert_eq!(document.line("services[0].name"), Some(3));
    assert_eq!(document.line("services[0].paths[1]"), Some(6));
    assert_eq!(document.line("services[1].name"), Some(7));
    assert_eq!(document.line("services[1].absent.deep"), Some(7));
}

#[test]
fn every_node_knows_its_line_in_json() {
    let document = parse("{\n \"a\": 1,\n \"services\": [\n  {\"name\":\n \"x\"},\n  {}\n ]\n}");
    assert_eq!(document.line("services[0]"), Some(4));
    assert_eq!(document.line("services[0].name"), Some(4));
    assert_eq!(document.line("services[1]"), Some(6));
}

#[test]
fn documents_that_were_never_text_have_no_lines() {
    assert_eq!(Document::from_value(json!({"a": 1})).line("a"), None);
}

#[test]
fn anchors_and_merge_keys_are_expanded() {
    let read = value(
        "base: &base {a: 1, b: 2}\nmore: &more {b: 3, c: 4}\nx:\n  <<: *base\n  b: 9\ny:\n  \
         <<: [*base, *more]\nz: *base\n",
    );
    assert_eq!(read["x"], json!({"b": 9, "a": 1}));
    assert_eq!(read["y"], json!({"a": 1, "b": 2, "c": 4}));
    assert_eq!(read["z"], json!({"a": 1, "b": 2}));
}

#[test]
fn lines_of_merged_members_are_found() {
    let document = parse("base: &base\n  a: 1\nx:\n  b: 2\n  <<: *base\n");
    assert_eq!(document.line("x.a"), Some(2));
    assert_eq!(document.line("x.b"), Some(4));
}

#[test]
fn a_merge_key_needs_a_mapping() {
    let found = error(b"x:\n  <<: 5\n");
    assert_eq!((found.line, found.column), (2, 3));
}

#[test]
fn an_alias_inside_its_own_anchor_is_refused() {
    let found = error(b"x: &a {b: *a}\n");
    assert_eq!(found.message, "an alias stands inside what it refers to");
    assert_eq!(found.line, 1);
}

#[test]
fn an_alias_without_an_anchor_is_refused() {
    assert_eq!(error(b"a: 1\nx: *nope\n").line, 2);
}

#[test]
fn repeated_keys_are_refused_with_their_place() {
    let found = error(b"a: 1\nb: 2\na: 3\n");
    assert_eq!(
        (found.line, found.message.as_str()),
        (3, "the key `a` is repeated")
    );
    let found = error(b"{\"a\": 1,\n \"a\": 2}");
    assert_eq!(
        (found.line, found.message.as_str()),
        (2, "the key `a` is repeated")
    );
}

#[test]
fn broken_yaml_is_reported_where_it_breaks() {
    let found = error(b"a: 1\nb:\n  - x\n   y: z\n");
    assert!((3..=4).contains(&found.line), "{found}");
    let found = error(b"x: [");
    assert_eq!((found.line, found.column), (1, 4));
    assert_eq!(found.message, "did not find expected node content");
    assert_eq!(error(b"a: 'x\n").line, 1);
    assert_eq!(error(b"a: b: c\n").line, 1);
}

#[test]
fn broken_json_is_reported_where_it_breaks_when_json_is_asked_for() {
    let found = Document::parse(b"{\n \"a\": tru }", Format::Json, Limits::default())
        .expect_err("unreadable");
    assert_eq!(found.line, 2);
    assert!(!found.message.contains("line"), "{found}");
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_place() {
    let found = error(b"a: 1\nb: \xff\n");
    assert_eq!((found.line, found.column), (2, 4));
    assert_eq!(found.message, "the text is not UTF-8");
    let found = error(b"a: 1\nb: x\0y\n");
    assert_eq!((found.line, found.column), (2, 5));
    assert_eq!(found.message, "the text contains a NUL byte");
}

#[test]
fn a_byte_order_mark_does_no_harm() {
    assert_eq!(value("\u{feff}a: 1\n"), json!({"a": 1}));
}

#[test]
fn only_objects_are_documents() {
    for text in [
        &b"just text"[..],
        b"- a\n- b\n",
        b"[]",
        b"5",
        b"",
        b"# nothing\n",
    ] {
        assert_eq!(error(text).message, NOT_AN_OBJECT);
    }
}

#[test]
fn a_text_over_the_limit_is_not_looked_at() {
    let limits = Limits {
        bytes: 10,
        ..Limits::default()
    };
    let found = Document::parse(b"a: 12345678\n", Format::Auto, limits).expect_err("too long");
    assert!(found.message.contains("more than 10 bytes"), "{found}");
}

#[test]
fn depth_is_limited_in_both_notations() {
    let deep = format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let found = error(deep.as_bytes());
    assert!(
        found.message.contains("nested deeper than 64 levels"),
        "{found}"
    );
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(100), "]".repeat(100));
    let found =
        Document::parse(deep.as_bytes(), Format::Json, Limits::default()).expect_err("too deep");
    assert!(
        found.message.contains("nested deeper than 64 levels"),
        "{found}"
    );
    let block: String = (0..100).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    assert!(error(block.as_bytes()).message.contains("nested deeper"));
    let fits = format!("a: {}{}", "[".repeat(60), "]".repeat(60));
    parse(&fits);
}

#[test]
fn aliases_cannot_multiply_a_document_beyond_the_limit() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = format!("*a{}", level - 1);
        let list = vec![below; 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{list}]\n"));
    }
    let found = error(text.as_bytes());
    assert!(found.message.contains("nodes"), "{found}");
}

#[test]
fn aliases_count_towards_depth() {
    let mut text = String::from("a0: &a0 [x]\n");
    for level in 1..80 {
        text.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(error(text.as_bytes()).message.contains("nested deeper"));
}

#[test]
fn only_the_first_document_of_a_stream_counts() {
    assert_eq!(value("a: 1\n---\nb: 2\n"), json!({"a": 1}));
}

#[test]
fn keys_that_are_no_text_become_text() {
    assert_eq!(value("1: a\ntrue: b\n"), json!({"1": "a", "true": "b"}));
    assert_eq!(
        error(b"? [a]\n: b\n").message,
        "a key must be a plain value"
    );
}

#[test]
fn a_tab_cannot_start_the_first_token() {
    let text = b"# said before\n\t_format_version: x\n";
    let error = Document::parse(text, Format::Auto, Limits::default()).unwrap_err();
    assert_eq!((error.line, error.column), (2, 1));
    assert_eq!(error.message, "found character that cannot start any token");
}

#[test]
fn document_without_lines_has_the_same_values_and_the_same_faults() {
    let same = [
        "a: &x {b: 1, c: [1, 2]}\nd: *x\ne:\n  <<: *x\n  b: 3\nf:\n  <<: [*x, {g: 4}]\n",
        "{\"a\": [{\"b\": 1}, {}], \"c\": null}",
        "{a: 1, b: [x]}",
    ];
    for text in same {
        let read = |parse: fn(&[u8], Format, Limits) -> Result<Document, ParseError>| {
            parse(text.as_bytes(), Format::Auto, Limits::default()).unwrap()
        };
        let (values, whole) = (read(Document::parse_values), read(Document::parse));
        assert_eq!(values.value(), whole.value(), "{text}");
        assert_eq!(
            (values.line("a"), whole.line("a")),
            (None, Some(1)),
            "{text}"
        );
    }
    for text in [
        "\n\n- a\n",
        "a: 1\na: 2\n",
        "{\"a\": 1,\n\"a\": 2}",
        "a: [\n",
        "a: \0",
    ] {
        let read = Document::parse_values(text.as_bytes(), Format::Auto, Limits::default());
        assert_eq!(read.unwrap_err(), error(text.as_bytes()), "{text}");
    }
}
