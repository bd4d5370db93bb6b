//! The gateway's own Admin API for a control plane.

use super::*;

fn admin(plane: uuid::Uuid, path: &str) -> String {
    format!("/v2/control-planes/{plane}/admin{path}")
}

#[tokio::test]
async fn a_control_plane_speaks_the_gateways_dialect() {
    let fixture = Fixture::start().await;
    let at = |path: &str| admin(fixture.default.id, path);
    for path in ["", "/"] {
        let root = fixture.get(&at(path)).await;
        assert_eq!(root.status, 200, "{path}: {}", root.text());
        assert_eq!(root.json()["configuration"]["role"], "control_plane");
        assert_eq!(root.json()["node_id"], json!(fixture.default.id));
    }
    let made = fixture
        .create(&at("/services"), json!({"name": "s", "host": "h"}))
        .await;
    let patched = fixture
        .send("PATCH", &at("/services/s"), &json!({"port": 81}))
        .await;
    assert_eq!((patched.status, &patched.json()["port"]), (200, &json!(81)));
    let form = "application/x-www-form-urlencoded";
    let route = fixture
        .raw("POST", &at("/services/s/routes"), form, "name=r&paths[]=/a")
        .await;
    assert_eq!(route.status, 201, "{}", route.text());
    let clash = fixture
        .send("POST", &at("/services"), &json!({"name": "s", "host": "h"}))
        .await;
    assert_eq!((clash.status, &clash.json()["code"]), (409, &json!(5)));

    let core = fixture.get(&fixture.entity("services/s")).await.json();
    assert_eq!((&core["id"], &core["port"]), (&made["id"], &json!(81)));
    let next = fixture.get(&at("/services?size=1")).await.json();
    assert_eq!(next["next"], Value::Null);
    assert_eq!(fixture.delete(&at("/routes/r")).await.status, 204);
    assert_eq!(fixture.get(&fixture.entity("routes/r")).await.status, 404);
    assert_eq!(
        fixture.get(&at("/clustering/data-planes")).await.json()["data"],
        json!([])
    );
    assert_eq!(fixture.get(&at("/upstreams/x/health")).await.status, 404);
}

#[tokio::test]
async fn nothing_of_the_process_can_be_changed_through_it() {
    let fixture = Fixture::start().await;
    let level = admin(fixture.default.id, "/debug/node/log-level/debug");
    let refused = fixture.send("PUT", &level, &json!({})).await;
    assert!((400..500).contains(&refused.status), "{}", refused.status);
    let config = admin(fixture.default.id, "/config");
    let refused = fixture
        .send("POST", &config, &json!({"_format_version": "3.0"}))
        .await;
    assert_eq!(refused.status, 400);
}

/// A path of each family, with a method.
const FAMILIES: &[(&str, &str)] = &[
    ("GET", ""),
    ("GET", "/"),
    ("GET", "/status"),
    ("GET", "/endpoints"),
    ("GET", "/timers"),
    ("GET", "/clustering/data-planes"),
    ("GET", "/services"),
    ("POST", "/services"),
    ("GET", "/services/KEY"),
    ("PUT", "/services/KEY"),
    ("PATCH", "/services/KEY"),
    ("DELETE", "/services/KEY"),
    ("GET", "/services/KEY/routes"),
    ("POST", "/services/KEY/routes"),
    ("GET", "/routes/KEY/service"),
    ("PUT", "/routes/KEY/service"),
    ("GET", "/upstreams/KEY/targets"),
    ("GET", "/upstreams/KEY/health"),
    ("PUT", "/upstreams/KEY/targets/KEY/healthy"),
    ("GET", "/consumers/KEY/key-auth"),
    ("GET", "/consumer_groups/KEY/consumers"),
    ("POST", "/consumer_groups/KEY/consumers"),
    ("GET", "/certificates/KEY/snis"),
    ("GET", "/tags"),
    ("GET", "/schemas/services"),
    ("POST", "/schemas/services/validate"),
    ("GET", "/config"),
    ("POST", "/config"),
    ("PUT", "/debug/node/log-level/debug"),
    ("OPTIONS", "/services"),
    ("GET", "/nope"),
];

#[tokio::test]
async fn another_organisations_control_plane_is_missing_in_every_family() {
    let fixture = Fixture::start().await;
    let foreign = fixture.foreign_plane().await.id;
    let missing = uuid::Uuid::new_v4();
    let key = uuid::Uuid::new_v4().to_string();
    for (method, path) in FAMILIES {
        let path = path.replace("KEY", &key);
        let body = json!({"name": "x", "host": "x"});
        let theirs = fixture.send(method, &admin(foreign, &path), &body).await;
        let nobodys = fixture.send(method, &admin(missing, &path), &body).await;
        assert_eq!(theirs.status, 404, "{method} {path}: {}", theirs.text());
        assert_eq!(theirs.body, nobodys.body, "{method} {path}");
        assert_eq!(
            theirs.header("x-kong-admin-latency"),
            None,
            "{method} {path}"
        );
    }
    let escaped = format!(
        "/v2/control-planes/{}/admin/../../{foreign}/admin/services",
        fixture.default.id
    );
    assert_eq!(fixture.get(&escaped).await.status, 404);
}

#[tokio::test]
async fn a_caller_without_a_good_token_gets_nowhere() {
    let fixture = Fixture::start().await;
    for (method, path) in FAMILIES {
        let url = fixture.url("us.api", &admin(fixture.default.id, path));
        let wrong = format!("Bearer {}x", fixture.token);
        for headers in [&[][..], &[("authorization", wrong.as_str())]] {
            let answer = fixture
                .stranger()
                .send(method, &url, headers, Bytes::new())
                .await;
            assert_eq!(answer.unwrap().status, 401, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_body_beyond_the_platforms_limit_is_refused() {
    let fixture = Fixture::start_with(Limits {
        body: 1000,
        ..Limits::default()
    })
    .await;
    let path = admin(fixture.default.id, "/services");
    let large = "x".repeat(2000);
    let answer = fixture.raw("POST", &path, "application/json", &large).await;
    assert_eq!(answer.status, 413);
}
