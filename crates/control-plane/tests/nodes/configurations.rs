//! What nodes are sent over their links, and what is shown of them: hand-made nodes against the
//! outlet. Who gets a link, and what ends it, is in `links.rs`.

use std::sync::Arc;
use std::time::Duration;

use super::support::{Harness, NODE, RawNode, masked, request, services, target};
use control_plane::{ClusterType, MemberChange, NewControlPlane};
use entities::PluginCatalogue;
use gatehouse_control_plane as control_plane;
use serde_json::json;
use test_support::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use uuid::Uuid;
use wire::EMPTY_HASH;

#[tokio::test]
async fn node_gets_the_configuration_after_its_first_ping_and_every_change() {
    let harness = Harness::start().await;
    let (identity, pinned) = harness.registered().await;
    harness.put_service(harness.plane.id, "s1").await;
    let mut node = harness.node(&identity, NODE, "3.9.1").await;
    node.ping(EMPTY_HASH).await;
    let first = node.configuration().await;
    assert_eq!(services(&first), ["s1"]);
    assert_eq!(first.config_table["_format_version"], "3.0");
    assert_eq!(first.config_table["_transform"], false);
    assert_eq!(first.config_table["workspaces"][0]["name"], "default");
    assert_eq!(first.config_table["parameters"][0]["key"], "cluster_id");
    let expected = wire::hash::config_hash(&first.config_table);
    assert_eq!(first.hashes, Some(expected));

    harness.put_service(harness.plane.id, "s2").await;
    let second = node.configuration().await;
    assert_eq!(services(&second), ["s1", "s2"]);

    let hash: &'static str = second.config_hash.clone().leak();
    node.ping(hash).await;
    let row = harness
        .listed(NODE, "the hash is listed", |n| n.config_hash == hash)
        .await;
    assert!(row.is_connected);
    assert_eq!(
        (row.version.as_str(), row.hostname.as_str()),
        ("3.9.1", "edge")
    );
    assert_eq!(row.labels["team"], "x");
    assert_eq!(row.certificate_id, Some(pinned.id));
    assert_eq!(
        row.compatibility["state"],
        "COMPATIBILITY_STATE_FULLY_COMPATIBLE"
    );
    assert_eq!(
        harness
            .outlet
            .expected_hash(harness.plane.id)
            .await
            .unwrap()
            .hash,
        hash
    );
}

#[tokio::test]
async fn disabled_services_are_left_out_with_their_routes_and_expiry_is_absolute() {
    let harness = Harness::start().await;
    let (identity, _) = harness.registered().await;
    let plane = harness.plane.id;
    harness.put_service(plane, "on").await;
    let off = Uuid::from_u128(1);
    let mut body = super::support::service(off, "off");
    body.insert("enabled".to_owned(), false.into());
    harness.put(plane, "services", body.into()).await;
    let route = json!({"id": Uuid::from_u128(2), "name": "r", "service": {"id": off},
        "protocols": ["http"], "paths": ["/"]});
    harness.put(plane, "routes", route).await;
    let consumer = Uuid::from_u128(3);
    harness
        .put(plane, "consumers", json!({"id": consumer, "username": "c"}))
        .await;
    let key = json!({"id": Uuid::from_u128(4), "key": "k", "ttl": 3600,
        "consumer": {"id": consumer}});
    let before = clock::unix_seconds();
    harness.put(plane, "keyauth_credentials", key).await;

    let mut node = harness.node(&identity, NODE, "3.9.1").await;
    node.ping(EMPTY_HASH).await;
    let pushed = node.configuration().await;

    assert_eq!(services(&pushed), ["on"]);
    assert_eq!(pushed.config_table.get("routes"), None);
    let key = &pushed.config_table["keyauth_credentials"][0];
    assert_eq!(key["consumer"], consumer.to_string());
    let expiry = key["ttl"].as_u64().unwrap();
    assert!(
        (before + 3600..=clock::unix_seconds() + 3600).contains(&expiry),
        "{expiry}"
    );
}

