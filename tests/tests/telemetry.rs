//! What every request did comes back from the platform, exactly.

use gatehouse_tests::{publish, until_status};
use serde_json::{Value, json};
use test_support::{Backend, Client, Quickstart, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn rows(quickstart: &Quickstart, group: &str) -> Option<Vec<Value>> {
    let base = quickstart.fact("geo_api_url");
    let id = quickstart.fact("control_plane_id");
    let url = format!("{base}/v1/control-planes/{id}/requests?group_by={group}");
    let answer = quickstart.client().get(&url).await.ok()?;
    answer.json()["data"].as_array().cloned()
}

#[tokio::test]
async fn requests_are_counted_by_service_route_and_status() {
    let quickstart = Quickstart::empty().await;
    let backend = Backend::start("one").await;
    let route = json!({"name": "one", "paths": ["/one"]});
    let (service, route) = publish(&quickstart, "one", backend.port(), route).await;
    let client = Client::new();
    until_status(&client, &quickstart.proxy_url("/one/x"), 200).await;
    for _ in 0..9 {
        assert_eq!(
            client
                .get(&quickstart.proxy_url("/one/x"))
                .await
                .unwrap()
                .status,
            200
        );
    }
    for _ in 0..4 {
        let url = quickstart.proxy_url("/one/status/503");
        assert_eq!(client.get(&url).await.unwrap().status, 503);
    }

    let found = eventually("fourteen requests are counted", async || {
        let rows = rows(&quickstart, "service,route,status").await?;
        let count = |status: u64| {
            let is_it = |row: &&Value| {
                row["status"] == status && row["service"] == service && row["route"] == route
            };
            rows.iter()
                .filter(is_it)
                .map(|row| row["count"].as_u64().unwrap_or(0))
                .sum::<u64>()
        };
        (count(200) == 10 && count(503) == 4).then_some(rows)
    })
    .await;

    assert!(
        found.iter().all(|row| row["count"].as_u64().is_some()),
        "{found:?}"
    );
}

#[tokio::test]
async fn stock_telemetry_sockets_are_accepted() {
    let quickstart = Quickstart::empty().await;
    let client = quickstart.client().identified(&quickstart.node_identity());

    let endpoint = quickstart
        .fact("telemetry_endpoint")
        .trim_start_matches("https://");
    let (host, port) = endpoint.split_once(':').unwrap();
    for path in ["/v1/analytics/reqlog", "/v1/ingest"] {
        let stream = TcpStream::connect(("127.0.0.1", port.parse::<u16>().unwrap())).await;
        let mut stream = client.shake_hands(stream.unwrap(), host).await.unwrap();
        let head = format!(
            "GET {path}?node_id=4cf1c6a0-7d0e-4b61-9b9c-2f4f2b1d9c11&node_hostname=h&node_version=3.9.1 \
             HTTP/1.1\r\nHost: {endpoint}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();

        let mut status = [0; 12];
        let read = stream.read_exact(&mut status);
        tokio::time::timeout(std::time::Duration::from_secs(10), read)
            .await
            .unwrap()
            .unwrap();

        assert_eq!(String::from_utf8_lossy(&status), "HTTP/1.1 101", "{path}");
    }
}
