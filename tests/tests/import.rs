//! Declarative files: a realistic one drives traffic; a wrong one changes nothing and says all
//! that is wrong.

use gatehouse_tests::until_status;
use test_support::{Backend, Client, Quickstart, TempDir, run_to_end};

async fn import(quickstart: &Quickstart, text: &str) -> (bool, String) {
    let folder = TempDir::new("import");
    let file = folder.join("file.yaml");
    std::fs::write(&file, text).expect("the file");
    let file = file.display().to_string();
    let folder = quickstart.flag("--data-dir");
    let arguments = [
        "config",
        "db_import",
        &file,
        "--control-plane",
        "default",
        "--data-dir",
        folder,
    ];
    let output = run_to_end(&arguments).await;
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8(text).expect("text"),
    )
}

#[tokio::test]
async fn example_of_a_public_api_drives_traffic() {
    let quickstart = Quickstart::empty().await;
    let backend = Backend::start("api").await;
    let example = include_str!("../../examples/code-hosting.yaml");
    let text = example.replace("127.0.0.1:9090", &format!("127.0.0.1:{}", backend.port()));

    let (is_imported, output) = import(&quickstart, &text).await;

    assert!(is_imported, "{output}");
    let url = |path: &str| quickstart.proxy_url(path);
    let client = Client::new();
    let answer = until_status(&client, &url("/repos/ann/tool/issues/7/labels"), 200).await;
    assert_eq!(answer.json()["target"], "/repos/ann/tool/issues/7/labels");
    assert!(
        answer.header("x-request-id").is_some(),
        "correlation-id echoes downstream"
    );
    for (path, status) in [
        ("/repos/ann/tool/contents/src/lib.rs", 200),
        ("/orgs/acme/teams/core/members", 200),
        ("/gists/public", 200),
        ("/search/code?q=x", 200),
        ("/repos/ann/tool/actions/runs", 401),
        ("/nothing/of/the/kind", 404),
    ] {
        assert_eq!(
            client.get(&url(path)).await.unwrap().status,
            status,
            "{path}"
        );
    }
    let headers = [("x-api-key", "change-me-build-server")];
    let run = url("/repos/ann/tool/actions/runs");
    let answer = client
        .send("GET", &run, &headers, bytes::Bytes::new())
        .await
        .unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.json()["headers"]["x-consumer-username"],
        "build-server"
    );
    assert!(
        answer.json()["headers"].get("x-api-key").is_none(),
        "credentials are hidden"
    );
    let post = client
        .send("POST", &url("/gists/public"), &[], bytes::Bytes::new())
        .await
        .unwrap();
    assert_eq!(post.status, 404, "the method takes part in matching");
}

#[tokio::test]
async fn importing_the_same_file_again_changes_nothing() {
    let quickstart = Quickstart::empty().await;
    let text = include_str!("../../examples/code-hosting.yaml");
    assert!(import(&quickstart, text).await.0);
    let hash = format!("{}/expected-config-hash", quickstart.plane_url());
    let before = quickstart.client().get(&hash).await.unwrap().json()["expected_hash"].clone();

    assert!(import(&quickstart, text).await.0);

    let after = quickstart.client().get(&hash).await.unwrap().json()["expected_hash"].clone();
    assert_eq!(before, after);
}

#[tokio::test]
async fn every_violation_is_listed_with_path_and_line_and_nothing_is_changed() {
    let quickstart = Quickstart::empty().await;
    let good = "_format_version: \"3.0\"\nservices:\n- name: kept\n  host: kept.test\n";
    assert!(import(&quickstart, good).await.0);
    let wrong = "_format_version: \"3.0\"\nservices:\n- name: a\n  host: a.test\n  port: 99999\n- name: a\n  host: b.test\n  colour: red\nroutes:\n- name: r\n  paths: [/r]\n  service: missing\n";

    let (is_imported, output) = import(&quickstart, wrong).await;

    assert!(!is_imported);
    for (what, line) in [("port", "5"), ("colour", "8"), ("missing", "12")] {
        let found = output
            .lines()
            .any(|text| text.contains(what) && text.contains(line));
        assert!(found, "`{what}` with line {line} in:\n{output}");
    }
    assert!(
        output.contains("already"),
        "the duplicate name is listed:\n{output}"
    );
    let kept = quickstart
        .client()
        .get(&quickstart.entities_url("services/kept"))
        .await
        .unwrap();
    assert_eq!(kept.status, 200);
    let list = quickstart
        .client()
        .get(&quickstart.entities_url("services"))
        .await
        .unwrap();
    assert_eq!(list.json()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn file_of_deck_is_imported() {
    let quickstart = Quickstart::empty().await;
    let text = "_format_version: \"3.0\"\n_info:\n  select_tags: [team-a]\n_workspace: default\n\
                _konnect:\n  control_plane_name: elsewhere\n\
                _plugin_configs:\n  limit:\n    minute: 5\n\
                services:\n- name: from-deck\n  host: a.test\n\
                \x20 plugins:\n  - name: rate-limiting\n    _config: limit\n";

    let (is_imported, output) = import(&quickstart, text).await;

    assert!(is_imported, "{output}");
    let client = quickstart.client();
    let service = quickstart.entities_url("services/from-deck");
    assert_eq!(client.get(&service).await.unwrap().status, 200);
    let plugins = quickstart.entities_url("plugins");
    let plugins = client.get(&plugins).await.unwrap().json();
    assert_eq!(plugins["data"][0]["config"]["minute"], 5);
}

#[tokio::test]
async fn broken_yaml_is_refused_with_its_line() {
    let quickstart = Quickstart::empty().await;

    let (is_imported, output) = import(
        &quickstart,
        "_format_version: \"3.0\"\nservices:\n- name: [a\n",
    )
    .await;

    assert!(!is_imported);
    assert!(output.contains("line"), "{output}");
}

#[tokio::test]
async fn unknown_entity_is_refused_by_name() {
    let quickstart = Quickstart::empty().await;

    let (is_imported, output) = import(
        &quickstart,
        "_format_version: \"3.0\"\ngadgets:\n- name: x\n",
    )
    .await;

    assert!(!is_imported);
    assert!(output.contains("gadgets"), "{output}");
}

#[tokio::test]
async fn file_that_does_not_exist_is_named() {
    let quickstart = Quickstart::empty().await;

    let folder = quickstart.flag("--data-dir");
    let arguments = [
        "config",
        "db_import",
        "/nowhere/x.yaml",
        "--data-dir",
        folder,
    ];
    let output = run_to_end(&arguments).await;

    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("/nowhere/x.yaml"), "{text}");
}

#[tokio::test]
async fn unknown_control_plane_is_named() {
    let quickstart = Quickstart::empty().await;
    let folder = TempDir::new("import");
    let file = folder.join("file.yaml");
    std::fs::write(&file, "_format_version: \"3.0\"\n").unwrap();
    let file = file.display().to_string();

    let arguments = [
        "config",
        "db_import",
        &file,
        "--control-plane",
        "no-such-plane",
        "--data-dir",
        quickstart.flag("--data-dir"),
    ];
    let output = run_to_end(&arguments).await;

    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("no-such-plane"), "{text}");
}