#[tokio::test]
async fn secrets_that_a_vault_reads_go_to_our_nodes_alone() {
    let harness = Harness::start().await;
    let (identity, _) = harness.registered().await;
    let plane = harness.plane.id;
    let (read, unread) = (Uuid::from_u128(7), Uuid::from_u128(8));
    for (id, name) in [(read, "read"), (unread, "unread")] {
        let store = json!({"id": id, "name": name, "created_at": 1, "updated_at": 1});
        harness.put(plane, "config_stores", store).await;
        let secret = json!({
            "id": Uuid::from_u128(id.as_u128() + 16), "config_store": {"id": id},
            "key": "redis", "value": format!("hidden in {name}"), "created_at": 1, "updated_at": 1,
        });
        harness.put(plane, "config_store_secrets", secret).await;
    }
    let vault = json!({
        "id": Uuid::from_u128(9), "prefix": "mine", "name": "konnect", "description": null,
        "config": {"config_store_id": read}, "tags": null, "created_at": 1, "updated_at": 1,
    });
    harness.put(plane, "vaults", vault).await;

    let theirs = harness.first_table(&identity, json!({})).await;
    let ours = harness
        .first_table(&identity, json!({"gatehouse": "1"}))
        .await;

    for (table, values) in [(theirs, vec![]), (ours, vec!["hidden in read"])] {
        let rows = table["config_store_secrets"].as_array();
        let told: Vec<_> = rows.into_iter().flatten().collect();
        let found: Vec<_> = told
            .iter()
            .map(|row| row["value"].as_str().unwrap())
            .collect();
        assert_eq!(found, values, "{table:#}");
        assert!(!table.to_string().contains("unread"), "{table:#}");
        let catalogue = entities::Catalogue::new(Arc::new(entities::NoPlugins));
        let config = declarative::Config::from_table(&table, &catalogue).unwrap();
        let vault = config.rows("vaults").first();
        let value = vault.and_then(|vault| config.config_store_secret(vault, "redis"));
        assert_eq!(value, values.first().copied());
    }
}

#[tokio::test]
async fn expected_hash_is_the_same_with_and_without_nodes() {
    let harness = Harness::start().await;
    let (identity, _) = harness.registered().await;
    harness.put_service(harness.plane.id, "s1").await;
    let alone = harness
        .outlet
        .expected_hash(harness.plane.id)
        .await
        .unwrap();
    let mut node = harness.node(&identity, NODE, "3.9.1").await;
    node.ping(EMPTY_HASH).await;
    assert_eq!(node.configuration().await.config_hash, alone.hash);
    harness.put_service(harness.plane.id, "s2").await;
    let later = harness
        .outlet
        .expected_hash(harness.plane.id)
        .await
        .unwrap();
    assert_ne!(later.hash, alone.hash);
}

#[tokio::test]
async fn node_that_is_up_to_date_is_sent_nothing() {
    let harness = Harness::start().await;
    let (identity, _) = harness.registered().await;
    harness.put_service(harness.plane.id, "s1").await;
    let hash = harness
        .outlet
        .expected_hash(harness.plane.id)
        .await
        .unwrap()
        .hash;
    let mut node = harness.node(&identity, NODE, "3.9.1").await;
    node.ping(hash.leak()).await;
    harness.put_service(harness.plane.id, "s2").await;
    // The first that comes is the change, not what the node had.
    assert_eq!(services(&node.configuration().await), ["s1", "s2"]);
}

#[tokio::test]
async fn node_that_does_not_ping_is_served_after_a_while() {
    let harness = Harness::with(|setup| setup.options.first_ping = Duration::from_millis(50)).await;
    let (identity, _) = harness.registered().await;
    harness.put_service(harness.plane.id, "s1").await;
    let mut node = harness.node(&identity, NODE, "3.9.1").await;
    assert_eq!(services(&node.configuration().await), ["s1"]);
}

#[tokio::test]
async fn what_a_node_says_about_itself_is_kept_within_limits() {
    let harness = Harness::start().await;
    let (identity, _) = harness.registered().await;
    let mut node = harness.link(&identity, &target(NODE)).await;
    let labels: serde_json::Map<String, serde_json::Value> = (0..1000)
        .map(|number| (format!("k{number}"), json!("v".repeat(2000))))
        .collect();
    let info = json!({"type": "basic_info", "plugins": [], "labels": labels});
    node.send(info.to_string()).await;
    let row = harness
        .listed(NODE, "the node is listed", |node| !node.labels.is_empty())
        .await;
    assert_eq!(row.labels.len(), 32);
    assert!(row.labels.values().all(|value| value.len() == 255));
}

#[tokio::test]
async fn newer_minors_are_served_and_other_majors_are_not() {
    let harness = Harness::start().await;
    let (identity, _) = harness.registered().await;
    let mut node = harness.node(&identity, NODE, "3.99.0.1").await;
    node.ping(EMPTY_HASH).await;
    node.configuration().await;
    for version in ["4.0.0", "2.8.5", "3.9", "x"] {
        let id = Uuid::new_v5(&NODE, version.as_bytes());
        harness.node(&identity, id, version).await.end().await;
        let row = harness
            .listed(id, "the node is listed", |node| !node.is_connected)
            .await;
        assert_eq!(row.version, version);
        let text = row.compatibility.to_string();
        assert!(text.contains("kong_version_incompatible"), "{text}");
    }
}

