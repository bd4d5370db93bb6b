//! Machine-readable descriptions: valid, and true. Tools from PyPI read them and send what they
//! allow and what they forbid.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use gatehouse_tests::{create, tool};
use serde_json::{Value, json};
use test_support::{Client, Identity, Node, Quickstart, TempDir, free_port, is_long};
use tokio::process::Command;

/// What every answer is held against; the last one is of `scripts/schemathesis_hooks.py`.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance,invalid_data_is_refused";
/// What answers are held against where calls follow from earlier answers.
const CHECKS_OF_LINKS: &str = "not_a_server_error,status_code_conformance,\
                               content_type_conformance,response_schema_conformance,\
                               use_after_free,ensure_resource_availability";
/// Numbers are drawn from it, so that two runs send the same.
const SEED: &str = "7";
/// The id of every entity that others are put into; it is taken once per kind.
const PARENT: &str = "7d1f6a54-3b0e-4a52-9f1f-5c2b7a7a1001";

fn scripts() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../scripts")
}

/// Runs a tool to its end; fails with what it printed.
async fn run(mut command: Command) {
    let output = command.output().await.expect("the tool starts");
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    assert!(output.status.success(), "{command:?}\n{printed}");
}

/// Everything that others lie in, so that what is nested is reached.
async fn parents(quickstart: &Quickstart) -> String {
    let client = quickstart.client();
    for (path, body) in [
        ("services", json!({"name": "parent", "host": "a.test"})),
        ("routes", json!({"name": "parent", "paths": ["/parent"]})),
        ("consumers", json!({"username": "parent"})),
        ("consumer_groups", json!({"name": "parent"})),
        ("upstreams", json!({"name": "parent"})),
        ("key-sets", json!({"name": "parent"})),
        (
            "partials",
            json!({"name": "parent", "type": "redis-ce", "config": {"host": "r.test"}}),
        ),
    ] {
        let url = quickstart.entities_url(&format!("{path}/{PARENT}"));
        let answer = client
            .json("PUT", &url, &body)
            .await
            .expect("an answer of the platform");
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    let url = format!("{}/config-stores", quickstart.plane_url());
    let store = json!({"name": "parent"});
    let store = client
        .json("POST", &url, &store)
        .await
        .expect("an answer of the platform");
    assert_eq!(store.status, 201, "{}", store.text());
    store.json()["id"].as_str().expect("an id").to_owned()
}

/// A run of schemathesis against a host, with values for parameters of paths.
fn schemathesis(quickstart: &Quickstart, url: &str, parameters: &[(&str, &str)]) -> Command {
    let mut settings = String::from("[parameters]\n");
    for (name, value) in parameters {
        writeln!(settings, "\"path.{name}\" = \"{value}\"").expect("text takes text");
    }
    let folder = quickstart.folder().path();
    let file = folder.join(format!("schemathesis-{}.toml", parameters.len()));
    std::fs::write(&file, settings).expect("the settings are written");
    let mut command = tool_of_descriptions(quickstart, &file, url);
    command
        .args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", if is_long() { "50" } else { "1" }]);
    command
}

/// A run in which calls follow from answers of earlier ones: what was made is read, changed and
/// removed.
fn links(quickstart: &Quickstart, url: &str) -> Command {
    let file = quickstart.folder().path().join("schemathesis-links.toml");
    std::fs::write(&file, "").expect("the settings are written");
    let mut command = tool_of_descriptions(quickstart, &file, url);
    command
        .args(["--checks", CHECKS_OF_LINKS, "--phases", "stateful"])
        .args(["--max-examples", if is_long() { "1500" } else { "40" }]);
    command
}

fn tool_of_descriptions(quickstart: &Quickstart, settings: &Path, url: &str) -> Command {
    let mut command = Command::new(tool("schemathesis"));
    command
        .env("PYTHONPATH", scripts())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SCHEMATHESIS_HOOKS", "schemathesis_hooks")
        .current_dir(quickstart.folder().path())
        .arg("--config-file")
        .arg(settings)
        .args(["run", url, "--mode", "all", "--seed", SEED])
        .args([
            "--continue-on-failure",
            "--warnings",
            "off",
            "--request-timeout",
            "30",
        ])
        .arg("--tls-verify")
        .arg(quickstart.fact("ca_cert_path"));
    command
}

fn bearer(quickstart: &Quickstart) -> String {
    format!("Authorization: Bearer {}", quickstart.fact("token"))
}

async fn document(client: &Client, base: &str) -> Value {
    let answer = client
        .get(&format!("{base}/openapi.json"))
        .await
        .expect("an answer of the platform");
    assert_eq!(answer.status, 200, "{base}");
    answer.json()
}

#[tokio::test]
async fn descriptions_of_all_hosts_are_valid() {
    let quickstart = Quickstart::empty().await;
    let folder = TempDir::new("openapi");
    let geo = quickstart.fact("geo_api_url");
    let kic = geo.replace("us.api.", "us.kic.api.");
    let local = format!("https://127.0.0.1:{}", quickstart.flag("--platform-port"));
    let client = Client::new().trusting(&quickstart.ca());
    let admin = format!("{}/admin", quickstart.plane_url());
    for base in [quickstart.fact("global_api_url"), geo, &kic, &local, &admin] {
        let client = if base == admin {
            &quickstart.client()
        } else {
            &client
        };
        is_valid(&folder, &document(client, base).await).await;
    }
    let page = quickstart.fact("console_url");
    let page = client
        .get(&format!("{page}/"))
        .await
        .expect("the page of the installation")
        .text();
    for base in [quickstart.fact("global_api_url"), geo, &kic] {
        assert!(
            page.contains(&format!("{base}/openapi.json")),
            "{base} in {page}"
        );
    }
}

/// Holds a document against the rules of OpenAPI.
async fn is_valid(folder: &TempDir, document: &Value) {
    assert_eq!(document["openapi"], "3.1.0");
    let file = folder.join("document.json");
    std::fs::write(&file, document.to_string()).expect("the document is written");
    let mut command = Command::new(tool("openapi-spec-validator"));
    command.arg(file);
    run(command).await;
}

#[tokio::test]
async fn the_description_of_a_node_is_valid() {
    let port = free_port();
    let mut node = Node::new(&[("admin_listen", &format!("127.0.0.1:{port}"))]);
    node.ready().await;
    let base = format!("http://127.0.0.1:{port}");
    let document = document(&Client::new(), &base).await;
    is_valid(&TempDir::new("openapi"), &document).await;
}

/// The same paths and bodies as a node has; who may call is the platform's.
#[tokio::test]
async fn every_operation_of_the_gateway_dialect_answers_as_described() {
    let quickstart = Quickstart::empty().await;
    parents(&quickstart).await;
    let base = format!("{}/admin", quickstart.plane_url());
    let url = format!("{base}/openapi.json");
    let kinds = [
        "services",
        "routes",
        "consumers",
        "consumer_groups",
        "upstreams",
        "key-sets",
        "key_sets",
        "partials",
    ];
    let parameters = kinds.map(|kind| (kind, PARENT));
    let mut command = schemathesis(&quickstart, &url, &parameters);
    let token = bearer(&quickstart);
    let from_there = ["--header", &token, "--url", &base];
    command
        .args(from_there)
        .args(["--exclude-path-regex", "filter-chains"]);
    // Kinds are one handler under many names; a part of them is enough every day.
    if !is_long() {
        let part = "^/(services|routes|consumer_groups|key-sets|schemas|tags|status|plugins)";
        command.args(["--include-path-regex", part]);
    }
    run(command).await;
    let mut command = links(&quickstart, &url);
    command.args(from_there);
    run(command).await;
}

/// Filters are left out: none is installed, so nothing that is sent could be accepted.
#[tokio::test]
async fn every_operation_of_the_platform_answers_as_described() {
    let quickstart = Quickstart::empty().await;
    let store = parents(&quickstart).await;
    let base = format!("https://127.0.0.1:{}", quickstart.flag("--platform-port"));
    let plane = quickstart.fact("control_plane_id");
    let parameters = [("id", plane), ("parent", PARENT), ("store", &store)];
    let mut command = schemathesis(&quickstart, &format!("{base}/openapi.json"), &parameters);
    let token = bearer(&quickstart);
    let reached = ["--header", &token, "--exclude-path-regex", "filter-chains"];
    command.args(reached);
    run(command).await;
    let mut command = links(&quickstart, &format!("{base}/openapi.json"));
    command.args(reached);
    run(command).await;
    let answer = quickstart.client().get(&quickstart.plane_url()).await;
    assert_eq!(
        answer.expect("an answer of the platform").status,
        200,
        "the platform still serves"
    );
}

#[tokio::test]
async fn every_operation_of_ingress_controllers_answers_as_described() {
    let quickstart = Quickstart::empty().await;
    let folder = quickstart.folder();
    let identity = certificate(folder).await;
    let url = format!("{}/v2/control-planes", quickstart.fact("geo_api_url"));
    let plane = json!({
        "name": "cluster", "cluster_type": "CLUSTER_TYPE_K8S_INGRESS_CONTROLLER",
    });
    let client = quickstart.client();
    let plane = client
        .json("POST", &url, &plane)
        .await
        .expect("an answer of the platform");
    let plane = plane.json()["id"].as_str().expect("an id").to_owned();
    let pin = json!({"cert": identity.certificate});
    let path = format!("{url}/{plane}/dp-client-certificates");
    let pin = client
        .json("POST", &path, &pin)
        .await
        .expect("an answer of the platform");
    assert_eq!(pin.status, 201, "{}", pin.text());
    let host = quickstart
        .fact("geo_api_url")
        .replace("us.api.", "us.kic.api.");
    let url = format!("{host}/openapi.json");
    let mut command = schemathesis(&quickstart, &url, &[("id", &plane), ("parent", PARENT)]);
    command
        .args([
            "--request-cert",
            &folder.join("kic.crt").display().to_string(),
        ])
        .args([
            "--request-cert-key",
            &folder.join("kic.key").display().to_string(),
        ]);
    command.args(["--exclude-path-regex", "filter-chains"]);
    // Entities are the same handlers under another name; a part of them is enough every day.
    if !is_long() {
        command.args(["--include-path-regex", "(/v1/|/services)"]);
    }
    run(command).await;
}

/// A certificate of a controller, in `kic.crt` and `kic.key`.
async fn certificate(folder: &TempDir) -> Identity {
    let (crt, key) = (folder.join("kic.crt"), folder.join("kic.key"));
    let mut command = Command::new("openssl");
    command
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
        ])
        .args(["-subj", "/CN=kic", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&crt);
    run(command).await;
    Identity {
        certificate: std::fs::read_to_string(crt).expect("the certificate is there"),
        key: std::fs::read_to_string(key).expect("its key is there"),
    }
}

#[tokio::test]
async fn a_description_names_what_an_entity_needs() {
    let quickstart = Quickstart::empty().await;
    create(&quickstart, "services", &json!({"host": "a.test"})).await;
    let client = Client::new().trusting(&quickstart.ca());
    let document = document(&client, quickstart.fact("geo_api_url")).await;
    let base = "/v2/control-planes/{id}/core-entities";
    let create = &document["paths"][format!("{base}/services")]["post"];
    let schema = &create["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(schema["$ref"], "#/components/schemas/services");
    let service = &document["components"]["schemas"]["services"];
    assert_eq!(service["properties"]["port"]["default"], 80);
    for status in ["201", "400", "401", "403", "404", "413", "415", "503"] {
        assert!(create["responses"][status].is_object(), "{status}");
    }
    assert_eq!(create["security"], json!([{"token": []}]));
}
