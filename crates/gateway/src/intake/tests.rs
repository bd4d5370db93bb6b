//! Facts about taking configurations into use.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use pki::Sealer;
use serde_json::{Value, json};
use test_support::TempDir;

use super::*;
use crate::health::Upstreams;
use crate::outlet::Apply;
use crate::snapshot::{SharedSnapshot, Snapshot};
use crate::testing::{catalogue, compile, config, document};

const HASH: &str = "0123456789abcdef0123456789abcdef";
const OTHER_HASH: &str = "fedcba9876543210fedcba9876543210";

struct Node {
    folder: TempDir,
    intake: Arc<Intake>,
    snapshot: SharedSnapshot,
    upstreams: Arc<Upstreams>,
}

impl Node {
    fn new() -> Self {
        Self::in_folder(TempDir::new("intake"))
    }

    fn in_folder(folder: TempDir) -> Self {
        let cache = Cache::new(folder.join("config.cache"), key(&folder));
        Self::with_cache(folder, cache)
    }

    fn with_cache(folder: TempDir, cache: Cache) -> Self {
        let compile = Arc::new(compile());
        let snapshot = Arc::new(ArcSwap::from_pointee(Snapshot::empty(&compile)));
        let upstreams = Arc::clone(&compile.upstreams);
        let intake = Intake::new(IntakeOptions {
            catalogue: catalogue(),
            compile,
            snapshot: Arc::clone(&snapshot),
            cache: Some(cache),
            retry_interval: Duration::from_millis(20),
            keeps_tables: true,
        });
        Self {
            folder,
            intake: Arc::new(intake),
            snapshot,
            upstreams,
        }
    }

    /// The process ends and starts again on the same folder.
    fn restart(self) -> Self {
        let Self { folder, intake, .. } = self;
        drop(intake);
        Self::in_folder(folder)
    }

    fn cache_path(&self) -> PathBuf {
        self.folder.join("config.cache")
    }

    fn routes(&self) -> usize {
        self.snapshot.load().routes.len()
    }
}

fn key(folder: &TempDir) -> Sealer {
    Sealer::open_or_create(&folder.join("node.key")).unwrap()
}

fn table(paths: &[&str]) -> Value {
    let routes: Vec<_> = paths
        .iter()
        .enumerate()
        .map(|(at, path)| {
            json!({
                "id": format!("00000001-0000-4000-8000-00000000000{at}"),
                "name": format!("r{at}"),
                "paths": [path],
                "protocols": ["http", "https"],
            })
        })
        .collect();
    json!({ "_format_version": "3.0", "_transform": false, "routes": routes })
}

async fn apply(node: &Node, table: Value, hash: &str) -> Result<String, wire::v1::ErrorReport> {
    let applied = node.intake.apply(table, hash.to_owned()).await;
    applied.map_err(|report| *report)
}

async fn offer(node: &Node, text: &str, hash: &str) -> Offered {
    let offered = node.intake.offer_document(document(text), hash.to_owned());
    offered.await
}

#[tokio::test]
async fn an_accepted_configuration_is_in_use_and_survives_a_restart() {
    let node = Node::new();
    assert_eq!(node.intake.active_hash(), None);
    assert_eq!(Apply::active_hash(node.intake.as_ref()), wire::EMPTY_HASH);
    assert_eq!(
        apply(&node, table(&["/a", "/b"]), HASH).await.unwrap(),
        HASH
    );
    assert_eq!(node.routes(), 2);
    let node = node.restart();
    assert_eq!(node.routes(), 0);
    assert!(matches!(node.intake.restore().await, Restored::Active(hash) if hash == HASH));
    assert_eq!(node.routes(), 2);
    assert_eq!(node.intake.active_hash().as_deref(), Some(HASH));
}

#[tokio::test]
async fn what_is_kept_is_unreadable_without_the_nodes_key() {
    let node = Node::new();
    let mut secret = table(&["/a"]);
    secret["consumers"] = json!([
        { "id": "00000001-0000-4000-8000-0000000000aa", "username": "top-secret-name" }
    ]);
    apply(&node, secret, HASH).await.unwrap();
    let bytes = std::fs::read(node.cache_path()).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains("top-secret-name"));
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(node.cache_path()).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_refused_configuration_changes_nothing_and_names_entity_and_field() {
    let node = Node::new();
    apply(&node, table(&["/a"]), HASH).await.unwrap();
    let mut bad = table(&["/a", "/b"]);
    bad["services"] = json!([{
        "id": "00000001-0000-4000-8000-0000000000bb", "name": "broken", "host": "x.test",
        "port": 70000,
    }]);
    bad["nonsense"] = json!([{}]);
    let report = apply(&node, bad, OTHER_HASH).await.unwrap_err();
    assert_eq!(report.name, "declarative configuration parse failure");
    assert_eq!(report.config_hash, OTHER_HASH);
    assert_eq!(report.code, Some(14));
    assert!(report.message.contains("port"), "{}", report.message);
    let about = report
        .flattened_errors
        .iter()
        .find(|error| error["entity_name"] == "broken")
        .unwrap();
    assert_eq!(about["errors"][0]["field"], "port");
    assert!(about.get("entity").is_none());
    assert_eq!(node.routes(), 1);
    assert_eq!(node.intake.active_hash().as_deref(), Some(HASH));
    let node = node.restart();
    assert!(matches!(node.intake.restore().await, Restored::Active(hash) if hash == HASH));
}

