//! Facts about `ip-restriction`.

use plugin_api::ReplyBody;
use serde_json::{Value, json};

use super::DEFINITION;
use super::network::Network;
use crate::testing::{Bench, Request, violations};

fn answer(config: Value, ip: &str) -> Option<(u16, ReplyBody)> {
    let mut bench = Bench::new();
    let handler = bench.handler(&DEFINITION, config);
    let reply = Request::get("/").with_ip(ip).access(&bench, &*handler)?;
    Some((reply.status, reply.body))
}

#[test]
fn only_listed_addresses_pass_an_allow_list() {
    let config = || json!({"allow": ["10.0.0.0/8", "::1"]});
    for ip in ["10.0.0.1", "10.255.255.255", "::1", "::ffff:10.1.2.3"] {
        assert_eq!(answer(config(), ip), None, "{ip}");
    }
    for ip in ["11.0.0.1", "9.255.255.255", "::2"] {
        let message = format!("IP address not allowed: {ip}");
        let expected = (403, ReplyBody::Message(message.into()));
        assert_eq!(answer(config(), ip), Some(expected));
    }
}

#[test]
fn a_denied_address_is_refused_even_if_allowed() {
    let config = || json!({"allow": ["10.0.0.0/8"], "deny": ["10.0.0.9"]});
    assert!(answer(config(), "10.0.0.8").is_none());
    assert!(answer(config(), "10.0.0.9").is_some());
    assert!(answer(json!({"deny": ["10.0.0.9"]}), "1.2.3.4").is_none());
    assert!(answer(json!({"deny": ["0.0.0.0/0"]}), "1.2.3.4").is_some());
}

#[test]
fn status_and_message_can_be_chosen() {
    let config = json!({"deny": ["1.2.3.4"], "status": 401, "message": "go away"});
    let expected = (401, ReplyBody::Message("go away".into()));
    assert_eq!(answer(config, "1.2.3.4"), Some(expected));
}

#[test]
fn a_status_that_is_none_is_refused() {
    let mut bench = Bench::new();
    let built = bench.build(&DEFINITION, json!({"deny": ["1.2.3.4"], "status": 99}));
    let Err(error) = built else {
        panic!("it was built")
    };
    assert_eq!(
        error.to_string(),
        "`config.status`: give a status from 100 to 599"
    );
}

#[test]
fn what_is_no_network_is_told_apart() {
    for text in [
        "",
        "10.0.0",
        "10.0.0.0/33",
        "::/129",
        "10.0.0.0/x",
        "a.test",
    ] {
        assert_eq!(Network::parse(text), None, "{text}");
    }
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    assert_eq!(
        violations(&DEFINITION, json!({"allow": ["10.0.0.256"]})),
        ["allow[0]: invalid ip or cidr range: '10.0.0.256'"]
    );
    let found = violations(&DEFINITION, json!({}));
    assert!(
        found[0].contains("at least one of these fields"),
        "{found:?}"
    );
}
