//! Nobody reaches another organisation's control plane, on any endpoint.

use super::*;
use crate::api::{Operation, geo_operations};

/// A path with its parameters filled in.
fn path(operation: &Operation, plane: &ControlPlane, key: &str) -> String {
    operation
        .path
        .replace("{id}", &plane.id.to_string())
        .replace("{entity}", "service")
        .replace("{name}", "rate-limiting")
        .replace("{parent}", key)
        .replace("{key}", key)
        .replace("{certificate}", key)
        .replace("{node}", key)
}

fn operations(fixture: &Fixture) -> Vec<Operation> {
    let all = geo_operations(fixture.geo.entities.catalogue());
    all.into_iter()
        .filter(|operation| operation.needs_token)
        .collect()
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
    let wrong = fixture.stranger().bearer("kpat_wrong");
    for operation in operations(&fixture) {
        let path = path(&operation, &fixture.default, "none");
        for client in [fixture.stranger(), wrong.clone()] {
            let url = fixture.url("us.api", &path);
            let answer = client
                .json(operation.method, &url, &json!({}))
                .await
                .unwrap();
            assert_eq!(answer.status, 401, "{operation:?}");
            assert_eq!(answer.json()["status"], 401, "{operation:?}");
        }
    }
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
