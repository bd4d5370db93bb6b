//! Black-box scenarios on the built binary: real processes, real sockets, real TLS, a real
//! forward proxy. Nothing in here knows the inside of the product.

use std::path::PathBuf;

use serde_json::{Value, json};
use test_support::{Answer, Backend, Client, Quickstart, eventually};

/// Starts an installation that serves `/one` from a backend of that name.
///
/// # Panics
///
/// Panics when one of them does not come up.
pub async fn start_with_one() -> (Quickstart, Backend) {
    let quickstart = Quickstart::empty().await;
    let backend = Backend::start("one").await;
    let route = json!({"name": "one", "paths": ["/one"]});
    publish(&quickstart, "one", backend.port(), route).await;
    (quickstart, backend)
}

/// Creates a service with one route below the first control plane and gives both ids.
///
/// # Panics
///
/// Panics when the API refuses.
pub async fn publish(
    quickstart: &Quickstart,
    name: &str,
    port: u16,
    route: Value,
) -> (String, String) {
    let service = json!({"name": name, "host": "127.0.0.1", "port": port});
    let service = create(quickstart, "services", &service).await;
    let mut route = route;
    route["service"] = json!({"id": service});
    let route = create(quickstart, "routes", &route).await;
    (service, route)
}

/// Creates an entity of the first control plane and gives its id.
///
/// # Panics
///
/// Panics when the API refuses, with its answer.
pub async fn create(quickstart: &Quickstart, path: &str, body: &Value) -> String {
    let url = quickstart.entities_url(path);
    let answer = quickstart
        .client()
        .json("POST", &url, body)
        .await
        .expect("the API answers");
    assert_eq!(answer.status, 201, "{path}: {}", answer.text());
    answer.json()["id"]
        .as_str()
        .expect("an entity has an id")
        .to_owned()
}

/// Asks through a node until the answer has the status wanted; gives that answer.
///
/// # Panics
///
/// Panics when it does not within 20 seconds.
pub async fn until_status(client: &Client, url: &str, status: u16) -> Answer {
    let what = format!("{url} answers {status}");
    eventually(&what, async || {
        let answer = client.get(url).await.ok()?;
        (answer.status == status).then_some(answer)
    })
    .await
}

/// A program of the folder that `scripts/install-test-packages.sh` fills.
///
/// # Panics
///
/// Panics when it is not there.
#[must_use]
pub fn tool(name: &str) -> PathBuf {
    let variable = |wanted: &str| {
        let mut all = std::env::vars();
        all.find_map(|(name, value)| (name == wanted).then_some(value))
    };
    let folder = variable("GATEHOUSE_PYTHON").map_or_else(
        || PathBuf::from(variable("HOME").expect("HOME is set")).join(".cache/gatehouse/python"),
        PathBuf::from,
    );
    let path = folder.join("bin").join(name);
    assert!(
        path.exists(),
        "{} is missing: run scripts/install-test-packages.sh",
        path.display()
    );
    path
}
