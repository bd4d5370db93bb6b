//! Groups over HTTP.

use uuid::Uuid;

use super::*;

/// A group with two ordinary control planes beside it.
struct Group {
    fixture: Fixture,
    group: String,
    one: String,
    two: String,
}

impl Group {
    async fn start() -> Self {
        let fixture = Fixture::start().await;
        let one = create(&fixture, "one", "CLUSTER_TYPE_CONTROL_PLANE").await;
        let two = create(&fixture, "two", "CLUSTER_TYPE_CONTROL_PLANE").await;
        let group = create(&fixture, "group", "CLUSTER_TYPE_CONTROL_PLANE_GROUP").await;
        Self {
            fixture,
            group,
            one,
            two,
        }
    }

    fn at(&self, path: &str) -> String {
        format!("/v2/control-planes/{}{path}", self.group)
    }

    /// Sets (no path), adds or removes members.
    async fn change(&self, path: &str, ids: &[&str]) -> u16 {
        let list: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
        let method = if path.is_empty() { "PUT" } else { "POST" };
        let path = self.at(&format!("/group-memberships{path}"));
        self.fixture
            .send(method, &path, &json!({"members": list}))
            .await
            .status
    }

    async fn members(&self) -> Vec<String> {
        let answer = self
            .fixture
            .get(&self.at("/group-memberships"))
            .await
            .json();
        let rows = answer["data"].as_array().unwrap().iter();
        rows.map(|row| row["id"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn state(&self) -> Value {
        self.fixture.get(&self.at("/group-status")).await.json()["item"].clone()
    }
}

async fn create(fixture: &Fixture, name: &str, kind: &str) -> String {
    let body = json!({"name": name, "cluster_type": kind});
    let created = fixture.create("/v2/control-planes", body).await;
    created["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn members_are_set_added_and_removed() {
    let it = Group::start().await;
    let (one, two) = (it.one.as_str(), it.two.as_str());

    assert_eq!(it.change("", &[one]).await, 204);
    assert_eq!(it.change("/add", &[two, one]).await, 204);
    assert_eq!(it.members().await, [one, two]);
    let status = format!("/v2/control-planes/{one}/group-member-status");
    assert_eq!(
        it.fixture.get(&status).await.json(),
        json!({"is_member": true})
    );
    assert_eq!(it.change("/remove", &[one]).await, 204);
    assert_eq!(it.members().await, [two]);
    assert_eq!(
        it.fixture.get(&status).await.json(),
        json!({"is_member": false})
    );
    assert_eq!(it.change("", &[one]).await, 204);
    assert_eq!(it.members().await, [one], "setting replaces");
    assert_eq!(
        it.fixture
            .delete(&format!("/v2/control-planes/{one}"))
            .await
            .status,
        204
    );
    assert!(it.members().await.is_empty(), "a deleted member left");
}

#[tokio::test]
async fn members_are_paged_by_cursor() {
    let it = Group::start().await;
    it.change("", &[&it.one, &it.two]).await;

    let first = it
        .fixture
        .get(&it.at("/group-memberships?page[size]=1"))
        .await
        .json();
    let next = first["meta"]["page"]["next"].as_str().unwrap();
    let second = it.fixture.get(next).await.json();

    let page = &first["meta"]["page"];
    assert_eq!(
        keys(page),
        ["next", "previous", "first", "last", "size", "total"]
    );
    assert_eq!(
        (page["total"].as_u64(), page["size"].as_u64()),
        (Some(2), Some(1))
    );
    assert_eq!(first["data"][0]["id"], json!(it.one));
    assert_eq!(second["data"][0]["id"], json!(it.two));
    assert_eq!(second["meta"]["page"]["next"], Value::Null);
    assert_eq!(
        second["meta"]["page"]["previous"],
        first["meta"]["page"]["first"]
    );
    let bad = it.at(&format!(
        "/group-memberships?page[after]={}",
        Uuid::new_v4()
    ));
    assert_eq!(it.fixture.get(&bad).await.status, 400);
}

#[tokio::test]
async fn what_cannot_be_a_member_is_refused() {
    let it = Group::start().await;
    let kic = create(&it.fixture, "kic", "CLUSTER_TYPE_K8S_INGRESS_CONTROLLER").await;
    for bad in [&kic, &it.group, &Uuid::new_v4().to_string()] {
        assert_eq!(it.change("/add", &[&it.one, bad]).await, 400, "{bad}");
    }
    assert!(
        it.members().await.is_empty(),
        "nothing of a refused call happens"
    );
    let path = it.at("/group-memberships");
    let body = json!({"members": [{"id": "x"}, {}]});
    let answer = it.fixture.send("PUT", &path, &body).await;
    let expected = pairs(&[("members.0.id", "is_uuid"), ("members.1.id", "required")]);
    assert_eq!(rules(&answer), expected);
    let answer = it.fixture.send("PUT", &path, &json!({})).await;
    assert_eq!(rules(&answer), pairs(&[("members", "required")]));
    let many: Vec<_> = (0..51).map(|_| Uuid::new_v4().to_string()).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert_eq!(it.change("/add", &many).await, 400);
    let ordinary = format!("/v2/control-planes/{}/group-memberships", it.one);
    assert_eq!(it.fixture.get(&ordinary).await.status, 400, "not a group");
}

#[tokio::test]
async fn conflicts_between_members_are_told() {
    let it = Group::start().await;
    it.change("", &[&it.one, &it.two]).await;
    assert_eq!(it.state().await["state"], "OK");
    for plane in [&it.one, &it.two] {
        let path = format!("/v2/control-planes/{plane}/core-entities/services");
        it.fixture
            .create(&path, json!({"name": "orders", "host": "orders.test"}))
            .await;
    }

    let status = it.state().await;

    assert_eq!(
        keys(&status),
        ["id", "state", "conflicts", "created_at", "updated_at"]
    );
    assert_eq!(status["state"], "CONFLICT", "{status}");
    let conflict = &status["conflicts"][0];
    assert_eq!(keys(conflict), ["cluster_id", "description", "resource"]);
    assert_eq!(conflict["resource"]["type"], "service");
    assert_eq!(it.change("/remove", &[&it.two]).await, 204);
    let status = it.state().await;
    assert_eq!(
        (&status["state"], &status["conflicts"]),
        (&json!("OK"), &json!([]))
    );
}

#[tokio::test]
async fn groups_are_read_only() {
    let it = Group::start().await;
    let services = it.at("/core-entities/services");

    let post = it
        .fixture
        .send("POST", &services, &json!({"host": "b"}))
        .await;
    let file = it.at("/declarative");
    let file = it
        .fixture
        .raw("POST", &file, "text/yaml", "_format_version: '3.0'")
        .await;

    assert_eq!(post.status, 403, "{}", post.text());
    assert_eq!(file.status, 403, "{}", file.text());
    assert_eq!(it.fixture.get(&services).await.json()["data"], json!([]));
}
