//! A node on its own with a database, set up through its Admin API, as its operator sees it.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use test_support::{
    Answer, Backend, Client, Node, Postgres, PostgresOptions, eventually, free_port,
};

/// A node with a database and an Admin API on loopback.
struct Traditional {
    node: Node,
    admin: String,
}

impl Traditional {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let mut started = Self::prepare(settings);
        started.node.ready().await;
        started
    }

    /// The same for a node that is not ready before it is configured.
    async fn start_unready(settings: &[(&str, &str)]) -> Self {
        let mut started = Self::prepare(settings);
        started.node.start();
        started.node.process().prints("node started").await;
        started
    }

    fn prepare(settings: &[(&str, &str)]) -> Self {
        let port = free_port();
        let mut node = Node::new(settings);
        node.set("admin_listen", &format!("127.0.0.1:{port}"));
        let admin = format!("http://127.0.0.1:{port}");
        Self { node, admin }
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        let url = format!("{}{path}", self.admin);
        let answer = if body.is_null() {
            Client::new().send(method, &url, &[], Bytes::new()).await
        } else {
            Client::new().json(method, &url, body).await
        };
        answer.expect("an answer of the Admin API")
    }

    async fn made(&self, path: &str, body: &Value) -> Value {
        let answer = self.call("POST", path, body).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.text());
        answer.json()
    }

    async fn get(&self, path: &str) -> Answer {
        let url = format!("{}{path}", self.admin);
        Client::new()
            .get(&url)
            .await
            .expect("an answer of the node")
    }

    async fn proxied(&self, path: &str, key: &str) -> u16 {
        let headers = [("apikey", key)];
        let url = self.node.url(path);
        let answer = Client::new()
            .send("GET", &url, &headers, Bytes::new())
            .await;
        answer.map_or(0, |answer| answer.status)
    }

    async fn until(&self, path: &str, key: &str, status: u16) {
        let what = format!("{path} answers {status}");
        eventually(&what, async || {
            (self.proxied(path, key).await == status).then_some(())
        })
        .await;
    }

    /// A service with a route at `/r` that asks for a key, and alice, who has one.
    async fn guarded(&self, port: u16) {
        let service = json!({"name": "s", "url": format!("http://127.0.0.1:{port}")});
        self.made("/services", &service).await;
        let route = json!({"name": "r", "paths": ["/r"]});
        self.made("/services/s/routes", &route).await;
        self.made("/routes/r/plugins", &json!({"name": "key-auth"}))
            .await;
        self.made("/consumers", &json!({"username": "alice"})).await;
        let key = json!({"key": "alice-key"});
        self.made("/consumers/alice/key-auth", &key).await;
    }

    async fn restart(&mut self) {
        let ended = self.node.process().terminate(Duration::from_secs(20)).await;
        assert_eq!(ended, Some(0));
        self.node.ready().await;
    }
}

#[tokio::test]
async fn traffic_follows_the_admin_api_and_a_restart_keeps_everything() {
    let backend = Backend::start("one").await;
    let mut node = Traditional::start(&[("database", "sqlite")]).await;
    node.guarded(backend.port()).await;
    node.until("/r", "alice-key", 200).await;
    assert_eq!(node.proxied("/r", "another").await, 401);

    node.restart().await;
    assert_eq!(node.proxied("/r", "alice-key").await, 200);
    assert_eq!(node.proxied("/r", "another").await, 401);

    let changed = node
        .call("PATCH", "/routes/r", &json!({"paths": ["/moved"]}))
        .await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    node.until("/moved", "alice-key", 200).await;
    assert_eq!(node.proxied("/r", "alice-key").await, 404);
    let refused = node.call("DELETE", "/services/s", &Value::Null).await;
    assert_eq!((refused.status, &refused.json()["code"]), (400, &json!(4)));
    assert_eq!(
        node.call("DELETE", "/routes/r", &Value::Null).await.status,
        204
    );
    node.until("/moved", "alice-key", 404).await;
}

#[tokio::test]
async fn acknowledged_writes_survive_a_kill() {
    let backend = Backend::start("one").await;
    let mut node = Traditional::start(&[("database", "sqlite")]).await;
    let service = json!({"name": "s", "url": format!("http://127.0.0.1:{}", backend.port())});
    node.made("/services", &service).await;
    for number in 0..20 {
        let route = json!({"name": format!("r{number}"), "paths": [format!("/r{number}")]});
        node.made("/services/s/routes", &route).await;
    }
    node.node.process().kill().await;

    node.node.ready().await;
    for number in 0..20 {
        let route = node.get(&format!("/routes/r{number}")).await;
        assert_eq!(route.status, 200, "r{number}");
        assert_eq!(node.proxied(&format!("/r{number}"), "").await, 200);
    }
}

