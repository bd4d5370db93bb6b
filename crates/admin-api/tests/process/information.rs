//! Paths about the process: verbs, modes, health and marks, log levels.

use std::time::Duration;

use gatehouse_admin_api::gateway::Mode;
use serde_json::json;

use crate::fixture::Running;

const UPSTREAM: &str = "00000001-0000-4000-8000-000000000001";
const TARGET: &str = "00000001-0000-4000-8000-000000000002";

async fn with_upstream(checks: serde_json::Value) -> Running {
    let running = Running::start(Mode::Declarative).await;
    let upstream = json!({
        "id": UPSTREAM, "name": "u", "healthchecks": checks,
        "targets": [{"id": TARGET, "target": "127.0.0.1:80"}, {"target": "127.0.0.2:80"}],
    });
    running
        .configure(&json!({"_format_version": "3.0", "upstreams": [upstream]}))
        .await;
    running
}

#[tokio::test]
async fn every_listed_path_is_known_and_tells_its_verbs() {
    let running = Running::start(Mode::Database).await;
    let body = running.get("/endpoints").await.json();
    let listed = body["data"].as_array().unwrap();
    assert!(listed.len() > 140, "{}", listed.len());
    // Compat: these are listed and answered with 404.
    let absent = [
        "/snis/{snis}/certificate",
        "/targets",
        "/schemas/filters/{name}",
    ];
    for path in listed.iter().map(|path| path.as_str().unwrap()) {
        if absent.iter().any(|prefix| path.starts_with(prefix)) {
            continue;
        }
        let path = path.replace(['{', '}'], "x");
        let answer = running.send("OPTIONS", &path, None, "").await;
        let is_off = path.contains("filter-chains") || path.contains("/filters/");
        let is_missing = path.contains("/acls/") && path.starts_with("/consumers");
        assert!(
            answer.status == 204 || is_off || is_missing,
            "{path}: {}",
            answer.status
        );
        if answer.status == 204 {
            assert!(
                answer.header("allow").unwrap().contains("OPTIONS"),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn wrong_verbs_are_405_and_head_is_get_without_a_body() {
    let running = Running::start(Mode::Database).await;
    for path in ["/", "/status", "/timers", "/endpoints", "/plugins/enabled"] {
        let posted = running.send("POST", path, None, "").await;
        assert_eq!(posted.status, 405, "{path}");
        let head = running.send("HEAD", path, None, "").await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
    }
}

#[tokio::test]
async fn questions_without_an_answer_keep_their_reason_where_it_belongs() {
    let running = Running::start(Mode::Database).await;
    let refused = running.get("/status?unit=x").await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["message"], "invalid unit 'x'");
    let broken = running.get("/status?broken").await;
    assert_eq!(broken.status, 503);
    assert!(!broken.text().contains("secret"));
}

#[tokio::test]
async fn nodes_of_a_cluster_are_told_by_a_control_plane_only() {
    let running = Running::start(Mode::ControlPlane).await;
    let rows = running.get("/clustering/data-planes").await.json();
    assert_eq!(rows["data"][0]["version"], "3.9.3");
    let status = running.get("/clustering/status").await;
    assert_eq!(status.header("deprecation"), Some("true"));
    let node = json!({"config_hash": "ab", "hostname": "gw-1", "ip": "10.0.0.1", "last_seen": 5});
    assert_eq!(status.json(), json!({"0f0c": node}));
    let alone = Running::start(Mode::Database).await;
    for path in ["/clustering/data-planes", "/clustering/status"] {
        let answer = alone.get(path).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains("Control Plane for the cluster"));
    }
}

#[tokio::test]
async fn log_levels_are_set_with_their_time_and_paths_follow_the_mode() {
    let running = Running::start(Mode::Database).await;
    let level = running.get("/debug/node/log-level").await;
    assert_eq!(level.json()["message"], "log level: notice");
    for path in [
        "/debug/node/log-level/debug",
        "/debug/node/log-level/info?timeout=0",
        "/debug/cluster/log-level/warn?timeout=5",
    ] {
        assert_eq!(
            running.put(path).await.json()["message"],
            "log level changed"
        );
    }
    let body = r#"{"timeout":7}"#;
    let kind = Some("application/json");
    running
        .send("PUT", "/debug/node/log-level/error", kind, body)
        .await;
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let levels = running.process.levels.lock().clone();
    let expected = [
        ("debug", seconds(60)),
        ("info", None),
        ("warn", seconds(5)),
        ("error", seconds(7)),
    ];
    assert_eq!(levels.len(), expected.len());
    for ((level, time), (name, wanted)) in levels.iter().zip(expected) {
        assert_eq!((level.as_str(), *time), (name, wanted));
    }
    let refused = [
        ("/debug/node/log-level/loud", 400),
        ("/debug/node/log-level/info?timeout=-1", 400),
        ("/debug/node/log-level/info?timeout=soon", 400),
        ("/debug/cluster/control-planes-nodes/log-level/info", 404),
    ];
    for (path, status) in refused {
        assert_eq!(running.put(path).await.status, status, "{path}");
    }
    let plane = Running::start(Mode::ControlPlane).await;
    let path = "/debug/cluster/control-planes-nodes/log-level/info";
    assert_eq!(plane.put(path).await.status, 200);
    assert_eq!(plane.put("/debug/cluster/log-level/info").await.status, 404);
    let declared = Running::start(Mode::Declarative).await;
    assert_eq!(declared.put("/debug/node/log-level/info").await.status, 405);
}

#[tokio::test]
async fn health_is_told_by_target_and_by_balancer() {
    let running = with_upstream(json!({})).await;
    let health = running.get("/upstreams/u/health").await.json();
    assert_eq!(health["node_id"], "00000000-0000-0000-0000-000000000007");
    let rows = health["data"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row["health"] == "DNS_ERROR"));
    let path = format!("/upstreams/{UPSTREAM}/health?balancer_health=1");
    let balancer = running.get(&path).await.json();
    assert_eq!(
        balancer["data"],
        json!({"health": "HEALTHY", "id": UPSTREAM})
    );
    let empty = running.get("/upstreams/u/health?size=0").await.json();
    assert_eq!(empty["data"], json!([]));
    assert_eq!(running.get("/upstreams/nope/health").await.status, 404);
}

#[tokio::test]
async fn marks_need_a_target_and_health_checks() {
    let checks = json!({"active": {"healthy": {"interval": 5}}});
    let running = with_upstream(checks).await;
    for path in [
        "/upstreams/u/targets/127.0.0.1:80/unhealthy".to_owned(),
        format!("/upstreams/{UPSTREAM}/targets/{TARGET}/127.0.0.1:80/healthy"),
    ] {
        assert_eq!(running.put(&path).await.status, 204, "{path}");
    }
    let marks = running.process.marks.lock().clone();
    assert_eq!(marks.len(), 2);
    assert!(marks.iter().all(|mark| mark.target == "127.0.0.1:80"));
    assert_eq!((marks[0].is_healthy, &marks[0].address), (false, &None));
    assert_eq!(marks[1].address.as_deref(), Some("127.0.0.1:80"));
    for (method, path, status) in [
        ("PUT", "/upstreams/u/targets/127.0.0.9:80/healthy", 404),
        ("PUT", "/upstreams/nope/targets/127.0.0.1:80/healthy", 404),
        ("POST", "/upstreams/u/targets/127.0.0.1:80/healthy", 405),
        ("GET", "/upstreams/u/targets/127.0.0.1:80/healthy", 405),
    ] {
        assert_eq!(
            running.send(method, path, None, "").await.status,
            status,
            "{path}"
        );
    }
    let unwatched = with_upstream(json!({})).await;
    let path = "/upstreams/u/targets/127.0.0.1:80/healthy";
    let refused = unwatched.put(path).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["message"], "no healthchecker found for u");
}

#[tokio::test]
async fn nothing_is_cached_that_could_be_looked_at() {
    let running = Running::start(Mode::Database).await;
    assert_eq!(running.get("/cache").await.status, 405);
    assert_eq!(running.get("/cache/x").await.status, 404);
    assert_eq!(running.send("DELETE", "/cache", None, "").await.status, 204);
    assert_eq!(
        running
            .send("DELETE", "/proxy-cache", None, "")
            .await
            .status,
        204
    );
    assert_eq!(running.get("/proxy-cache/x").await.status, 404);
}