#[tokio::test]
async fn what_only_this_node_cannot_run_is_refused_in_the_same_way() {
    let node = Node::new();
    let mut bad = table(&["/a"]);
    bad["plugins"] = json!([{
        "id": "00000001-0000-4000-8000-0000000000cc", "name": "rate-limiting", "enabled": true,
        "protocols": ["http"], "config": { "minute": 5, "policy": "cluster" },
    }]);
    let report = apply(&node, bad, HASH).await.unwrap_err();
    let error = &report.flattened_errors[0];
    assert_eq!(error["entity_name"], "rate-limiting");
    assert_eq!(error["errors"][0]["field"], "config.policy");
    assert_eq!(node.intake.active_hash(), None);
    assert!(!node.cache_path().exists());
}

#[tokio::test]
async fn an_empty_configuration_is_in_use_under_the_hash_of_none() {
    let node = Node::new();
    let empty = json!({ "_format_version": "3.0", "_transform": false });
    assert_eq!(apply(&node, empty, HASH).await.unwrap(), wire::EMPTY_HASH);
    assert!(node.intake.is_empty());
    assert_eq!(node.intake.active_hash().as_deref(), Some(wire::EMPTY_HASH));
    let with_parameter = json!({
        "_format_version": "3.0", "_transform": false,
        "parameters": [{ "key": "cluster_id", "value": "9b2b5e0c-5a59-4c6c-8a4a-0a4b1a3f6d10",
                         "created_at": null }],
    });
    assert_eq!(apply(&node, with_parameter, HASH).await.unwrap(), HASH);
    assert!(!node.intake.is_empty());
}

#[tokio::test]
async fn a_request_under_way_keeps_the_snapshot_it_took() {
    let node = Node::new();
    apply(&node, table(&["/a"]), HASH).await.unwrap();
    let taken = node.snapshot.load_full();
    apply(&node, table(&["/a", "/b"]), OTHER_HASH)
        .await
        .unwrap();
    assert_eq!((taken.routes.len(), node.routes()), (1, 2));
}