#[tokio::test]
async fn secrets_are_sealed_on_disk_and_masked_in_the_settings() {
    let server = Postgres::shared();
    let port = server.port().to_string();
    let schema = server.fresh_schema();
    let node = Traditional::start(&[
        ("database", "postgres"),
        ("pg_port", &port),
        ("pg_user", "gatehouse"),
        ("pg_password", "hush-hush"),
        ("pg_database", "postgres"),
        ("pg_schema", &schema),
    ])
    .await;
    node.made("/consumers", &json!({"username": "alice"})).await;
    let key = json!({"key": "alice-secret-key"});
    node.made("/consumers/alice/key-auth", &key).await;

    let root = node.get("/").await;
    assert_eq!(root.json()["configuration"]["pg_password"], "******");
    assert!(!root.text().contains("hush-hush"));
    assert_eq!(root.json()["configuration"]["database_kind"], "postgres");
    let stored = server.sql(&format!("SELECT * FROM \"{schema}\".entity"));
    assert!(stored.contains("keyauth_credentials"), "{stored}");
    assert!(!stored.contains("alice-secret-key"));
    assert!(!node.node.output().contains("hush-hush"));
}

#[tokio::test]
async fn a_stopped_postgres_costs_no_request_and_writes_say_so_until_it_is_back() {
    let backend = Backend::start("one").await;
    let mut server = Postgres::start(&PostgresOptions::default());
    let port = server.port().to_string();
    let mut node = Traditional::start(&[
        // `database` is not set: it follows from `pg_port`.
        ("pg_port", &port),
        ("pg_user", "gatehouse"),
        ("pg_database", "postgres"),
        ("pg_timeout", "2000"),
    ])
    .await;
    node.guarded(backend.port()).await;
    node.until("/r", "alice-key", 200).await;

    server.stop();
    let body = json!({"name": "late", "host": "late.test"});
    let refused = node.call("POST", "/services", &body).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(node.proxied("/r", "alice-key").await, 200);
    let status = node.get("/status").await.json();
    assert_eq!(status["database"]["reachable"], false, "{status}");

    node.restart().await;
    assert_eq!(node.proxied("/r", "alice-key").await, 200);
    assert_eq!(node.get("/services").await.status, 503);

    server.start_again();
    eventually("the Admin API is back", async || {
        (node.get("/services").await.status == 200).then_some(())
    })
    .await;
    assert_eq!(node.get("/services/late").await.status, 404);
    node.made("/services", &body).await;
    node.made("/services/late/routes", &json!({"paths": ["/late"]}))
        .await;
    // Nobody listens at `late.test`.
    node.until("/late", "", 503).await;
}

#[tokio::test]
async fn nodes_of_one_database_follow_each_other() {
    let backend = Backend::start("one").await;
    let server = Postgres::shared();
    let (port, schema) = (server.port().to_string(), server.fresh_schema());
    let settings = [
        ("database", "postgres"),
        ("pg_port", port.as_str()),
        ("pg_user", "gatehouse"),
        ("pg_database", "postgres"),
        ("pg_schema", schema.as_str()),
    ];
    let first = Traditional::start(&settings).await;
    let key = first.node.prefix().join("node.key").display().to_string();
    let mut shared = settings.to_vec();
    shared.push(("database_key", &key));
    let second = Traditional::start(&shared).await;

    first.guarded(backend.port()).await;
    second.until("/r", "alice-key", 200).await;
    let gone = second.call("DELETE", "/routes/r", &Value::Null).await;
    assert_eq!(gone.status, 204);
    first.until("/r", "alice-key", 404).await;
}

#[tokio::test]
async fn the_log_level_changes_for_a_while() {
    let node = Traditional::start(&[("database", "sqlite")]).await;
    let level = async || node.get("/debug/node/log-level").await.json()["message"].clone();
    assert_eq!(level().await, "log level: notice");
    let put = async |path: &str| node.call("PUT", path, &Value::Null).await;
    let changed = put("/debug/node/log-level/debug?timeout=1").await;
    assert_eq!(changed.json()["message"], "log level changed");
    let again = put("/debug/node/log-level/debug").await;
    assert_eq!(again.json()["message"], "log level is already debug");
    let unknown = put("/debug/node/log-level/loud").await;
    assert_eq!(unknown.json()["message"], "unknown log level: loud");
    let negative = put("/debug/node/log-level/info?timeout=-1").await;
    assert_eq!(negative.status, 400);
    eventually("the level is back", async || {
        (level().await == "log level: notice").then_some(())
    })
    .await;
    let kept = put("/debug/cluster/log-level/warn?timeout=0").await;
    assert_eq!(kept.status, 200);
    assert_eq!(level().await, "log level: warn");
}

