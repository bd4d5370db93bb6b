//! Backups of real stores, and what can be wrong with them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use entities::{Catalogue, NoPlugins};
use serde_json::json;
use store::{Actor, Batch, Operation, PostgresConfig, Store, StoreOptions};
use test_support::{Postgres, TempDir};
use uuid::Uuid;

use super::error::BackupError;
use super::{MAGIC, Secret, create, restore, verify};

const PLANE: Uuid = Uuid::from_u128(7);

fn phrase() -> Secret {
    Secret::Passphrase("correct horse battery".to_owned())
}

fn key(byte: u8) -> Secret {
    Secret::Key([byte; 32])
}

/// Files with fixed work are quick to seal; passphrases are tried once.
const KEY: u8 = 7;

fn open(location: store::Location, folder: &Path) -> Store {
    Store::open(StoreOptions {
        location,
        sealer: Arc::new(pki::Sealer::open_or_create(&folder.join("seal.key")).unwrap()),
        catalogue: Arc::new(Catalogue::new(Arc::new(NoPlugins))),
    })
    .unwrap()
}

async fn put(store: &Store, number: u128) {
    let body = json!({ "id": Uuid::from_u128(number), "username": format!("user-{number}") });
    let key = json!({
        "id": Uuid::from_u128(number << 64), "key": format!("secret-{number}"),
        "consumer": { "id": Uuid::from_u128(number) },
    });
    let insert = |kind, body: serde_json::Value| Operation::Insert {
        kind,
        body: body.as_object().unwrap().clone(),
    };
    let operations = vec![
        insert("consumers", body),
        insert("keyauth_credentials", key),
    ];
    let batch = Batch {
        control_plane: PLANE,
        actor: Actor::system(),
        operations,
    };
    store.apply(batch).await.unwrap();
}

async fn has(store: &Store, number: u128) -> bool {
    let (kind, value) = ("keyauth_credentials", format!("secret-{number}"));
    store
        .find(PLANE, kind, "key", &value)
        .await
        .unwrap()
        .is_some()
}

/// A data folder with stores, keys, a database of another kind, and what a backup passes over.
async fn installation(root: &Path) -> Vec<Store> {
    let folder = root.join("platform");
    std::fs::create_dir_all(root.join("node/logs")).unwrap();
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("ca.key"), "private").unwrap();
    std::fs::write(root.join("node/node.log"), "noise").unwrap();
    std::fs::write(root.join("node/logs/access.log"), "noise").unwrap();
    std::fs::write(root.join("node/node.crt"), vec![b'x'; 300_000]).unwrap();
    let mut stores = Vec::new();
    for (number, name) in (1..).zip(["global.db", "geo-us.db"]) {
        let store = open(folder.join(name).into(), &folder);
        put(&store, number).await;
        stores.push(store);
    }
    stores
}

struct Made {
    _folder: TempDir,
    root: PathBuf,
    file: PathBuf,
}

async fn made(secret: &Secret) -> Made {
    let folder = TempDir::new("backup");
    let (root, file) = (folder.join("data"), folder.join("all.backup"));
    // The stores stay open: a backup does not need the installation to stop.
    let stores = installation(&root).await;
    let parts = create(&file, &root, None, secret).unwrap();
    drop(stores);
    let labels: Vec<&str> = parts.iter().map(|part| part.label.as_str()).collect();
    assert_eq!(
        labels,
        [
            "node/node.crt",
            "platform/ca.key",
            "store geo_us",
            "store global",
            "platform/seal.key"
        ]
    );
    Made {
        _folder: folder,
        root,
        file,
    }
}

