//! Platforms that share one PostgreSQL, and their backup.

use std::path::Path;

use serde_json::{Value, json};
use test_support::{
    Client, Gatehouse, Postgres, PostgresOptions, TempDir, eventually, free_port, run_to_end,
};

/// What the platforms of an installation share besides the database.
const SHARED_KEYS: [&str; 3] = ["seal.key", "ca.crt", "ca.key"];

struct Platform {
    _process: Gatehouse,
    port: u16,
    printed: String,
}

impl Platform {
    async fn start(folder: &Path, database: &str) -> Self {
        let port = free_port();
        let process = Gatehouse::start(
            &[
                "platform",
                "--data-dir",
                folder.to_str().expect("a folder in UTF-8"),
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--geo",
                "us",
                "--geo",
                "eu",
            ],
            &[("GATEHOUSE_DATABASE_URL", database)],
        );
        process.prints("platform listens").await;
        let printed = process.output();
        Self {
            _process: process,
            port,
            printed,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("https://us.api.konghq.localhost:{}{path}", self.port)
    }

    /// Whether this is the one that made the installation.
    fn has_made_it(&self) -> bool {
        self.printed.contains("Access token")
    }

    /// The token that the first start shows.
    fn token(&self) -> &str {
        let (_, rest) = self
            .printed
            .split_once("Access token")
            .expect("a token is printed");
        rest.split_whitespace()
            .next()
            .expect("a token follows its title")
    }
}

#[tokio::test]
async fn platforms_share_one_database_and_outlive_its_stops() {
    let mut server = Postgres::start(&PostgresOptions::default());
    let database = server.url("gatehouse");
    let folder = TempDir::new("platforms");
    let (one, other, client) = start_two(&folder, &database).await;
    assert!(!other.has_made_it(), "made only once");

    let body = json!({ "name": "payments" });
    let made = client
        .json("POST", &one.url("/v2/control-planes"), &body)
        .await;
    let made = made.unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    let plane = format!("/v2/control-planes/{}", made.json()["id"].as_str().unwrap());
    let services = format!("{plane}/core-entities/services");
    let service = json!({ "name": "orders", "host": "example.com" });
    let made = client.json("POST", &other.url(&services), &service).await;
    assert_eq!(made.unwrap().status, 201);
    let path = format!("{services}/orders");
    let read = client.get(&one.url(&path)).await.unwrap();
    assert_eq!(
        (read.status, &read.json()["host"]),
        (200, &json!("example.com"))
    );
    let again = client.json("POST", &one.url(&services), &service).await;
    let again = again.unwrap();
    assert!(
        again.status == 400 && again.text().contains("already"),
        "{}",
        again.text()
    );

    server.stop();
    let read = client.get(&other.url(&path)).await.unwrap();
    let write = client
        .json("POST", &one.url(&services), &json!({ "host": "b" }))
        .await;
    server.start_again();

    assert_eq!(read.status, 503, "{}", read.text());
    assert_eq!(write.unwrap().status, 503);
    eventually("it works again", async || {
        let read = client.get(&other.url(&path)).await.ok()?;
        (read.status == 200).then_some(())
    })
    .await;
    back_up_and_restore(&folder, &folder.join("a"), &database).await;
}

/// Starts one platform after the other on a database, with their folders `a` and `b`, and gives a
/// client that both take for the first user.
async fn start_two(folder: &TempDir, database: &str) -> (Platform, Platform, Client) {
    let (first, second) = (folder.join("a"), folder.join("b"));
    let one = Platform::start(&first, database).await;
    share_keys(&first, &second);
    let other = Platform::start(&second, database).await;
    let client = client_of(&first, &one);
    (one, other, client)
}

fn client_of(folder: &Path, maker: &Platform) -> Client {
    let ca = std::fs::read_to_string(folder.join("ca.crt")).expect("the authority is read");
    Client::new().trusting(&ca).bearer(maker.token())
}

fn share_keys(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a folder is made");
    for name in SHARED_KEYS {
        std::fs::copy(from.join(name), to.join(name)).expect("a key is copied");
    }
}

#[tokio::test]
async fn platforms_that_start_together_on_an_empty_database_all_serve() {
    let server = Postgres::start(&PostgresOptions::default());
    let folder = TempDir::new("platforms");
    let keys = folder.join("keys");
    drop(Platform::start(&keys, &server.url("elsewhere")).await);
    for round in 0..3 {
        let database = server.url(&format!("empty{round}"));
        let folders = ["a", "b", "c"].map(|name| folder.join(format!("{name}{round}")));
        for folder in &folders {
            share_keys(&keys, folder);
        }
        let [one, two, three] = &folders;

        let (one, two, three) = tokio::join!(
            Platform::start(one, &database),
            Platform::start(two, &database),
            Platform::start(three, &database),
        );

        let all = [one, two, three];
        let makers: Vec<_> = all.iter().filter(|one| one.has_made_it()).collect();
        let [maker] = makers[..] else {
            panic!("{} platforms made the installation", makers.len());
        };
        let client = client_of(&keys, maker);
        for (number, platform) in all.iter().enumerate() {
            let body = json!({ "name": format!("of-{number}") });
            let url = platform.url("/v2/control-planes");
            let made = client.json("POST", &url, &body).await.unwrap();
            assert_eq!(made.status, 201, "{}", made.text());
        }
        for platform in &all {
            let read = client.get(&platform.url("/v2/control-planes")).await;
            let read = read.unwrap().json();
            let rows = read["data"].as_array().unwrap().iter();
            let mut names: Vec<_> = rows.map(|row| row["name"].as_str().unwrap()).collect();
            names.sort_unstable();
            assert_eq!(names, ["default", "of-0", "of-1", "of-2"]);
        }
    }
}

#[tokio::test]
async fn every_platform_tells_the_status_of_a_group() {
    let server = Postgres::start(&PostgresOptions::default());
    let database = server.url("gatehouse");
    let folder = TempDir::new("platforms");
    let (one, other, client) = start_two(&folder, &database).await;
    let create = async |platform: &Platform, path: &str, body: &Value| -> String {
        let made = client.json("POST", &platform.url(path), body).await;
        let made = made.unwrap();
        assert_eq!(made.status, 201, "{path}: {}", made.text());
        made.json()["id"].as_str().unwrap().to_owned()
    };
    let planes = "/v2/control-planes";
    let member = create(&one, planes, &json!({"name": "member"})).await;
    let rival = create(&other, planes, &json!({"name": "rival"})).await;
    let group = json!({"name": "group", "cluster_type": "CLUSTER_TYPE_CONTROL_PLANE_GROUP"});
    let group = format!("{planes}/{}", create(&one, planes, &group).await);
    let members = json!({"members": [{"id": member}, {"id": rival}]});
    let path = format!("{group}/group-memberships/add");
    let added = client.json("POST", &other.url(&path), &members).await;
    assert_eq!(added.unwrap().status, 204);
    let states = async || {
        let mut states = Vec::new();
        for platform in [&one, &other] {
            let url = platform.url(&format!("{group}/group-status"));
            let item = client.get(&url).await.unwrap().json()["item"].clone();
            states.push((item["state"].clone(), item["conflicts"].clone()));
        }
        states
    };

    assert_eq!(states().await, vec![(json!("OK"), json!([])); 2]);
    let service = json!({"name": "orders", "host": "example.com"});
    let services = |plane: &str| format!("{planes}/{plane}/core-entities/services");
    create(&one, &services(&member), &service).await;
    let clashing = create(&other, &services(&rival), &service).await;
    let clash = states().await;
    let path = format!("{}/{clashing}", services(&rival));
    let gone = client.json("DELETE", &one.url(&path), &json!({})).await;
    assert_eq!(gone.unwrap().status, 204);

    assert!(
        clash.iter().all(|(state, _)| state == "CONFLICT"),
        "{clash:?}"
    );
    assert_eq!(clash[0], clash[1], "both tell the same");
    assert_eq!(
        clash[0].1[0]["resource"],
        json!({"id": clashing, "type": "service"})
    );
    assert_eq!(states().await, vec![(json!("OK"), json!([])); 2]);
}

/// While both platforms run.
async fn back_up_and_restore(folder: &TempDir, data: &Path, database: &str) {
    let key = folder.join("key");
    std::fs::write(&key, [9; 32]).expect("the key is written");
    let (file, target) = (folder.join("all.backup"), folder.join("restored"));
    let text = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
    let sealed = ["--key-file".to_owned(), text(&key)];
    let run = async |command: &str, more: &[String]| {
        let begin = ["admin".to_owned(), command.to_owned(), text(&file)];
        let all: Vec<String> = begin.iter().chain(&sealed).chain(more).cloned().collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let output = run_to_end(&all).await;
        let printed = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&printed).into_owned(),
        )
    };
    let folder_of = |path: &Path| ["--data-dir".to_owned(), text(path)];
    let from_database = ["--database-url".to_owned(), database.to_owned()];

    let made = run("backup", &[folder_of(data), from_database].concat()).await;
    assert_eq!(made.0, Some(0), "{}", made.1);
    for part in [
        "store global",
        "store geo_us",
        "store geo_eu",
        "seal.key",
        "ca.key",
    ] {
        assert!(made.1.contains(part), "{part}: {}", made.1);
    }
    let verified = run("verify", &[]).await;
    assert!(
        verified.0 == Some(0) && verified.1.contains("is whole"),
        "{}",
        verified.1
    );
    let restored = run("restore", &folder_of(&target)).await;
    assert_eq!(restored.0, Some(0), "{}", restored.1);
    assert!(target.join("geo-us.db").exists() && target.join("seal.key").exists());
    let again = run("restore", &folder_of(&target)).await;
    assert!(
        again.0 == Some(1) && again.1.contains("not empty"),
        "{}",
        again.1
    );

    let mut bytes = std::fs::read(&file).expect("the backup is read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).expect("the damaged backup is written");
    let verified = run("verify", &[]).await;
    // Where the changed byte belongs to a length, the part ends too early instead.
    let names_the_part = ["damaged in part `", "in the middle of part `"]
        .iter()
        .any(|text| verified.1.contains(text));
    assert!(verified.0 == Some(1) && names_the_part, "{}", verified.1);
}

#[tokio::test]
async fn mistakes_in_the_address_of_the_database_are_told_without_the_password() {
    let folder = TempDir::new("platforms");
    for (url, expected) in [
        ("mysql://a:hidden@b/c", "postgresql://"),
        ("postgresql://a:hidden@127.0.0.1:1/c", "not reached"),
        ("postgresql://a:hidden@127.0.0.1/c?sslmode=x", "sslmode"),
    ] {
        let data = folder.join("data");
        let data = data.to_str().unwrap();
        let listen = format!("127.0.0.1:{}", free_port());
        let arguments = ["platform", "--data-dir", data, "--listen", &listen];
        let output = run_to_end(&[&arguments[..], &["--database-url", url]].concat()).await;
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(
            text.contains(expected) && !text.contains("hidden"),
            "{text}"
        );
    }
}