#[tokio::test]
async fn a_target_marked_unhealthy_gets_no_traffic() {
    let (one, two) = (Backend::start("one").await, Backend::start("two").await);
    let node = Traditional::start(&[("database", "sqlite")]).await;
    let checks = json!({"passive": {"unhealthy": {"http_failures": 1}}});
    node.made("/upstreams", &json!({"name": "u", "healthchecks": checks}))
        .await;
    let address = |backend: &Backend| format!("127.0.0.1:{}", backend.port());
    for backend in [&one, &two] {
        let target = json!({"target": address(backend)});
        node.made("/upstreams/u/targets", &target).await;
    }
    node.made("/services", &json!({"name": "s", "host": "u"}))
        .await;
    node.made("/services/s/routes", &json!({"paths": ["/r"]}))
        .await;
    node.until("/r", "", 200).await;

    let marked = format!("/upstreams/u/targets/{}/unhealthy", address(&one));
    assert_eq!(node.call("PUT", &marked, &Value::Null).await.status, 204);
    let health = node.get("/upstreams/u/health").await.json();
    let of = |backend: &Backend| {
        let rows = health["data"].as_array().unwrap().iter();
        let mut found = rows.filter(|row| row["target"] == address(backend).as_str());
        found.next().unwrap()["health"].clone()
    };
    assert_eq!((of(&one), of(&two)), (json!("UNHEALTHY"), json!("HEALTHY")));
    let shown = health.to_string();
    assert!(
        shown.contains("marked as unhealthy through the Admin API"),
        "{shown}"
    );
    let whole = node
        .get("/upstreams/u/health?balancer_health=1")
        .await
        .json();
    let weight = &whole["data"]["details"]["weight"];
    assert_eq!(
        *weight,
        json!({"total": 200, "available": 100, "unavailable": 100})
    );
    // The mark is in force once ten requests in a row spare the target.
    eventually("no traffic reaches the target", async || {
        let before = one.seen().len();
        for _ in 0..10 {
            assert_eq!(node.proxied("/r", "").await, 200);
        }
        (one.seen().len() == before).then_some(())
    })
    .await;

    let back = format!("/upstreams/u/targets/{}/healthy", address(&one));
    assert_eq!(node.call("PUT", &back, &Value::Null).await.status, 204);
    let before = one.seen().len();
    eventually("traffic comes back", async || {
        node.proxied("/r", "").await;
        (one.seen().len() > before).then_some(())
    })
    .await;
    let unknown = "/upstreams/u/targets/127.0.0.1:1/healthy";
    assert_eq!(node.call("PUT", unknown, &Value::Null).await.status, 404);
}

#[tokio::test]
async fn wrong_settings_are_said_before_anything_listens() {
    let ends_with = async |settings: &[(&str, &str)], expected: &[&str]| {
        let mut node = Node::new(settings);
        node.start();
        let what = format!("{settings:?} is refused");
        eventually(&what, async || (!node.process().is_running()).then_some(())).await;
        for part in expected {
            node.process().prints(part).await;
        }
    };
    ends_with(
        &[("database", "mysql")],
        &["`database`", "`sqlite`, `postgres`, `off`"],
    )
    .await;
    ends_with(
        &[("pg_port", "0"), ("pg_timeout", "soon")],
        &["`pg_port`", "`pg_timeout`"],
    )
    .await;
    let port = Postgres::shared().port().to_string();
    let nowhere = [
        ("pg_port", port.as_str()),
        ("pg_user", "gatehouse"),
        ("pg_database", "nowhere"),
    ];
    ends_with(&nowhere, &["nowhere"]).await;
    let key = [("database", "sqlite"), ("database_key", "/dev/null")];
    ends_with(&key, &["/dev/null"]).await;
}

#[tokio::test]
async fn two_nodes_do_not_share_one_file() {
    let node = Traditional::start(&[("database", "sqlite")]).await;
    let prefix = node.node.prefix().display().to_string();
    let mut second = Node::new(&[("database", "sqlite"), ("prefix", &prefix)]);
    second.start();
    second
        .process()
        .prints("is in use by another process")
        .await;
}

#[tokio::test]
async fn a_node_without_a_database_is_configured_as_a_whole_and_read_in_parts() {
    let backend = Backend::start("one").await;
    let mut node = Traditional::start_unready(&[("database", "off")]).await;
    let document = json!({
        "_format_version": "3.0",
        "services": [{
            "name": "s", "url": format!("http://127.0.0.1:{}", backend.port()),
            "routes": [{"name": "r", "paths": ["/r"]}],
        }],
    });
    let taken = node.call("POST", "/config?check_hash=1", &document).await;
    assert_eq!(taken.status, 201, "{}", taken.text());
    node.until("/r", "", 200).await;
    assert_eq!(node.get("/routes/r/service").await.json()["name"], "s");
    let refused = node.call("POST", "/services", &json!({"host": "h"})).await;
    assert_eq!((refused.status, &refused.json()["code"]), (405, &json!(12)));
    let exported = node.get("/config").await.json()["config"].clone();
    assert!(exported.as_str().unwrap().contains("name: s"), "{exported}");

    node.restart().await;
    assert_eq!(node.proxied("/r", "").await, 200);
    assert_eq!(node.get("/services/s").await.status, 200);
}
