//! One command makes a whole installation that serves, survives and ends in good order.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use gatehouse_tests::until_status;
use serde_json::Value;
use test_support::{Client, Quickstart, QuickstartOptions, eventually};

const KEYS: [&str; 16] = [
    "base_domain",
    "ca_cert_path",
    "console_url",
    "global_api_url",
    "geo_api_url",
    "control_plane_id",
    "control_plane_endpoint",
    "telemetry_endpoint",
    "node_cert_path",
    "node_key_path",
    "token",
    "admin_email",
    "admin_password",
    "proxy_http_url",
    "proxy_https_url",
    "audit_port",
];

#[tokio::test]
async fn quickstart_serves_the_sample_and_writes_what_it_made() {
    let quickstart = Quickstart::start(&QuickstartOptions::default()).await;

    let answer = Client::new()
        .get(&quickstart.proxy_url("/echo/hello"))
        .await
        .unwrap();

    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(
        answer
            .header("x-kong-request-id")
            .is_some_and(|id| id.len() == 32)
    );
    assert!(
        answer
            .header("via")
            .is_some_and(|via| via.starts_with("1.1 gatehouse/"))
    );
    let facts = quickstart.facts().as_object().unwrap();
    let mut keys: Vec<&str> = facts.keys().map(String::as_str).collect();
    let mut expected = KEYS.to_vec();
    keys.sort_unstable();
    expected.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!(facts["audit_port"], Value::Null);
    let file = quickstart.folder().join("quickstart.json");
    assert_eq!(
        std::fs::metadata(file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let key = std::fs::metadata(quickstart.fact("node_key_path")).unwrap();
    assert_eq!(
        key.permissions().mode() & 0o077,
        0,
        "the node's key is its owner's only"
    );
}

#[tokio::test]
async fn quickstart_prints_urls_secrets_and_a_curl_that_works() {
    let mut quickstart = Quickstart::start(&QuickstartOptions::default()).await;

    let output = quickstart.process().output();

    for name in [
        "console_url",
        "global_api_url",
        "geo_api_url",
        "proxy_http_url",
        "proxy_https_url",
    ] {
        assert!(
            output.contains(quickstart.fact(name)),
            "{name} is missing in:\n{output}"
        );
    }
    assert!(output.contains(quickstart.fact("token")));
    assert!(output.contains(quickstart.fact("admin_password")));
    let line = output
        .lines()
        .find(|line| line.contains("curl http://"))
        .unwrap();
    let url = line
        .split_whitespace()
        .find(|word| word.starts_with("http://"))
        .unwrap();
    assert_eq!(Client::new().get(url).await.unwrap().status, 200);
    let pasted: Vec<&str> = output
        .lines()
        .skip_while(|line| !line.contains("TOKEN="))
        .take_while(|line| !line.is_empty())
        .collect();
    let mut shell = tokio::process::Command::new("sh");
    let ran = shell
        .arg("-ec")
        .arg(pasted.join("\n"))
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    let plane = quickstart.fact("control_plane_id");
    assert!(said.contains(plane), "{pasted:?} gave {said}");
}

#[tokio::test]
async fn second_start_finds_everything_again_and_repeats_no_secret() {
    let mut quickstart = Quickstart::start(&QuickstartOptions::default()).await;
    let before = quickstart.facts().clone();
    quickstart.process().terminate(Duration::from_secs(5)).await;

    quickstart.start_again().await;

    assert_eq!(quickstart.facts(), &before);
    let output = quickstart.process().output();
    assert!(
        !output.contains(before["admin_password"].as_str().unwrap()),
        "{output}"
    );
    assert!(
        !output.contains(before["token"].as_str().unwrap()),
        "{output}"
    );
    until_status(&Client::new(), &quickstart.proxy_url("/echo/again"), 200).await;
    let plane = quickstart
        .client()
        .get(&quickstart.plane_url())
        .await
        .unwrap();
    assert_eq!(plane.json()["name"], "default");
}

#[tokio::test]
async fn sigterm_ends_platform_and_node_within_five_seconds() {
    let mut quickstart = Quickstart::start(&QuickstartOptions::default()).await;
    let url = quickstart.proxy_url("/echo/x");
    until_status(&Client::new(), &url, 200).await;

    let code = quickstart.process().terminate(Duration::from_secs(5)).await;

    assert_eq!(code, Some(0));
    eventually("the node has ended too", async || {
        Client::new().get(&url).await.err()
    })
    .await;
}

#[tokio::test]
async fn killing_the_platform_leaves_traffic_untouched() {
    let mut quickstart = Quickstart::start(&QuickstartOptions::default()).await;
    let url = quickstart.proxy_url("/echo/x");
    until_status(&Client::new(), &url, 200).await;

    quickstart.process().kill().await;

    for _ in 0..50 {
        assert_eq!(Client::new().get(&url).await.unwrap().status, 200);
    }
    quickstart.start_again().await;
    assert_eq!(Client::new().get(&url).await.unwrap().status, 200);
    assert_eq!(
        quickstart
            .client()
            .get(&quickstart.plane_url())
            .await
            .unwrap()
            .status,
        200
    );
}

#[tokio::test]
async fn quickstart_without_sample_has_no_route() {
    let quickstart = Quickstart::empty().await;

    let answer = until_status(&Client::new(), &quickstart.proxy_url("/echo/x"), 404).await;

    assert_eq!(
        answer.json()["message"],
        "no Route matched with those values"
    );
}
