//! Facts about `redirect`.

use plugin_api::ReplyBody;
use serde_json::{Value, json};

use super::DEFINITION;
use crate::testing::{Bench, Request, violations};

fn redirect(config: Value, target: &str) -> (u16, String) {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    let reply = Request::get(target).access(&bench, &*handler).unwrap();
    assert_eq!(reply.body, ReplyBody::Raw("redirecting".into()));
    let [(name, value)] = reply.headers.as_slice() else {
        panic!("one header line: {:?}", reply.headers)
    };
    assert_eq!(name.as_ref(), b"Location");
    (reply.status, String::from_utf8(value.to_vec()).unwrap())
}

#[test]
fn everybody_is_sent_to_the_location() {
    let config = json!({"location": "https://new.test/x?q=z#f"});
    let expected = (301, "https://new.test/x?q=z#f".to_owned());
    assert_eq!(redirect(config, "/a/b?c=1"), expected);
}

#[test]
fn path_and_query_are_kept_at_the_origin_of_the_location() {
    for (location, target, expected) in [
        (
            "https://new.test/x",
            "/a/b?c=1&d=%20",
            "https://new.test/a/b?c=1&d=%20",
        ),
        ("https://new.test:8443?x", "/", "https://new.test:8443/"),
        ("http://new.test/#f", "/a?", "http://new.test/a?"),
    ] {
        let config = json!({"location": location, "keep_incoming_path": true, "status_code": 308});
        assert_eq!(redirect(config, target), (308, expected.to_owned()));
    }
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    assert_eq!(
        violations(
            &DEFINITION,
            json!({"location": "nowhere", "status_code": 99})
        ),
        [
            "location: missing host in url",
            "status_code: value should be between 100 and 599",
        ]
    );
}