#[tokio::test]
async fn restored_installation_has_everything() {
    let made = made(&phrase()).await;
    let raw = std::fs::read(&made.file).unwrap();
    for secret in ["user-1", "private", "keyauth"] {
        let bytes = secret.as_bytes();
        assert!(
            !raw.windows(bytes.len()).any(|window| window == bytes),
            "{secret}"
        );
    }
    let target = made.root.with_file_name("restored");

    restore(&made.file, &target, None, &phrase()).unwrap();

    let folder = target.join("platform");
    assert_eq!(std::fs::read(folder.join("ca.key")).unwrap(), b"private");
    assert_eq!(
        std::fs::read(target.join("node/node.crt")).unwrap().len(),
        300_000
    );
    assert!(!target.join("node/node.log").exists());
    for (number, name) in (1..).zip(["global.db", "geo-us.db"]) {
        let store = open(folder.join(name).into(), &folder);
        assert!(has(&store, number).await, "{name}");
        assert!(!has(&store, 3 - number).await, "{name}");
        put(&store, 9).await;
    }
    let error = restore(&made.file, &target, None, &phrase()).unwrap_err();
    assert!(matches!(error, BackupError::Occupied(_)), "{error}");
    let error = create(&made.file, &made.root, None, &key(1)).unwrap_err();
    assert!(error.to_string().contains("not overwritten"), "{error}");
    assert_eq!(std::fs::read(&made.file).unwrap(), raw);
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_move_between_files_and_postgresql() {
    let made = made(&key(KEY)).await;
    let server = Postgres::shared();
    let config = PostgresConfig::from_url(&server.url(&server.fresh_schema())).unwrap();
    let target = made.root.with_file_name("restored");

    restore(&made.file, &target, Some(&config), &key(KEY)).unwrap();

    assert!(!target.join("platform/global.db").exists());
    let in_schema = |name: &str| PostgresConfig {
        schema: format!("{}_{name}", config.schema),
        ..config.clone()
    };
    let store = open(in_schema("geo_us").into(), &target.join("platform"));
    assert!(has(&store, 2).await);
    put(&store, 5).await;
    // And back, while the store is open.
    let second = made.file.with_extension("second");
    let parts = create(&second, &target, Some(&config), &key(KEY)).unwrap();
    assert_eq!(parts.iter().filter(|part| part.is_store).count(), 2);
    let occupied = made.root.with_file_name("other");
    let error = restore(&second, &occupied, Some(&config), &key(KEY)).unwrap_err();
    assert!(error.to_string().contains("schema"), "{error}");
    assert!(!occupied.exists());
    let back = made.root.with_file_name("back");
    restore(&second, &back, None, &key(KEY)).unwrap();
    let store = open(back.join("geo-us.db").into(), &back.join("platform"));
    assert!(has(&store, 2).await && has(&store, 5).await);
}

#[tokio::test]
async fn other_keys_are_refused() {
    let made = made(&key(KEY)).await;
    let error = verify(&made.file, &key(8)).unwrap_err();
    assert!(matches!(error, BackupError::WrongKey), "{error}");
    let error = verify(&made.file, &phrase()).unwrap_err();
    assert!(error.to_string().contains("--key-file"), "{error}");
    let short = Secret::Passphrase("short".to_owned());
    let error = create(&made.file.with_extension("x"), &made.root, None, &short).unwrap_err();
    assert!(error.to_string().contains("too short"), "{error}");
    let target = made.root.with_file_name("restored");
    restore(&made.file, &target, None, &key(8)).unwrap_err();
    assert!(!target.exists());
}

#[tokio::test]
async fn every_damaged_byte_is_found_and_the_part_is_named() {
    let made = made(&key(KEY)).await;
    let good = std::fs::read(&made.file).unwrap();
    let copy = made.file.with_extension("copy");
    let mut named = std::collections::BTreeSet::new();
    for place in (0..good.len())
        .step_by(good.len() / 150)
        .chain([good.len() - 1])
    {
        let mut bad = good.clone();
        bad[place] ^= 0x20;
        std::fs::write(&copy, &bad).unwrap();
        let error = verify(&copy, &key(KEY)).unwrap_err();
        match error {
            BackupError::Damaged { part, .. } | BackupError::Truncated { part } => {
                named.insert(part);
            }
            BackupError::NotABackup(_)
            | BackupError::Newer { .. }
            | BackupError::WrongKey
            | BackupError::Key(_) => assert!(place < 400, "{place}"),
            other => panic!("{other}"),
        }
    }
    assert!(
        named.contains("store geo_us") && named.contains("store global"),
        "{named:?}"
    );
    let target = made.root.with_file_name("restored");
    restore(&copy, &target, None, &key(KEY)).unwrap_err();
    assert!(!target.exists(), "nothing is made from a damaged backup");
}

#[tokio::test]
async fn truncated_and_extended_files_are_refused() {
    let made = made(&key(KEY)).await;
    let good = std::fs::read(&made.file).unwrap();
    let copy = made.file.with_extension("copy");
    for length in (0..good.len())
        .step_by(good.len() / 60)
        .chain([good.len() - 1])
    {
        std::fs::write(&copy, &good[..length]).unwrap();
        let error = verify(&copy, &key(KEY)).unwrap_err();
        let is_told = matches!(
            error,
            BackupError::Truncated { .. } | BackupError::NotABackup(_)
        );
        assert!(is_told, "{length}: {error}");
    }
    std::fs::write(&copy, [&good[..], b"more"].concat()).unwrap();
    let error = verify(&copy, &key(KEY)).unwrap_err().to_string();
    assert!(error.contains("more behind"), "{error}");
    // A frame that is left out, and two that are exchanged.
    let error = verify_without_a_frame(&good, &copy);
    assert!(matches!(error, BackupError::Damaged { .. }), "{error}");
}

fn verify_without_a_frame(good: &[u8], copy: &Path) -> BackupError {
    let at = MAGIC.len() + 2;
    let number = |at: usize| {
        let bytes: [u8; 4] = good[at..at + 4].try_into().unwrap();
        usize::try_from(u32::from_be_bytes(bytes)).unwrap()
    };
    let mut place = at + 4 + number(at);
    // Behind the frame that checks the key and the first one of the first part.
    for _ in 0..2 {
        place += 5 + number(place + 1);
    }
    let next = place + 5 + number(place + 1);
    std::fs::write(copy, [&good[..place], &good[next..]].concat()).unwrap();
    verify(copy, &key(KEY)).unwrap_err()
}

#[tokio::test]
async fn newer_formats_and_other_files_are_told_apart() {
    let made = made(&key(KEY)).await;
    let copy = made.file.with_extension("copy");
    let mut newer = std::fs::read(&made.file).unwrap();
    newer[MAGIC.len() + 1] = 2;
    std::fs::write(&copy, &newer).unwrap();
    let error = verify(&copy, &key(KEY)).unwrap_err();
    assert!(
        matches!(error, BackupError::Newer { found: 2, known: 1 }),
        "{error}"
    );
    std::fs::write(&copy, "PRIMARY KEY (id)".repeat(99)).unwrap();
    let error = verify(&copy, &key(KEY)).unwrap_err();
    assert!(matches!(error, BackupError::NotABackup(_)), "{error}");
    let error = verify(&made.file.with_extension("none"), &key(KEY)).unwrap_err();
    assert!(matches!(error, BackupError::File { .. }), "{error}");
}

#[tokio::test]
async fn folder_without_an_installation_is_told() {
    let folder = TempDir::new("backup");
    std::fs::create_dir(folder.join("data")).unwrap();
    let file = folder.join("all.backup");
    for data in ["data", "none"] {
        let error = create(&file, &folder.join(data), None, &key(KEY)).unwrap_err();
        assert!(matches!(error, BackupError::Nothing(_)), "{error}");
    }
    assert!(!file.exists());
}

#[test]
fn key_files_are_bytes_or_digits() {
    let folder = TempDir::new("backup");
    let path = folder.join("key");
    for (content, is_key) in [
        (vec![7; 32], true),
        ("07".repeat(32).into_bytes(), true),
        (format!("{}\n", "07".repeat(32)).into_bytes(), true),
        (vec![7; 31], false),
        ("xy".repeat(32).into_bytes(), false),
        (Vec::new(), false),
    ] {
        std::fs::write(&path, &content).unwrap();
        match Secret::from_key_file(&path) {
            Ok(Secret::Key(key)) => assert!(is_key && key == [7; 32], "{content:?}"),
            Ok(Secret::Passphrase(_)) => panic!("not a passphrase"),
            Err(error) => assert!(!is_key && error.to_string().contains("32 bytes"), "{error}"),
        }
    }
}
