//! Facts about `request-transformer`.

use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, Request, violations};

fn get() -> Request {
    Request::new(
        "GET",
        "/p?a=1&b=2&a=3",
        &[
            ("Host", "example.test"),
            ("X-A", "1"),
            ("x-b", "2"),
            ("X-A", "3"),
        ],
    )
}

fn with_body(content_type: &str, body: &str) -> Request {
    let mut request = Request::new("POST", "/p", &[("Content-Type", content_type)]);
    request.body = Some(body.as_bytes().to_vec());
    request
}

fn run(config: Value, mut request: Request) -> Request {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    assert_eq!(request.access(&bench, &*handler), None);
    request
}

fn headers(config: Value) -> Vec<String> {
    run(config, get()).sent_headers()
}

fn query(config: Value) -> String {
    let request = run(config, get());
    String::from_utf8(request.edits.query.unwrap().to_vec()).unwrap()
}

fn body(config: Value, content_type: &str, body: &str) -> Option<String> {
    let request = run(config, with_body(content_type, body));
    let body = request.edits.body?;
    Some(String::from_utf8(body.to_vec()).unwrap())
}

#[test]
fn headers_are_removed_renamed_replaced_added_and_appended_in_this_order() {
    assert_eq!(
        headers(json!({"remove": {"headers": ["x-a"]}})),
        ["Host: example.test", "x-b: 2"]
    );
    assert_eq!(
        headers(json!({"rename": {"headers": ["X-A:X-New"]}})),
        ["Host: example.test", "x-b: 2", "x-new: 1", "x-new: 3"]
    );
    assert_eq!(
        headers(json!({"replace": {"headers": ["X-A:new", "X-None:n"]}})),
        ["Host: example.test", "X-A: new", "x-b: 2"]
    );
    assert_eq!(
        headers(json!({"add": {"headers": ["X-A:add", "X-New:n:o"]}})),
        [
            "Host: example.test",
            "X-A: 1",
            "x-b: 2",
            "x-a: 3",
            "X-New: n:o"
        ]
    );
    assert_eq!(
        headers(json!({"append": {"headers": ["X-A:app", "X-New:n"]}})),
        [
            "Host: example.test",
            "X-A: 1",
            "x-b: 2",
            "X-A: 3",
            "X-A: app",
            "X-New: n"
        ]
    );
    let all = json!({
        "rename": {"headers": ["X-A:X-B"]},
        "replace": {"headers": ["X-B:y"]},
        "append": {"headers": ["X-B:z"]},
    });
    assert_eq!(headers(all), ["Host: example.test", "x-b: y", "X-B: z"]);
}

#[test]
fn host_is_only_ever_replaced() {
    let untouched =
        headers(json!({"remove": {"headers": ["host"]}, "add": {"headers": ["Host:h"]}}));
    assert_eq!(untouched[0], "Host: example.test");
    let request = run(json!({"replace": {"headers": ["Host:h"]}}), get());
    assert_eq!(request.edits.host.as_deref(), Some(&b"h"[..]));
}

#[test]
fn a_setting_without_a_value_does_nothing() {
    let config = json!({"add": {"headers": ["X-New:"]}, "replace": {"headers": ["X-A:"]}});
    assert!(headers(config).contains(&"X-A: 1".to_owned()));
}

#[test]
fn the_query_is_written_anew_with_sorted_names() {
    assert_eq!(query(json!({"remove": {"querystring": ["a"]}})), "b=2");
    assert_eq!(
        query(json!({"rename": {"querystring": ["a:z"]}})),
        "b=2&z=1&z=3"
    );
    assert_eq!(
        query(json!({"replace": {"querystring": ["a:x y", "n:1"]}})),
        "a=x%20y&b=2"
    );
    assert_eq!(
        query(json!({"add": {"querystring": ["a:9", "n:1"]}})),
        "a=1&a=3&b=2&n=1"
    );
    assert_eq!(
        query(json!({"append": {"querystring": ["b:9"]}})),
        "a=1&a=3&b=2&b=9"
    );
    assert_eq!(query(json!({"remove": {"querystring": ["a", "b"]}})), "");
}

