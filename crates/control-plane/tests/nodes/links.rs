//! Who gets a configuration link over real TLS, and what ends it. What goes over a link is in
//! `configurations.rs`.

use std::time::Duration;

use super::support::{Harness, NODE, RawNode, request, target};
use control_plane::{AuthType, NewControlPlane};
use gatehouse_control_plane as control_plane;
use serde_json::json;
use uuid::Uuid;
use wire::EMPTY_HASH;
use wire::socket::SocketEvent;

#[tokio::test]
async fn requests_that_are_no_links_are_answered_with_json() {
    let harness = Harness::start().await;
    let (identity, _) = harness.registered().await;
    let query = format!("node_id={NODE}&node_version=3.9.1");
    for (head, status) in [
        (request("/v1/outlet", ""), "400"),
        (request("/v1/outlet?node_id=x", ""), "400"),
        (request("/v1/outlet?node_version=3.9.1", ""), "400"),
        (request("/v1/wrpc", ""), "404"),
        (request("/v2/outlet", ""), "400"),
        (
            format!("GET /v1/outlet?{query} HTTP/1.1\r\nHost: a\r\n\r\n"),
            "426",
        ),
        (
            "HEAD /v1/wrpc HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "404",
        ),
    ] {
        let mut node = harness.connect(&identity).await;
        let answer = if head.starts_with("HEAD") {
            node.ask(&head.replace("HEAD", "GET")).await
        } else {
            node.ask(&head).await
        };
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{head}{answer}"
        );
        assert!(answer.contains("{\"message\":"), "{answer}");
    }
}

#[tokio::test]
async fn certificates_that_are_not_registered_are_refused() {
    let harness = Harness::start().await;
    harness.registered().await;
    let other = harness.authority.client("other");
    let expired = harness.authority.expired_client("expired");
    harness
        .planes
        .pin(harness.plane.id, &expired.certificate, "")
        .await
        .unwrap();
    for (identity, says) in [
        (None, "no client certificate"),
        (Some(&other), "not registered"),
        (Some(&expired), "has expired"),
    ] {
        let mut node = RawNode::connect(harness.address, &harness.authority, identity).await;
        let answer = node.ask(&request(&target(NODE), "")).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        assert!(answer.contains(says), "{answer}");
    }
    assert_eq!(harness.planes.nodes(harness.plane.id), []);
}

