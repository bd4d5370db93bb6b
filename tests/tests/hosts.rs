//! One TLS port, split by host name.

use test_support::{Client, Quickstart};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn port(quickstart: &Quickstart) -> &str {
    quickstart.flag("--platform-port")
}

#[tokio::test]
async fn each_name_serves_what_it_is_for() {
    let quickstart = Quickstart::empty().await;
    let (client, port) = (quickstart.client(), port(&quickstart));
    let status = async |host: &str, path: &str| {
        client
            .get(&format!("https://{host}:{port}{path}"))
            .await
            .unwrap()
            .status
    };

    assert_eq!(status("cloud.konghq.localhost", "/").await, 200);
    assert_eq!(
        status("global.api.konghq.localhost", "/v3/organizations/me").await,
        200
    );
    assert_eq!(
        status("global.api.konghq.localhost", "/v2/organizations/me").await,
        200
    );
    assert_eq!(
        status("us.api.konghq.localhost", "/v2/control-planes").await,
        200
    );
    assert_eq!(
        status("eu.api.konghq.localhost", "/v2/control-planes").await,
        200
    );
    assert_eq!(status("localhost", "/v2/control-planes").await, 200);
    assert_eq!(status("127.0.0.1", "/v2/control-planes").await, 200);
    assert_eq!(
        status("us.api.konghq.localhost", "/openapi.json").await,
        200
    );
}

#[tokio::test]
async fn console_page_names_the_hosts_of_this_installation() {
    let quickstart = Quickstart::empty().await;

    let page = quickstart
        .client()
        .get(&format!("{}/", quickstart.fact("console_url")))
        .await;

    let page = page.unwrap();
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    for host in [
        "global.api.konghq.localhost",
        "us.api.konghq.localhost",
        "openapi.json",
    ] {
        assert!(page.text().contains(host), "{host} is missing");
    }
}

#[tokio::test]
async fn unknown_name_gets_a_problem_that_lists_patterns_only() {
    let quickstart = Quickstart::empty().await;
    let url = format!("https://localhost:{}/", port(&quickstart));
    let headers = [("host", "nothing.example.org")];

    let client = quickstart.client().server_name("localhost");
    let answer = client
        .send("GET", &url, &headers, bytes::Bytes::new())
        .await
        .unwrap();

    // The certificate is for a known class, the Host for none: both readings refuse it.
    assert!(matches!(answer.status, 404 | 421), "{}", answer.status);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    let prefix = quickstart.fact("control_plane_endpoint");
    let prefix = prefix
        .trim_start_matches("https://")
        .split('.')
        .next()
        .unwrap();
    assert!(!answer.text().contains(prefix));
}

#[tokio::test]
async fn host_of_another_class_than_the_server_name_is_misdirected() {
    let quickstart = Quickstart::empty().await;
    let port = port(&quickstart);
    let url = format!("https://cloud.konghq.localhost:{port}/v2/control-planes");
    let host = format!("us.api.konghq.localhost:{port}");

    let answer = quickstart
        .client()
        .send("GET", &url, &[("host", &host)], bytes::Bytes::new())
        .await
        .unwrap();

    assert_eq!(answer.status, 421, "{}", answer.text());
}

#[tokio::test]
async fn configuration_names_want_a_client_certificate() {
    let quickstart = Quickstart::empty().await;
    let url = format!("{}/v1/outlet", quickstart.fact("control_plane_endpoint"));

    let without = quickstart.client().get(&url).await;
    let with = quickstart
        .client()
        .identified(&quickstart.node_identity())
        .get(&url)
        .await;

    if let Ok(answer) = without {
        assert!(
            matches!(answer.status, 400 | 401),
            "{} {}",
            answer.status,
            answer.text()
        );
    }
    assert_eq!(
        with.unwrap().status,
        400,
        "with a certificate the missing node_id is what is wrong"
    );
}

#[tokio::test]
async fn unknown_prefix_cannot_be_told_from_a_known_one() {
    let quickstart = Quickstart::empty().await;
    let known = quickstart.fact("control_plane_endpoint").to_owned();
    let prefix = known
        .trim_start_matches("https://")
        .split('.')
        .next()
        .unwrap();
    let unknown = known.replace(prefix, "0123456789");
    let client = quickstart.client();

    let known = client
        .get(&format!("{known}/v1/outlet?node_id=x&node_version=3.9.0"))
        .await;
    let unknown = client
        .get(&format!("{unknown}/v1/outlet?node_id=x&node_version=3.9.0"))
        .await;

    let shape = |answer: Result<test_support::Answer, String>| {
        answer
            .map(|answer| (answer.status, answer.body))
            .map_err(|_| "refused")
    };
    assert_eq!(shape(known), shape(unknown));
}

#[tokio::test]
async fn wrpc_is_not_found_so_that_old_nodes_choose_v1() {
    let quickstart = Quickstart::empty().await;
    let client = quickstart.client().identified(&quickstart.node_identity());

    let url = format!("{}/v1/wrpc", quickstart.fact("control_plane_endpoint"));
    let answer = client
        .send("HEAD", &url, &[], bytes::Bytes::new())
        .await
        .unwrap();

    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn plain_http_on_the_tls_port_does_not_hang() {
    let quickstart = Quickstart::empty().await;
    let port: u16 = port(&quickstart).parse().unwrap();

    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(
        std::time::Duration::from_secs(10),
        stream.read_to_end(&mut answer),
    );

    assert!(read.await.is_ok(), "the connection is closed");
}

#[tokio::test]
async fn hosts_command_prints_lines_for_the_hosts_file() {
    let quickstart = Quickstart::empty().await;

    let output =
        test_support::run_to_end(&["hosts", "--data-dir", quickstart.flag("--data-dir")]).await;

    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for host in [
        "cloud.konghq.localhost",
        "us.api.konghq.localhost",
        "global.api.konghq.localhost",
    ] {
        let line = text
            .lines()
            .find(|line| line.split_whitespace().any(|word| word == host));
        assert!(
            line.is_some_and(|line| line.starts_with("127.0.0.1")),
            "{host} in:\n{text}"
        );
    }
    assert!(text.contains(".us.cp0.konghq.localhost"));
}

#[tokio::test]
async fn other_clients_do_not_matter_to_trust() {
    let quickstart = Quickstart::empty().await;

    let answer = Client::new()
        .get(&format!("{}/", quickstart.fact("console_url")))
        .await;

    assert!(
        answer.is_err(),
        "the private authority is trusted by nobody by default"
    );
}