#[test]
fn json_bodies_are_changed_at_their_top() {
    let change = |config| body(config, "application/json", r#"{"a":"1","b":2,"n":{"x":1}}"#);
    assert_eq!(
        change(json!({"remove": {"body": ["a"]}})).unwrap(),
        r#"{"b":2,"n":{"x":1}}"#
    );
    assert_eq!(
        change(json!({"rename": {"body": ["a:z"]}})).unwrap(),
        r#"{"b":2,"n":{"x":1},"z":"1"}"#
    );
    assert_eq!(
        change(json!({"replace": {"body": ["b:9", "none:n"]}})).unwrap(),
        r#"{"a":"1","b":"9","n":{"x":1}}"#
    );
    assert_eq!(
        change(json!({"append": {"body": ["a:app", "b:3", "new:n"]}})).unwrap(),
        r#"{"a":["1","app"],"b":["3"],"n":{"x":1},"new":["n"]}"#
    );
    assert_eq!(change(json!({"remove": {"body": ["none"]}})), None);
}

#[test]
fn bodies_that_are_no_objects_or_of_another_kind_stay() {
    let config = || json!({"add": {"body": ["new:n"]}});
    assert_eq!(body(config(), "application/json", "[1,2]"), None);
    assert_eq!(body(config(), "application/json", "not json"), None);
    assert_eq!(body(config(), "text/plain", "a=1"), None);
    assert_eq!(
        body(config(), "application/json", "").unwrap(),
        r#"{"new":"n"}"#
    );
    let remove = json!({"remove": {"body": ["a"]}});
    assert_eq!(body(remove, "application/json", ""), None);
}

#[test]
fn forms_are_changed() {
    let change = |config| body(config, "application/x-www-form-urlencoded", "a=1&b=%20&f").unwrap();
    assert_eq!(change(json!({"remove": {"body": ["a"]}})), "b=%20&f");
    assert_eq!(
        change(json!({"add": {"body": ["n:&"]}})),
        "a=1&b=%20&f&n=%26"
    );
    assert_eq!(
        change(json!({"append": {"body": ["f:1"]}})),
        "a=1&b=%20&f=1"
    );
}

#[test]
fn bodies_of_several_parts_are_changed() {
    const BODY: &str = "--zz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--zz--\r\n";
    let change = |config| body(config, "multipart/form-data; boundary=\"zz\"", BODY).unwrap();
    assert_eq!(change(json!({"remove": {"body": ["a"]}})), "");
    assert_eq!(
        change(json!({"rename": {"body": ["a:z"]}})),
        BODY.replace("\"a\"", "\"z\"")
    );
    assert_eq!(
        change(json!({"replace": {"body": ["a:new"]}})),
        BODY.replace("\r\n1\r\n", "\r\nnew\r\n")
    );
    assert_eq!(
        change(json!({"add": {"body": ["new:n"]}})),
        BODY.replace(
            "--zz--",
            "--zz\r\nContent-Disposition: form-data; name=\"new\"\r\n\r\nn\r\n--zz--"
        )
    );
    assert_eq!(change(json!({"append": {"body": ["a:x"]}})), BODY);
    assert_eq!(
        body(
            json!({"remove": {"body": ["a"]}}),
            "multipart/form-data",
            BODY
        ),
        None
    );
}

#[test]
fn method_and_path_are_set() {
    let config = json!({"http_method": "PATCH", "replace": {"uri": "/v2/$(query_params.b)"}});
    let request = run(config, get());
    assert_eq!(request.edits.method.as_deref(), Some(&b"PATCH"[..]));
    assert_eq!(request.edits.path.as_deref(), Some(&b"/v2/2"[..]));
}

#[test]
fn towards_a_method_without_a_body_a_form_moves_into_the_query() {
    let request = with_body("application/x-www-form-urlencoded", "c=2&a=1");
    let request = run(json!({"http_method": "GET"}), request);
    assert_eq!(request.edits.query.as_deref(), Some(&b"a=1&c=2"[..]));
}

#[test]
fn templates_see_headers_query_and_captures() {
    let config = json!({"add": {"headers": [
        "X-T:$(headers[\"x-b\"])$(headers.x_b)", "X-Q:$(query_params.b or 'none')", "X-C:$(uri_captures.id)",
    ]}});
    let sent = headers(config);
    assert!(sent.contains(&"X-T: 22".to_owned()), "{sent:?}");
    assert!(sent.contains(&"X-Q: 2".to_owned()), "{sent:?}");
    assert!(sent.contains(&"X-C: ".to_owned()), "{sent:?}");
}

#[test]
fn a_template_that_fails_or_is_not_understood_answers_500() {
    let mut bench = Bench::new();
    for value in ["X:$(headers.none .. 'a')", "X:$(os.exit())"] {
        let handler = bench.handler(&DEFINITION, json!({"add": {"headers": [value]}}));
        let reply = get().access(&bench, &*handler).unwrap();
        assert_eq!(reply.status, 500, "{value}");
    }
    assert!(
        bench.notices[0].contains("`os` is not known here"),
        "{:?}",
        bench.notices
    );
}

#[test]
fn only_what_needs_the_body_has_it_buffered() {
    let mut bench = Bench::new();
    let mut needs = |config| bench.handler(&DEFINITION, config).needs();
    let none = plugin_api::Needs::NONE;
    assert_eq!(needs(json!({"add": {"headers": ["a:b"]}})), none);
    assert_eq!(needs(json!({"http_method": "POST"})), none);
    assert_ne!(needs(json!({"http_method": "GET"})), none);
    assert_ne!(needs(json!({"add": {"body": ["a:b"]}})), none);
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let found = violations(
        &DEFINITION,
        json!({
            "http_method": "get",
            "add": {"headers": ["none", "b d:1"], "body": ["a"]},
            "rename": {"headers": ["a:b d"], "querystring": ["a:"]},
            "remove": {"headers": ["a b", "$(x)"]},
        }),
    );
    assert_eq!(
        found,
        [
            "add.body[0]: key 'a' has no value",
            "add.headers[0]: invalid value: none",
            "add.headers[1]: 'b d' is not a valid header",
            "http_method: invalid value: get",
            "remove.headers[0]: 'a b' is not a valid header",
            "rename.headers[0]: 'b d' is not a valid header",
            "rename.querystring[0]: key 'a' has no value",
        ]
    );
}
