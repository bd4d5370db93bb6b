//! Ingress controllers over real TLS: the same entities, by certificate.

use control_plane::ClusterType;
use test_support::{Identity, TestAuthority};
use uuid::Uuid;

use super::*;
use crate::api::kic_operations;

/// A control plane for an ingress controller, and the certificate registered with it.
struct Controller {
    plane: ControlPlane,
    identity: Identity,
    certificate: Uuid,
}

impl Controller {
    async fn of(fixture: &Fixture, name: &str, cluster_type: ClusterType) -> Self {
        let new = NewControlPlane {
            name: name.to_owned(),
            cluster_type,
            ..NewControlPlane::default()
        };
        let planes = &fixture.geo.planes;
        let plane = planes.create(fixture.default.organisation, new).await;
        let plane = plane.unwrap();
        let identity = TestAuthority::new(name).client(name);
        let pin = planes.pin(plane.id, &identity.certificate, "").await;
        let certificate = pin.unwrap().id;
        Self {
            plane,
            identity,
            certificate,
        }
    }

    async fn start(fixture: &Fixture) -> Self {
        Self::of(fixture, "cluster", ClusterType::KubernetesIngressController).await
    }

    fn url(&self, fixture: &Fixture, path: &str) -> String {
        let path = format!("/kic/api/control-planes/{}{path}", self.plane.id);
        fixture.url("us.kic.api", &path)
    }

    fn client(&self, fixture: &Fixture) -> Client {
        fixture.stranger().identified(&self.identity)
    }

    async fn get(&self, fixture: &Fixture, path: &str) -> Answer {
        let url = self.url(fixture, path);
        self.client(fixture).get(&url).await.unwrap()
    }

    async fn send(&self, fixture: &Fixture, method: &str, path: &str, body: &Value) -> Answer {
        let url = self.url(fixture, path);
        let client = self.client(fixture);
        client.json(method, &url, body).await.unwrap()
    }
}

#[tokio::test]
async fn a_controller_writes_what_people_can_only_read() {
    let fixture = Fixture::start().await;
    let controller = Controller::start(&fixture).await;
    let id = Uuid::new_v4();
    let first = controller.get(&fixture, "/services?size=1").await;
    assert_eq!(first.json(), json!({"data": [], "next": null}));

    let path = format!("/services/{id}");
    let body =
        json!({"name": "web", "host": "web.test", "tags": ["managed-by-ingress-controller"]});
    let put = controller.send(&fixture, "PUT", &path, &body).await;
    let schema = controller.get(&fixture, "/v1/schemas/json/service").await;
    let plugin = controller.get(&fixture, "/schemas/plugins/key-auth").await;
    let tagged = controller
        .get(
            &fixture,
            "/services?tags=managed-by-ingress-controller&size=1000",
        )
        .await;

    assert_eq!((put.status, &put.json()["id"]), (200, &json!(id)));
    assert!(schema.json()["properties"].is_object());
    assert!(plugin.json()["fields"].is_array());
    assert_eq!(tagged.json()["data"], json!([put.json()]));
    let people = format!("/v2/control-planes/{}/core-entities", controller.plane.id);
    let read = fixture.get(&format!("{people}/services/web")).await;
    assert_eq!(read.json(), put.json());
    let refused = fixture
        .send("PUT", &format!("{people}/services/web"), &body)
        .await;
    assert_eq!(refused.status, 403);
    let gone = controller.send(&fixture, "DELETE", &path, &json!({})).await;
    assert_eq!(gone.status, 204);
}