#[tokio::test]
async fn error_reports_are_shown_with_the_node_until_it_is_in_sync() {
    let harness = Harness::start().await;
    let (identity, _) = harness.registered().await;
    harness.put_service(harness.plane.id, "s1").await;
    let mut node = harness.node(&identity, NODE, "3.9.1").await;
    node.ping(EMPTY_HASH).await;
    let pushed = node.configuration().await;
    let report = json!({"type": "error", "error": {
        "name": "declarative configuration parse failure", "message": "in 'services': bad",
        "config_hash": pushed.config_hash, "code": 14, "flattened_errors": [
            {"entity_type": "service", "entity_id": "e1",
             "errors": [{"type": "field", "field": "host", "message": "required"}]}]}});
    node.send(report.to_string()).await;
    let row = harness
        .listed(NODE, "the report is shown", |node| {
            node.compatibility["issues"] != json!([])
        })
        .await;
    let issue = &row.compatibility["issues"][0];
    assert_eq!(
        row.compatibility["state"],
        "COMPATIBILITY_STATE_INCOMPATIBLE"
    );
    assert!(
        issue["description"]
            .as_str()
            .unwrap()
            .contains("in 'services': bad"),
        "{issue}"
    );
    assert_eq!(
        issue["affected_resources"][0]["details"],
        json!(["host: required"])
    );
    node.ping(pushed.config_hash.leak()).await;
    harness
        .listed(NODE, "the report is gone", |node| {
            node.compatibility["issues"] == json!([])
        })
        .await;
}

#[tokio::test]
async fn configuration_above_the_nodes_limit_is_shown_and_not_sent() {
    let harness = Harness::with(|setup| setup.options.max_payload = 10).await;
    let (identity, _) = harness.registered().await;
    let mut node = harness.node(&identity, NODE, "3.9.1").await;
    node.ping(EMPTY_HASH).await;
    let row = harness
        .listed(NODE, "the size is shown", |node| {
            node.compatibility["issues"] != json!([])
        })
        .await;
    let text = row.compatibility.to_string();
    assert!(text.contains("nodes take at most 10"), "{text}");
    node.ping(EMPTY_HASH).await;
}

struct OnePlugin(schema::Schema);

impl PluginCatalogue for OnePlugin {
    fn schema(&self, name: &str) -> Option<&schema::Schema> {
        (name == "cors").then_some(&self.0)
    }
    fn names(&self) -> Vec<&str> {
        vec!["cors"]
    }
    fn version(&self, _name: &str) -> Option<&str> {
        Some("3.9.1")
    }
}

#[tokio::test]
async fn plugins_the_node_lacks_keep_the_configuration_back() {
    let plugins = Arc::new(OnePlugin(schema::Schema::new("config")));
    let harness = Harness::with(|setup| setup.plugins = plugins).await;
    let (identity, _) = harness.registered().await;
    let id = Uuid::from_u128(77);
    let body = json!({"id": id.to_string(), "name": "cors", "enabled": true, "config": {},
        "protocols": ["http"], "created_at": 1_700_000_000, "updated_at": 1_700_000_000});
    harness.put(harness.plane.id, "plugins", body).await;
    for (number, loaded, issue) in [
        (1, &[][..], Some("plugin_set_incompatible")),
        (
            2,
            &[("cors", "2.0.0")][..],
            Some("plugin_version_incompatible"),
        ),
        (3, &[("cors", "3.10.0")][..], None),
        (4, &[("cors", "3.8.0")][..], None),
    ] {
        let id = Uuid::from_u128(number);
        let mut node = harness.link(&identity, &target(id)).await;
        node.send_basic_info(loaded).await;
        node.ping(EMPTY_HASH).await;
        if let Some(issue) = issue {
            harness
                .listed(id, issue, |node| {
                    node.compatibility.to_string().contains(issue)
                })
                .await;
            node.ping(EMPTY_HASH).await;
        } else {
            node.configuration().await;
        }
    }
}

#[tokio::test]
async fn changes_that_come_at_once_are_sent_once() {
    let harness = Harness::with(|setup| setup.options.settle = Duration::from_millis(300)).await;
    let (identity, _) = harness.registered().await;
    let mut node = harness.node(&identity, NODE, "3.9.1").await;
    node.ping(EMPTY_HASH).await;
    node.configuration().await;
    for number in 0..20 {
        harness
            .put_service(harness.plane.id, &format!("s{number}"))
            .await;
    }
    let mut frames = 1;
    while services(&node.configuration().await).len() < 20 {
        frames += 1;
    }
    assert!(frames <= 10, "{frames} frames for 20 changes");
}