/// Changes the kept file; gives what the next start finds.
async fn after_damage(damage: impl FnOnce(&Path)) -> (Restored, Node) {
    let node = Node::new();
    apply(&node, table(&["/a"]), HASH).await.unwrap();
    damage(&node.cache_path());
    let node = node.restart();
    (node.intake.restore().await, node)
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_wherever_it_is_damaged() {
    let node = Node::new();
    apply(&node, table(&["/a"]), HASH).await.unwrap();
    let length = std::fs::read(node.cache_path()).unwrap().len();
    for position in [0, 9, 13, 44, 50, length / 2, length - 1] {
        let (restored, node) = after_damage(|path| {
            let mut bytes = std::fs::read(path).unwrap();
            bytes[position] ^= 1;
            std::fs::write(path, bytes).unwrap();
        })
        .await;
        assert!(
            matches!(restored, Restored::Unusable(_)),
            "{position}: {restored:?}"
        );
        assert_eq!(node.intake.active_hash(), None);
        assert!(!node.cache_path().exists());
        assert!(node.folder.join("config.cache.damaged").exists());
        apply(&node, table(&["/a"]), HASH).await.unwrap();
        assert!(node.cache_path().exists());
    }
}

#[tokio::test]
async fn a_file_cut_off_anywhere_is_damaged() {
    for length in [0, 5, 11, 30, 44, 60] {
        let (restored, _node) = after_damage(|path| {
            let bytes = std::fs::read(path).unwrap();
            std::fs::write(path, &bytes[..length]).unwrap();
        })
        .await;
        let Restored::Unusable(error) = restored else {
            panic!("{length}: {restored:?}");
        };
        assert!(matches!(error, CacheError::Damaged { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_file_of_a_newer_program_is_not_read() {
    let (restored, _node) = after_damage(|path| {
        let mut bytes = std::fs::read(path).unwrap();
        bytes[8] = 2;
        std::fs::write(path, bytes).unwrap();
    })
    .await;
    let Restored::Unusable(error) = restored else {
        panic!("{restored:?}");
    };
    assert!(
        error
            .to_string()
            .contains("has format 2, this program reads 1")
    );
}

#[tokio::test]
async fn a_file_sealed_with_another_key_is_not_read() {
    let (restored, _node) = after_damage(|path| {
        std::fs::remove_file(path.with_file_name("node.key")).unwrap();
    })
    .await;
    assert!(
        matches!(restored, Restored::Unusable(CacheError::Seal { .. })),
        "{restored:?}"
    );
}

#[tokio::test]
async fn a_kept_configuration_that_is_not_valid_any_more_is_refused() {
    let folder = TempDir::new("intake");
    let cache = Cache::new(folder.join("config.cache"), key(&folder));
    let hash = HASH.to_owned();
    let text = json!({ "_format_version": "3.0", "plugins": [{ "name": "gone" }] }).to_string();
    let payload = Payload::Table(text.into_bytes());
    cache.write(&Kept { hash, payload }).unwrap();
    let node = Node::with_cache(folder, cache);
    assert!(matches!(node.intake.restore().await, Restored::Refused(_)));
    assert_eq!(node.intake.active_hash(), None);
}

#[tokio::test]
async fn nothing_kept_is_nothing_restored() {
    let node = Node::new();
    assert!(matches!(node.intake.restore().await, Restored::Nothing));
}

async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..500 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

#[tokio::test]
async fn a_full_disk_stops_no_configuration_and_spoils_no_file() {
    let node = Node::new();
    apply(&node, table(&["/a"]), HASH).await.unwrap();
    let before = std::fs::read(node.cache_path()).unwrap();
    // Whatever is written through this name meets a full device.
    let beside = node.folder.join("config.cache.new");
    std::os::unix::fs::symlink("/dev/full", &beside).unwrap();
    assert_eq!(
        apply(&node, table(&["/a", "/b"]), OTHER_HASH)
            .await
            .unwrap(),
        OTHER_HASH
    );
    assert_eq!(node.routes(), 2);
    let error = node.intake.disk_error().unwrap();
    assert!(error.contains("cannot write"), "{error}");
    assert!(error.contains("No space left"), "{error}");
    assert_eq!(std::fs::read(node.cache_path()).unwrap(), before);
    // The failed attempt took its remains away, so the next one finds room.
    eventually("it is written", || node.intake.disk_error().is_none()).await;
    let node = node.restart();
    assert!(matches!(node.intake.restore().await, Restored::Active(hash) if hash == OTHER_HASH));
}

#[tokio::test]
async fn writing_is_tried_until_the_folder_is_back_and_the_newest_wins() {
    let folder = TempDir::new("intake");
    let missing = folder.join("later");
    let cache = Cache::new(missing.join("config.cache"), key(&folder));
    let node = Node::with_cache(folder, cache);
    apply(&node, table(&["/a"]), HASH).await.unwrap();
    apply(&node, table(&["/a", "/b"]), OTHER_HASH)
        .await
        .unwrap();
    assert!(node.intake.disk_error().is_some());
    std::fs::create_dir(&missing).unwrap();
    eventually("it is written", || node.intake.disk_error().is_none()).await;
    let cache = Cache::new(missing.join("config.cache"), key(&node.folder));
    assert_eq!(cache.read().unwrap().unwrap().hash, OTHER_HASH);
}

#[tokio::test]
async fn a_document_is_loaded_exported_and_kept() {
    let node = Node::new();
    let text = "_format_version: '3.0'\nservices:\n- {name: s, host: s.test, routes: [{name: r, paths: [/r], plugins: [{name: key-auth}]}]}\n";
    let loaded = offer(&node, text, HASH).await;
    let Offered::Judged(Ok(loaded)) = loaded else {
        panic!("{loaded:?}");
    };
    assert_eq!(loaded.config.unwrap().rows("services").len(), 1);
    let tables = node.intake.tables().unwrap();
    assert_eq!(tables.rows("services")[0]["host"], "s.test");
    assert_eq!(node.snapshot.load().plugin_names, ["key-auth"]);
    let node = node.restart();
    assert!(matches!(node.intake.restore().await, Restored::Active(_)));
    assert_eq!(node.routes(), 1);
}

#[tokio::test]
async fn a_document_with_violations_is_answered_with_all_of_them() {
    let node = Node::new();
    let text = "_format_version: '3.0'\nservices:\n- {name: s, port: 70000}\n";
    match offer(&node, text, HASH).await {
        Offered::Judged(Err(Refused::Invalid(problems))) => {
            assert_eq!(problems.len(), 2, "{problems:?}");
        }
        other => panic!("{other:?}"),
    }
    // Whoever posts a document has the answer; it is counted and nothing else.
    assert_eq!((node.intake.refusals(), node.intake.refusal()), (1, None));
}

#[tokio::test]
async fn a_second_document_at_the_same_time_is_told_to_come_back() {
    let node = Node::new();
    let empty = "_format_version: '3.0'\n";
    let (first, second) = tokio::join!(offer(&node, empty, HASH), offer(&node, empty, OTHER_HASH));
    assert!(matches!(first, Offered::Judged(Ok(_))), "{first:?}");
    assert!(matches!(second, Offered::Busy), "{second:?}");
}

#[tokio::test]
async fn configurations_of_the_control_plane_wait_for_their_turn() {
    let node = Node::new();
    let (first, second) = tokio::join!(
        apply(&node, table(&["/a"]), HASH),
        apply(&node, table(&["/a", "/b"]), OTHER_HASH),
    );
    assert_eq!(
        (first.unwrap(), second.unwrap()),
        (HASH.to_owned(), OTHER_HASH.to_owned())
    );
    assert_eq!(node.routes(), 2);
}

#[tokio::test]
async fn a_node_that_ends_loads_nothing() {
    let node = Node::new();
    node.intake.stop();
    let refused = offer(&node, "_format_version: '3.0'\n", HASH).await;
    assert!(matches!(refused, Offered::Stopping), "{refused:?}");
}

#[tokio::test]
async fn entities_of_a_database_come_into_use_and_are_kept_as_they_are() {
    let node = Node::new();
    let tables = config("services:\n- {name: s, host: s.test, routes: [{name: r, paths: [/r]}]}\n");
    let accepted = node.intake.accept_config(tables, HASH.to_owned()).await;
    assert_eq!(accepted.unwrap().hash, HASH);
    assert_eq!(node.routes(), 1);
    let node = node.restart();
    assert!(matches!(node.intake.restore().await, Restored::Active(_)));
    assert_eq!(node.routes(), 1);
}

#[tokio::test]
async fn stored_entities_that_cannot_run_are_remembered_until_others_can() {
    let node = Node::new();
    let good = || config("routes:\n- {name: r, paths: [/r]}\n");
    let mut bad = good();
    // The service is not part of it.
    let route = &mut bad.tables.get_mut("routes").unwrap()[0];
    route.insert(
        "service".to_owned(),
        json!({ "id": "00000001-0000-4000-8000-000000000009" }),
    );
    let accept = |config| node.intake.accept_config(config, HASH.to_owned());
    accept(good()).await.unwrap();
    accept(bad).await.unwrap_err();
    assert_eq!(node.routes(), 1);
    let refusal = node.intake.refusal().unwrap();
    assert!(
        refusal.contains("is not part of the configuration"),
        "{refusal}"
    );
    accept(good()).await.unwrap();
    assert_eq!((node.intake.refusals(), node.intake.refusal()), (1, None));
}

#[tokio::test]
async fn health_of_addresses_that_stay_outlives_a_new_configuration() {
    let node = Node::new();
    let text = |extra: &str, checks: &str| {
        format!(
            "_format_version: '3.0'\nupstreams:\n- {{name: u, \
             id: 00000001-0000-4000-8000-000000000001, {checks} \
             targets: [{{target: '127.0.0.1:80'}}{extra}]}}\n"
        )
    };
    let checks = "healthchecks: {passive: {unhealthy: {http_failures: 1}}},";
    let upstream = uuid::uuid!("00000001-0000-4000-8000-000000000001");
    let available = || {
        node.upstreams
            .view(upstream)
            .expect("in use")
            .weights
            .available
    };
    offer(&node, &text("", checks), HASH).await;
    let group = Arc::clone(&node.snapshot.load().balancers[0]);
    assert_eq!(available(), 100);
    node.upstreams.mark(upstream, "127.0.0.1:80", None, false);
    assert_eq!(available(), 0);
    // The same again is the same group; one more target is not, and the mark holds.
    offer(&node, &text("", checks), HASH).await;
    assert!(Arc::ptr_eq(&group, &node.snapshot.load().balancers[0]));
    let more = ", {target: '127.0.0.2:80'}";
    offer(&node, &text(more, checks), HASH).await;
    assert!(!Arc::ptr_eq(&group, &node.snapshot.load().balancers[0]));
    assert_eq!(available(), 100);
    node.upstreams
        .mark(upstream, "127.0.0.1:80", Some("127.0.0.1:80"), true);
    assert_eq!(available(), 200);
    node.upstreams
        .mark(upstream, "127.0.0.1:80", Some("127.0.0.9:80"), false);
    node.upstreams.mark(upstream, "127.0.0.2:80", None, false);
    assert_eq!(available(), 100);
    // Without checks nothing could bring it back.
    offer(&node, &text(more, ""), HASH).await;
    assert_eq!(available(), 200);
    node.upstreams.mark(upstream, "127.0.0.2:80", None, false);
    assert_eq!(available(), 200);
}