#[tokio::test]
async fn nodes_are_created_listed_replaced_and_forgotten() {
    let fixture = Fixture::start().await;
    let controller = Controller::start(&fixture).await;
    let (one, two) = (Uuid::new_v4(), Uuid::new_v4());
    let now = clock::unix_seconds();
    let body = json!({
        "id": one, "type": "ingress-controller", "hostname": "kong/kic-0",
        "version": "kong-ingress-controller/3.5.2", "last_ping": now - 5,
        "status": "INGRESS_CONTROLLER_STATE_OPERATIONAL",
    });

    let created = controller
        .send(&fixture, "POST", "/v1/kic-nodes", &body)
        .await;
    let put = json!({"type": "kong-proxy", "hostname": "kong/gw-0", "version": "3.9.1"});
    let path = format!("/v1/kic-nodes/{two}");
    let made = controller.send(&fixture, "PUT", &path, &put).await;

    assert_eq!(created.status, 201, "{}", created.text());
    let item = created.json()["item"].clone();
    assert_eq!(item["id"], json!(one));
    assert_eq!(item["last_ping"], json!(now - 5));
    assert_eq!(item["status"], "INGRESS_CONTROLLER_STATE_OPERATIONAL");
    assert_eq!(
        (made.status, &made.json()["item"]["id"]),
        (200, &json!(two))
    );
    let page = controller
        .get(&fixture, "/v1/kic-nodes?page.size=1")
        .await
        .json();
    assert_eq!(page["page"]["total_count"], 2);
    assert_eq!(page["page"]["has_next_page"], true);
    let cursor = page["page"]["next_cursor"].as_str().unwrap();
    let path = format!("/v1/kic-nodes?page.size=1&page.next_cursor={cursor}");
    let rest = controller.get(&fixture, &path).await.json();
    assert_eq!(rest["page"]["has_next_page"], false);
    assert_ne!(rest["items"][0]["id"], page["items"][0]["id"]);
    let people = format!("/v2/control-planes/{}/nodes", controller.plane.id);
    assert_eq!(fixture.get(&people).await.json()["page"]["total_count"], 2);
    let path = format!("/v1/kic-nodes/{one}");
    let gone = controller.send(&fixture, "DELETE", &path, &json!({})).await;
    assert_eq!(gone.status, 204);
    let list = controller.get(&fixture, "/v1/kic-nodes").await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn bad_reports_of_nodes_are_refused_with_every_reason() {
    let fixture = Fixture::start().await;
    let controller = Controller::start(&fixture).await;
    let body = json!({
        "id": "x", "type": "mesh", "hostname": 1, "last_ping": "soon",
        "status": "FINE", "compatibility_status": [],
    });
    let answer = controller
        .send(&fixture, "POST", "/v1/kic-nodes", &body)
        .await;
    assert_eq!(answer.status, 400);
    let body = answer.json();
    assert_eq!(body["message"], "validation error");
    let mut fields: Vec<_> = body["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["field"].as_str().unwrap())
        .collect();
    fields.sort_unstable();
    let all = [
        "compatibility_status",
        "hostname",
        "id",
        "last_ping",
        "status",
        "type",
    ];
    assert_eq!(fields, all);
    let long = json!({"id": Uuid::new_v4(), "type": "kong-proxy", "hostname": "x".repeat(513)});
    let answer = controller
        .send(&fixture, "POST", "/v1/kic-nodes", &long)
        .await;
    assert_eq!(answer.json()["details"][0]["field"], "hostname");
    let put = json!({"type": "kong-proxy", "hostname": "x"});
    let answer = controller
        .send(&fixture, "PUT", "/v1/kic-nodes/x", &put)
        .await;
    assert_eq!(answer.status, 404);
    for query in ["page.size=0", "page.size=x", "page.next_cursor=x"] {
        let answer = controller
            .get(&fixture, &format!("/v1/kic-nodes?{query}"))
            .await;
        assert_eq!(answer.status, 400, "{query}");
    }
}

#[tokio::test]
async fn there_are_no_licences() {
    let fixture = Fixture::start().await;
    let controller = Controller::start(&fixture).await;
    let answer = controller.get(&fixture, "/v1/licenses").await;
    assert_eq!((answer.status, answer.json()), (200, json!({"items": []})));
}

#[tokio::test]
async fn every_endpoint_asks_for_the_certificate_of_its_control_plane() {
    let fixture = Fixture::start().await;
    let controller = Controller::start(&fixture).await;
    let other = Controller::of(&fixture, "other", ClusterType::KubernetesIngressController).await;
    let wrong_kind = Controller::of(&fixture, "plain", ClusterType::ControlPlane).await;
    let unknown = TestAuthority::new("nobody").client("nobody");
    let expired = TestAuthority::new("old").expired_client("old");
    let pin = fixture
        .geo
        .planes
        .pin(controller.plane.id, &expired.certificate, "");
    pin.await.unwrap();
    let missing = Uuid::new_v4();
    let key = Uuid::new_v4().to_string();
    let mut walked = 0;
    for operation in kic_operations(fixture.geo.entities.catalogue()) {
        if operation.access != openapi::Access::Certificate {
            continue;
        }
        let path = |plane: Uuid| {
            let path = tenants::fill(&operation.path, plane, &key);
            fixture.url("us.kic.api", &path)
        };
        let plane = controller.plane.id;
        let token = fixture.client();
        let stranger = fixture.stranger();
        for (client, plane, status, reason) in [
            (stranger.clone(), plane, 401, "no client certificate"),
            (token, plane, 401, "no client certificate"),
            (
                stranger.clone().identified(&unknown),
                plane,
                401,
                "not registered",
            ),
            (
                stranger.clone().identified(&other.identity),
                plane,
                401,
                "not registered",
            ),
            (
                stranger.clone().identified(&other.identity),
                missing,
                401,
                "not registered",
            ),
            (stranger.clone().identified(&expired), plane, 401, "expired"),
            (
                stranger.identified(&wrong_kind.identity),
                wrong_kind.plane.id,
                403,
                "not of type",
            ),
        ] {
            let answer = client
                .json(operation.method, &path(plane), &json!({}))
                .await
                .unwrap();
            assert_eq!(answer.status, status, "{operation:?}: {}", answer.text());
            let message = answer.json()["message"].as_str().unwrap().to_owned();
            assert!(message.contains(reason), "{message}");
        }
        walked += 1;
    }
    assert!(walked > 100, "{walked}");
}

#[tokio::test]
async fn a_revoked_certificate_is_refused_at_once() {
    let fixture = Fixture::start().await;
    let controller = Controller::start(&fixture).await;
    assert_eq!(controller.get(&fixture, "/services").await.status, 200);
    let planes = &fixture.geo.planes;

    planes
        .unpin(controller.plane.id, controller.certificate)
        .await
        .unwrap();

    let answer = controller.get(&fixture, "/services").await;
    assert_eq!(answer.status, 401);
    assert!(
        answer.text().contains("not registered"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn the_host_of_controllers_serves_nothing_else() {
    let fixture = Fixture::start().await;
    let controller = Controller::start(&fixture).await;
    for path in ["/oauth2", "/cloned-plugins", "/core-entities/services", ""] {
        let answer = controller.get(&fixture, path).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
    }
    let url = fixture.url("us.kic.api", "/v2/control-planes");
    assert_eq!(fixture.client().get(&url).await.unwrap().status, 404);
    let patch = controller
        .send(&fixture, "PATCH", "/services/x", &json!({}))
        .await;
    assert_eq!(patch.status, 405);
    assert_eq!(patch.header("allow"), Some("GET, HEAD, PUT, DELETE"));
}
