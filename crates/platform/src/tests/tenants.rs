//! Nobody reaches another organisation's control plane, on any endpoint.

use openapi::Operation;

use super::*;
use crate::api::{geo_operations, global_operations};

/// A path with its parameters filled in.
pub(super) fn fill(path: &str, plane: uuid::Uuid, key: &str) -> String {
    let path = path
        .replace("{id}", &plane.to_string())
        .replace("{entity}", "service")
        .replace("{name}", "rate-limiting")
        .replace("{type}", "redis-ce")
        .replace("{parent}", key)
        .replace("{key}", key)
        .replace("{store}", key)
        .replace("{certificate}", key)
        .replace("{node}", key)
        .replace("{number}", "0");
    assert!(
        !path.contains('{'),
        "say what stands for the parameters of {path}"
    );
    path
}

fn path(operation: &Operation, plane: &ControlPlane, key: &str) -> String {
    fill(&operation.path, plane.id, key)
}

fn operations(fixture: &Fixture) -> Vec<Operation> {
    let all = geo_operations(fixture.geo.entities.catalogue());
    all.into_iter().filter(Operation::needs_token).collect()
}

#[tokio::test]
async fn another_organisations_control_plane_is_missing_on_every_endpoint() {
    let fixture = Fixture::start().await;
    let foreign = fixture.foreign_plane().await;
    let missing = ControlPlane {
        id: uuid::Uuid::new_v4(),
        ..foreign.clone()
    };
    let key = uuid::Uuid::new_v4().to_string();
    let mut walked = 0;
    for operation in operations(&fixture) {
        if !operation.path.contains("{id}") {
            continue;
        }
        let body = json!({"name": "x", "host": "x"});
        let send = async |plane: &ControlPlane| {
            fixture
                .send(operation.method, &path(&operation, plane, &key), &body)
                .await
        };
        let (theirs, nobodys) = (send(&foreign).await, send(&missing).await);

        assert_eq!(theirs.status, 404, "{operation:?}: {}", theirs.text());
        let told = |answer: &Answer| {
            let mut body = answer.json();
            body.as_object_mut().unwrap().remove("instance");
            (answer.status, body)
        };
        assert_eq!(told(&theirs), told(&nobodys), "{operation:?}");
        walked += 1;
    }
    assert!(walked > 60, "{walked}");
}

#[tokio::test]
async fn the_same_endpoints_know_the_callers_own_control_plane() {
    let fixture = Fixture::start().await;
    for operation in operations(&fixture) {
        let is_list = operation.method == "GET"
            && !operation.path.contains("{parent}")
            && !operation.path.ends_with("{key}")
            && !operation.path.ends_with("{certificate}")
            && !operation.path.ends_with("{node}")
            && !operation.path.contains("{store}")
            && !operation.path.ends_with("plugin-schemas/{name}")
            && !operation.path.contains("group-memberships")
            && !operation.path.ends_with("group-status");
        if is_list {
            let path = path(&operation, &fixture.default, "none");
            assert_eq!(fixture.get(&path).await.status, 200, "{path}");
        }
    }
}

#[tokio::test]
async fn every_endpoint_refuses_callers_without_a_good_token() {
    let fixture = Fixture::start().await;
    let with = |value: &str| vec![("authorization".to_owned(), value.to_owned())];
    let callers = [
        Vec::new(),
        with("Bearer kpat_wrong"),
        with("Bearer"),
        with("Bearer "),
        with("Basic YWxpY2U6c2VjcmV0"),
        with(&fixture.token),
        with(&format!("Bearer {}x", fixture.token)),
        with(&format!("Bearer {}", "x".repeat(8000))),
    ];
    let geo = operations(&fixture).into_iter().map(|one| ("us.api", one));
    let global = global_operations()
        .into_iter()
        .filter(Operation::needs_token);
    let global = global.map(|one| ("global.api", one));
    let mut walked = 0;
    for (host, operation) in geo.chain(global) {
        let url = fixture.url(host, &path(&operation, &fixture.default, "none"));
        for headers in &callers {
            let headers: Vec<_> = headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .chain([("content-type", "application/json")])
                .collect();
            let answer = fixture
                .stranger()
                .send(operation.method, &url, &headers, Bytes::from_static(b"{}"))
                .await
                .unwrap();
            assert_eq!(answer.status, 401, "{operation:?} {headers:?}");
            assert_eq!(answer.json()["status"], 401, "{operation:?}");
        }
        walked += 1;
    }
    assert!(walked > 130, "{walked}");
}

#[tokio::test]
async fn lists_hold_nothing_of_other_organisations() {
    let fixture = Fixture::start().await;
    let foreign = fixture.foreign_plane().await;

    for path in ["/v2/control-planes", "/konnect-api/api/runtime_groups"] {
        let list = fixture.get(path).await;
        assert_eq!(list.json()["data"].as_array().unwrap().len(), 1);
        assert!(!list.text().contains(&foreign.id.to_string()));
    }
    let path = format!("/v2/control-planes?filter[id][eq]={}", foreign.id);
    assert_eq!(fixture.get(&path).await.json()["data"], json!([]));
    let group = json!({"name": "group", "cluster_type": "CLUSTER_TYPE_CONTROL_PLANE_GROUP"});
    let group = fixture.create("/v2/control-planes", group).await;
    let path = format!(
        "/v2/control-planes/{}/group-memberships",
        group["id"].as_str().unwrap()
    );
    let answer = fixture
        .send("PUT", &path, &json!({"members": [{"id": foreign.id}]}))
        .await;
    assert_eq!(
        rules(&answer),
        pairs(&[("members.0.id", "missing_reference")])
    );
}
