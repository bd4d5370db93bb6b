//! Answers that a plugin wants as a whole before the client gets any of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use conf::{Listen, Settings};
use http::Request;
use plugin_api::{Bound, Chain, Entry, Exchange, Handler, Needs, ResponseView, Step};
use serde_json::json;

use super::http2::{ask, connect};
use super::support::*;

/// Looks at all of an answer; drops the body if told to.
struct Whole {
    drops: bool,
}

impl Handler for Whole {
    fn needs(&self) -> Needs {
        Needs::RESPONSE_BODY
    }

    fn response<'a>(
        &'a self,
        _exchange: &'a mut Exchange<'_>,
        response: &'a mut ResponseView<'_>,
        _body: &'a mut Bytes,
    ) -> Step<'a> {
        response.drops_body = self.drops;
        Step::CONTINUE
    }
}

fn gateway(settings: &Settings, origin: &Origin, drops: bool) -> Gateway {
    let definition = plugins::DEFINITIONS
        .iter()
        .find(|definition| definition.name == "ai-response-transformer")
        .expect("a plugin that wants all of an answer");
    let bound = Bound {
        id: uuid::Uuid::nil(),
        scopes: plugin_api::Scopes::NONE,
        handler: Arc::new(Whole { drops }),
    };
    let chain = Chain::new(vec![Entry::new(definition, Vec::new(), Some(bound))]);
    let routes = [json!({"paths": ["/"]})];
    gateway_through(settings, &routes, &service(origin.address), chain)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_answer_reaches_http_2_clients_whole() {
    let body = "0123456789".repeat(200_000);
    let sent = body.clone();
    let origin = Origin::start(move |_, _| Act::Send(ok(&sent)));
    let mut settings = settings();
    let address = "127.0.0.1:0".parse().expect("an address");
    settings.proxy_listen = vec![Listen {
        http2: true,
        ..Listen::plain(address)
    }];
    let gateway = gateway(&settings, &origin, false);
    let sender = connect(&gateway).await;
    let request = Request::get("http://a.test/").body(()).expect("a request");
    let asked = tokio::time::timeout(PATIENCE, ask(&sender, request, None)).await;
    let (response, received, _) = asked.expect("an answer in time");
    assert_eq!(response.status(), 200);
    assert!(received == body.as_bytes(), "the body was changed");
}

#[test]
fn a_client_that_takes_nothing_is_given_up_after_the_send_timeout() {
    let body = "0123456789".repeat(3_000_000);
    let sent = body.clone();
    let origin = Origin::start(move |_, _| Act::Send(ok(&sent)));
    let mut settings = settings();
    settings.send_timeout = Duration::from_millis(100);
    let gateway = gateway(&settings, &origin, false);
    let mut client = gateway.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    until(|| gateway.handle.counters().requests == 1);
    until(|| gateway.handle.counters().active == 0);
    assert!(client.rest().len() < body.len(), "nothing was left to take");
}

#[test]
fn a_body_that_the_plugin_drops_is_not_sent() {
    let origin = Origin::ok("secret");
    let gateway = gateway(&settings(), &origin, true);
    let answer = gateway.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(answer.contains("\r\nContent-Length: 0\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}
