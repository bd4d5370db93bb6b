//! A node joins: directly, through forward proxies, with certificates old and new; and does not
//! when it may not.

use std::time::Duration;

use gatehouse_tests::{publish, start_with_one, until_status};
use serde_json::json;
use test_support::{
    Client, Identity, Node, Quickstart, Squid, SquidOptions, TempDir, TestAuthority, eventually,
    run_to_end,
};

/// A forward proxy that can resolve the names of the installation.
async fn squid(quickstart: &Quickstart, options: SquidOptions) -> Squid {
    let host = |name: &str| {
        let authority = quickstart.fact(name).trim_start_matches("https://");
        authority.split(':').next().unwrap_or(authority).to_owned()
    };
    let loopback = vec![host("control_plane_endpoint"), host("telemetry_endpoint")];
    Squid::start(&SquidOptions {
        loopback,
        ..options
    })
    .await
}

async fn pin(quickstart: &Quickstart, identity: &Identity) -> String {
    let url = format!("{}/dp-client-certificates", quickstart.plane_url());
    let body = json!({"cert": identity.certificate, "title": "test"});
    let answer = quickstart
        .client()
        .json("POST", &url, &body)
        .await
        .expect("an answer");
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["item"]["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

#[tokio::test]
async fn node_joins_directly_and_serves() {
    let (quickstart, _backend) = start_with_one().await;
    let mut node = Node::joining(&quickstart, &[]);

    node.ready().await;

    let answer = until_status(&Client::new(), &node.url("/one/x"), 200).await;
    assert_eq!(answer.json()["target"], "/x");
}

#[tokio::test]
async fn node_joins_through_a_forward_proxy() {
    let (quickstart, _backend) = start_with_one().await;
    let squid = squid(&quickstart, SquidOptions::default()).await;
    let proxy = format!("http://127.0.0.1:{}", squid.port());
    let settings = [
        ("proxy_server", proxy.as_str()),
        ("cluster_use_proxy", "on"),
    ];
    let mut node = Node::joining(&quickstart, &settings);

    node.ready().await;

    until_status(&Client::new(), &node.url("/one/x"), 200).await;
    let endpoint = quickstart
        .fact("control_plane_endpoint")
        .trim_start_matches("https://");
    // Squid notes a tunnel when it ends.
    node.process().kill().await;
    eventually("the tunnel is in the proxy's log", async || {
        squid
            .access_log()
            .contains(endpoint.split(':').next()?)
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn node_joins_through_a_forward_proxy_with_credentials() {
    let (quickstart, _backend) = start_with_one().await;
    let credentials = Some(("node".to_owned(), "p@ss".to_owned()));
    let squid = squid(
        &quickstart,
        SquidOptions {
            credentials,
            ..SquidOptions::default()
        },
    )
    .await;
    let proxy = format!("http://node:p%40ss@127.0.0.1:{}", squid.port());
    let settings = [
        ("proxy_server", proxy.as_str()),
        ("cluster_use_proxy", "on"),
    ];
    let mut node = Node::joining(&quickstart, &settings);

    node.ready().await;

    until_status(&Client::new(), &node.url("/one/x"), 200).await;
}

#[tokio::test]
async fn wrong_proxy_password_is_said_and_never_shown() {
    let (quickstart, _backend) = start_with_one().await;
    let credentials = Some(("node".to_owned(), "right".to_owned()));
    let squid = squid(
        &quickstart,
        SquidOptions {
            credentials,
            ..SquidOptions::default()
        },
    )
    .await;
    let proxy = format!("http://node:hunter2@127.0.0.1:{}", squid.port());
    let settings = [
        ("proxy_server", proxy.as_str()),
        ("cluster_use_proxy", "on"),
    ];
    let mut node = Node::joining(&quickstart, &settings);

    node.start();

    node.process().prints("407").await;
    assert!(!node.output().contains("hunter2"), "{}", node.output());
    let ready = eventually("the status API answers", async || {
        Client::new()
            .get(&node.status_url("/status/ready"))
            .await
            .ok()
    })
    .await;
    assert_eq!(ready.status, 503, "{}", ready.text());
}

#[tokio::test]
async fn node_joins_through_a_proxy_that_speaks_tls() {
    let (quickstart, _backend) = start_with_one().await;
    let authority = TestAuthority::new("proxy authority");
    let tls = Some(authority.server(&["proxy.localhost"]));
    let squid = squid(
        &quickstart,
        SquidOptions {
            tls,
            ..SquidOptions::default()
        },
    )
    .await;
    let folder = TempDir::new("trust");
    let bundle = folder.join("bundle.pem");
    std::fs::write(&bundle, format!("{}{}", quickstart.ca(), authority.pem())).unwrap();
    let proxy = format!("https://proxy.localhost:{}", squid.port());
    let bundle = bundle.display().to_string();
    let settings = [
        ("proxy_server", proxy.as_str()),
        ("cluster_use_proxy", "on"),
        ("proxy_server_ssl_verify", "on"),
        ("lua_ssl_trusted_certificate", bundle.as_str()),
    ];
    let mut node = Node::joining(&quickstart, &settings);

    node.ready().await;

    until_status(&Client::new(), &node.url("/one/x"), 200).await;
}

#[tokio::test]
async fn certificate_of_version_1_made_by_gen_cert_joins() {
    let (quickstart, _backend) = start_with_one().await;
    let folder = TempDir::new("gen-cert");
    let (cert, key) = (folder.join("cluster.crt"), folder.join("cluster.key"));
    let (cert, key) = (cert.display().to_string(), key.display().to_string());
    let output = run_to_end(&["hybrid", "gen_cert", &cert, &key]).await;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let read = |path: &str| std::fs::read_to_string(path).unwrap();
    let identity = Identity {
        certificate: read(&cert),
        key: read(&key),
    };
    pin(&quickstart, &identity).await;
    let mut node = Node::joining_as(&quickstart, &identity, &[]);

    node.ready().await;

    until_status(&Client::new(), &node.url("/one/x"), 200).await;
}

#[tokio::test]
async fn certificate_made_by_openssl_as_the_documents_say_joins() {
    let (quickstart, _backend) = start_with_one().await;
    let folder = TempDir::new("openssl");
    let (cert, key) = (folder.join("tls.crt"), folder.join("tls.key"));
    let mut command = tokio::process::Command::new("openssl");
    command
        .args(["req", "-new", "-x509", "-nodes", "-newkey", "ec:"])
        .args(["-pkeyopt", "ec_paramgen_curve:secp384r1", "-days", "30"])
        .args(["-subj", "/CN=kong_clustering", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&cert);
    let made = command.output().await.unwrap();
    if !made.status.success() {
        // Older openssl does not take a curve this way; make the key first.
        let mut command = tokio::process::Command::new("openssl");
        command
            .args(["ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out"])
            .arg(&key);
        assert!(command.status().await.unwrap().success());
        let mut command = tokio::process::Command::new("openssl");
        command.args([
            "req",
            "-new",
            "-x509",
            "-days",
            "30",
            "-subj",
            "/CN=kong_clustering",
        ]);
        command.arg("-key").arg(&key).arg("-out").arg(&cert);
        assert!(command.status().await.unwrap().success());
    }
    let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
    let identity = Identity {
        certificate: read(&cert),
        key: read(&key),
    };
    pin(&quickstart, &identity).await;
    let mut node = Node::joining_as(&quickstart, &identity, &[]);

    node.ready().await;

    until_status(&Client::new(), &node.url("/one/x"), 200).await;
}

#[tokio::test]
async fn certificate_of_nobody_does_not_join() {
    let (quickstart, _backend) = start_with_one().await;
    let stranger = TestAuthority::new("stranger").client("stranger");
    let mut node = Node::joining_as(&quickstart, &stranger, &[]);

    node.start();

    node.process().prints("certificate").await;
    let ready = Client::new()
        .get(&node.status_url("/status/ready"))
        .await
        .unwrap();
    assert_eq!(ready.status, 503);
}

#[tokio::test]
async fn certificate_of_another_control_plane_does_not_join() {
    let (quickstart, _backend) = start_with_one().await;
    let planes = format!("{}/v2/control-planes", quickstart.fact("geo_api_url"));
    let other = quickstart
        .client()
        .json("POST", &planes, &json!({"name": "other"}))
        .await
        .unwrap();
    let id = other.json()["id"].as_str().unwrap().to_owned();
    let identity = TestAuthority::new("other").client("other");
    let url = format!("{planes}/{id}/dp-client-certificates");
    let body = json!({"cert": identity.certificate});
    assert_eq!(
        quickstart
            .client()
            .json("POST", &url, &body)
            .await
            .unwrap()
            .status,
        201
    );
    let mut node = Node::joining_as(&quickstart, &identity, &[]);

    node.start();

    node.process().prints("certificate").await;
    let ready = Client::new()
        .get(&node.status_url("/status/ready"))
        .await
        .unwrap();
    assert_eq!(ready.status, 503);
}

#[tokio::test]
async fn expired_certificate_does_not_join() {
    let (quickstart, _backend) = start_with_one().await;
    let identity = TestAuthority::new("old").expired_client("old");
    let url = format!("{}/dp-client-certificates", quickstart.plane_url());
    let body = json!({"cert": identity.certificate});
    drop(quickstart.client().json("POST", &url, &body).await.unwrap());
    let mut node = Node::joining_as(&quickstart, &identity, &[]);

    node.start();

    node.process().prints("has expired").await;
    let ready = Client::new()
        .get(&node.status_url("/status/ready"))
        .await
        .unwrap();
    assert_eq!(ready.status, 503);
}

#[tokio::test]
async fn revoking_a_certificate_ends_its_connections_at_once() {
    let (quickstart, _backend) = start_with_one().await;
    let identity = TestAuthority::new("short-lived").client("short-lived");
    let id = pin(&quickstart, &identity).await;
    let mut node = Node::joining_as(&quickstart, &identity, &[]);
    node.ready().await;
    until_status(&Client::new(), &node.url("/one/x"), 200).await;
    let url = format!("{}/dp-client-certificates/{id}", quickstart.plane_url());

    let deleted = quickstart
        .client()
        .send("DELETE", &url, &[], bytes::Bytes::new())
        .await
        .unwrap();
    publish(
        &quickstart,
        "two",
        1,
        json!({"name": "two", "paths": ["/two"]}),
    )
    .await;

    assert_eq!(deleted.status, 204);
    // The first node of the installation gets the change, the revoked one does not.
    let other = quickstart.proxy_url("/two");
    until_status(&Client::new(), &other, 502).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(
        Client::new().get(&node.url("/two")).await.unwrap().status,
        404
    );
    assert_eq!(
        Client::new().get(&node.url("/one/x")).await.unwrap().status,
        200
    );
}

#[tokio::test]
async fn labels_version_and_hostname_of_a_node_are_listed() {
    let (quickstart, _backend) = start_with_one().await;
    let mut node = Node::joining(&quickstart, &[("cluster_dp_labels", "team:edge,type:test")]);
    node.ready().await;

    let nodes = format!("{}/nodes", quickstart.plane_url());
    let found = eventually("the node is listed", async || {
        let nodes = quickstart.client().get(&nodes).await.ok()?.json();
        let has_label = |node: &&serde_json::Value| node["labels"]["team"] == "edge";
        nodes["items"].as_array()?.iter().find(has_label).cloned()
    })
    .await;

    assert_eq!(found["type"], "kong-proxy");
    assert!(
        found["hostname"]
            .as_str()
            .is_some_and(|name| !name.is_empty())
    );
    let state = &found["compatibility_status"]["state"];
    assert_eq!(state, "COMPATIBILITY_STATE_FULLY_COMPATIBLE");
}