#[tokio::test]
async fn certificate_of_another_control_plane_is_refused() {
    let harness = Harness::start().await;
    let (identity, _) = harness.registered().await;
    let new = NewControlPlane {
        name: "other".to_owned(),
        ..NewControlPlane::default()
    };
    let other = harness
        .planes
        .create(harness.organisation, new)
        .await
        .unwrap();
    let address = harness.serve(other.id).await;
    let mut node = RawNode::connect(address, &harness.authority, Some(&identity)).await;
    let answer = node.ask(&request(&target(NODE), "")).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[tokio::test]
async fn version_1_certificates_are_accepted() {
    let harness = Harness::start().await;
    let issued = pki::gen_cluster_certificate(30, pki::CertificateVersion::V1).unwrap();
    let identity = test_support::Identity {
        certificate: issued.cert_pem,
        key: issued.key_pem,
    };
    harness
        .planes
        .pin(harness.plane.id, &identity.certificate, "")
        .await
        .unwrap();
    let mut node = harness.node(&identity, NODE, "3.9.1").await;
    node.ping(EMPTY_HASH).await;
    node.configuration().await;
}

#[tokio::test]
async fn pki_mode_accepts_what_a_registered_authority_issued() {
    let harness = Harness::with(|setup| setup.auth_type = AuthType::PkiClientCerts).await;
    harness
        .planes
        .pin(harness.plane.id, harness.authority.pem(), "")
        .await
        .unwrap();
    let mut node = harness
        .node(&harness.authority.client("a"), NODE, "3.9.1")
        .await;
    node.ping(EMPTY_HASH).await;
    node.configuration().await;

    let stranger = test_support::TestAuthority::new("stranger").client("b");
    let expired = harness.authority.expired_client("c");
    for identity in [stranger, expired] {
        harness.refused(&identity, &target(NODE)).await;
    }
}

#[tokio::test]
async fn revoking_a_certificate_ends_its_links_and_no_others() {
    let harness = Harness::start().await;
    let (revoked, pinned) = harness.registered().await;
    let (kept, _) = harness.registered().await;
    let mut first = harness.node(&revoked, NODE, "3.9.1").await;
    let mut second = harness.node(&kept, Uuid::from_u128(2), "3.9.1").await;
    first.ping(EMPTY_HASH).await;
    second.ping(EMPTY_HASH).await;
    harness
        .planes
        .unpin(harness.plane.id, pinned.id)
        .await
        .unwrap();
    harness.turned_away(first, &revoked, &target(NODE)).await;
    second.ping(EMPTY_HASH).await;
    harness
        .listed(NODE, "the node is shown as gone", |node| !node.is_connected)
        .await;
}

#[tokio::test]
async fn deleting_a_control_plane_ends_its_links() {
    let harness = Harness::start().await;
    let (identity, _) = harness.registered().await;
    let mut node = harness.node(&identity, NODE, "3.9.1").await;
    node.ping(EMPTY_HASH).await;
    harness
        .planes
        .delete(
            harness.organisation,
            harness.plane.id,
            store::Actor::system(),
        )
        .await
        .unwrap();
    // As if it had never been there.
    harness.turned_away(node, &identity, &target(NODE)).await;
}

#[tokio::test]
async fn node_that_comes_back_replaces_its_older_link() {
    let harness = Harness::start().await;
    let (identity, _) = harness.registered().await;
    let mut older = harness.node(&identity, NODE, "3.9.1").await;
    older.ping(EMPTY_HASH).await;
    let mut newer = harness.node(&identity, NODE, "3.9.1").await;
    newer.ping(EMPTY_HASH).await;
    older.end().await;
    newer.ping(EMPTY_HASH).await;
    assert_eq!(harness.outlet.connected(harness.plane.id), 1);
    assert!(
        harness
            .planes
            .node(harness.plane.id, NODE)
            .unwrap()
            .is_connected
    );
}

#[tokio::test]
async fn silent_node_is_dropped() {
    let harness = Harness::with(|setup| setup.options.silence = Duration::from_secs(1)).await;
    let (identity, _) = harness.registered().await;
    let mut node = harness.node(&identity, NODE, "3.9.1").await;
    node.ping(EMPTY_HASH).await;
    node.end().await;
    harness
        .listed(NODE, "the node is shown as gone", |node| !node.is_connected)
        .await;
}

#[tokio::test]
async fn control_frames_may_come_before_basic_info_and_odd_first_frames_end_the_link() {
    let harness = Harness::start().await;
    let (identity, _) = harness.registered().await;
    let mut node = harness.link(&identity, &target(NODE)).await;
    node.ping("early").await;
    node.send_basic_info(&[]).await;
    node.ping(EMPTY_HASH).await;
    node.configuration().await;
    for odd in ["{}", "not json", "[]", r#"{"type":"error","error":{}}"#] {
        let mut node = harness.link(&identity, &target(NODE)).await;
        node.send(odd).await;
        node.end().await;
    }
}

#[tokio::test]
async fn hello_of_newer_nodes_is_answered_without_capabilities() {
    let harness = Harness::start().await;
    let (identity, _) = harness.registered().await;
    let mut raw = harness.connect(&identity).await;
    let offer = "Sec-WebSocket-Protocol: kong.meta.v1\r\n";
    let answer = raw.ask(&request("/v2/outlet", offer)).await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    let echoed = answer
        .to_lowercase()
        .matches("sec-websocket-protocol: kong.meta.v1")
        .count();
    assert_eq!(echoed, 1, "{answer}");
    let mut node = raw.into_node().await;
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "kong.meta.v1.hello", "params": [{
        "rpc_capabilities": ["kong.sync.v2"], "rpc_frame_encodings": ["x-snappy-framed"],
        "kong_version": "3.10.0", "kong_hostname": "edge", "kong_node_id": NODE.to_string(),
        "kong_conf": {}}]});
    node.send(hello.to_string()).await;
    let event = node
        .until(|event| matches!(event, SocketEvent::Binary(_)))
        .await;
    let SocketEvent::Binary(reply) = event else {
        unreachable!()
    };
    let reply: serde_json::Value = serde_json::from_slice(&reply).unwrap();
    assert_eq!(reply["result"]["rpc_capabilities"], json!([]));
    assert_eq!(reply["result"]["rpc_frame_encoding"], "x-snappy-framed");
    node.ping("").await;
}