#[tokio::test]
async fn many_nodes_are_served_by_few_pushes_at_a_time() {
    let harness = Harness::with(|setup| setup.options.max_pushes = 2).await;
    let (identity, _) = harness.registered().await;
    harness.put_service(harness.plane.id, "s1").await;
    let mut nodes = Vec::new();
    for number in 0..40 {
        let id = Uuid::from_u128(1000 + number);
        nodes.push(harness.node(&identity, id, "3.9.1").await);
    }
    for node in &mut nodes {
        node.ping(EMPTY_HASH).await;
    }
    assert_eq!(harness.outlet.connected(harness.plane.id), 40);
    for node in &mut nodes {
        assert_eq!(services(&node.configuration().await), ["s1"]);
    }
    harness.put_service(harness.plane.id, "s2").await;
    for node in &mut nodes {
        assert_eq!(services(&node.configuration().await), ["s1", "s2"]);
    }
}

#[tokio::test]
async fn node_that_does_not_read_holds_up_no_other() {
    let harness = Harness::with(|setup| {
        setup.options.max_pushes = 1;
        setup.options.slow_push = Duration::from_millis(200);
        setup.options.stuck_push = Duration::from_secs(2);
    })
    .await;
    let (identity, _) = harness.registered().await;
    // More than the buffers between the two hold, even packed.
    let mut body = super::support::service(Uuid::from_u128(5), "large");
    body.insert(
        "path".to_owned(),
        clock::random_alphanumeric(12 << 20).into(),
    );
    harness.put(harness.plane.id, "services", body.into()).await;
    let mut stuck = harness.connect(&identity).await;
    stuck.ask(&request(&target(NODE), "")).await;
    let info = masked(2, r#"{"type":"basic_info","plugins":[]}"#);
    stuck
        .stream
        .write_all(&[info, masked(9, EMPTY_HASH)].concat())
        .await
        .unwrap();
    let mut begin = [0; 4];
    stuck.stream.read_exact(&mut begin).await.unwrap();
    // The pong and the head of its configuration, of which it reads no more.
    assert_eq!(begin, [0x8a, 0, 0x82, 127]);
    let mut other = harness.node(&identity, Uuid::from_u128(6), "3.9.1").await;
    other.ping(EMPTY_HASH).await;
    assert_eq!(services(&other.configuration().await), ["large"]);
    // In the end it is dropped itself.
    harness
        .listed(NODE, "the stuck node is gone", |node| !node.is_connected)
        .await;
    drop(stuck);
}

#[tokio::test]
async fn nodes_of_a_group_get_the_union_and_clashes_block_it() {
    let harness = Harness::start().await;
    let new = |name: &str, cluster_type| NewControlPlane {
        name: name.to_owned(),
        cluster_type,
        ..NewControlPlane::default()
    };
    let organisation = harness.organisation;
    let other = new("other", ClusterType::ControlPlane);
    let other = harness.planes.create(organisation, other).await.unwrap();
    let group = new("group", ClusterType::Group);
    let group = harness.planes.create(organisation, group).await.unwrap();
    let members = [harness.plane.id, other.id];
    harness
        .planes
        .change_members(organisation, group.id, MemberChange::Set, &members)
        .await
        .unwrap();
    harness.put_service(members[0], "s1").await;
    harness.put_service(members[1], "s2").await;

    let identity = harness.authority.client("node of the group");
    harness
        .planes
        .pin(group.id, &identity.certificate, "")
        .await
        .unwrap();
    let address = harness.serve(group.id).await;
    let node = RawNode::connect(address, &harness.authority, Some(&identity)).await;
    let mut node = node.upgrade(&target(NODE)).await;
    node.send_basic_info(&[]).await;
    node.ping(EMPTY_HASH).await;
    assert_eq!(services(&node.configuration().await), ["s1", "s2"]);

    harness.put_service(members[1], "s3").await;
    let good = node.configuration().await;
    assert_eq!(services(&good), ["s1", "s2", "s3"]);

    harness.put_service(members[0], "s3").await;
    eventually("the clash is shown", async || {
        let status = harness.planes.group_status(group.id)?;
        (!status.conflicts.is_empty()).then_some(())
    })
    .await;
    let expected = harness.outlet.expected_hash(group.id).await.unwrap();
    assert_eq!(expected.hash, good.config_hash);

    harness
        .planes
        .change_members(organisation, group.id, MemberChange::Remove, &[members[1]])
        .await
        .unwrap();
    assert_eq!(services(&node.configuration().await), ["s1", "s3"]);
}
