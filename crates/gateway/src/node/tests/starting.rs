//! What a node starts with, and what keeps it from starting.

use pki::CertificateVersion;

use super::*;

fn as_data_plane(prefix: &TempDir) -> Vec<(String, String)> {
    let issued = pki::gen_cluster_certificate(30, CertificateVersion::V3).unwrap();
    let write = |name: &str, text: &str| {
        let path = prefix.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let pairs = [
        ("role", "data_plane".to_owned()),
        ("cluster_cert", write("cluster.crt", &issued.cert_pem)),
        ("cluster_cert_key", write("cluster.key", &issued.key_pem)),
        // Nobody listens there.
        ("cluster_control_plane", "127.0.0.1:9".to_owned()),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_file_is_in_use_before_the_node_listens() {
    let backend = Backend::start("declared").await;
    let prefix = TempDir::new("node");
    let file = prefix.join("kong.json");
    std::fs::write(&file, to_backend(&backend, &json!([])).to_string()).unwrap();
    let file = file.display().to_string();
    let node = start(&prefix, &[("declarative_config", &file)]).await;
    assert_eq!(get(node.proxy_addresses()[0], "/r").await.status, 200);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_file_that_is_wrong_keeps_the_node_from_starting() {
    let prefix = TempDir::new("node");
    let file = prefix.join("kong.yaml");
    let path = file.display().to_string();
    let declared = [("declarative_config", path.as_str())];
    let missing = refusal(&prefix, &declared).await;
    assert!(
        missing.contains("declarative_config") && missing.contains(&path),
        "{missing}"
    );
    std::fs::write(&file, "services: [unclosed").unwrap();
    let broken = refusal(&prefix, &declared).await;
    assert!(broken.contains("line "), "{broken}");
    std::fs::write(
        &file,
        "_format_version: '3.0'\nservices:\n- {name: s, port: 70000}\n",
    )
    .unwrap();
    let wrong = refusal(&prefix, &declared).await;
    assert!(wrong.contains("2 violations"), "{wrong}");
    assert!(
        wrong.contains("line 3") && wrong.contains("port"),
        "{wrong}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_use_keeps_the_node_from_starting_and_is_named() {
    let prefix = TempDir::new("node");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for setting in ["proxy_listen", "status_listen", "admin_listen"] {
        let error = refusal(&prefix, &[(setting, &address)]).await;
        assert!(error.contains(&address), "{setting}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_plane_serves_what_it_kept_while_nobody_answers() {
    let backend = Backend::start("kept").await;
    let prefix = TempDir::new("node");
    let pairs = as_data_plane(&prefix);
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let node = start(&prefix, &pairs).await;
    assert!(node.admin_addresses().is_empty());
    let table = json!({
        "_format_version": "3.0", "_transform": false,
        "services": [{
            "id": "00000001-0000-4000-8000-000000000001", "name": "s", "host": "127.0.0.1",
            "port": backend.port(), "protocol": "http",
        }],
        "routes": [{
            "id": "00000001-0000-4000-8000-000000000002", "name": "r", "paths": ["/r"],
            "protocols": ["http"], "service": "00000001-0000-4000-8000-000000000001",
        }],
    });
    let hash = "0123456789abcdef0123456789abcdef";
    let accepted = node
        .intake()
        .accept_table(table, hash.to_owned())
        .await
        .unwrap();
    assert_eq!(accepted.hash, hash);
    node.stop().await;
    let node = start(&prefix, &pairs).await;
    assert_eq!(get(node.proxy_addresses()[0], "/r").await.status, 200);
    let status = get(node.status_addresses()[0], "/status").await.json();
    assert_eq!(status["configuration_hash"], hash);
    assert_eq!(
        get(node.status_addresses()[0], "/status/ready")
            .await
            .status,
        200
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_its_folder_out_of_reach_still_runs() {
    let folder = TempDir::new("node");
    let file = folder.join("a-file");
    std::fs::write(&file, "").unwrap();
    let below = file.join("prefix").display().to_string();
    let backend = Backend::start("homeless").await;
    let node = start(&folder, &[("prefix", &below)]).await;
    take(&node, &to_backend(&backend, &json!([])))
        .await
        .unwrap();
    assert_eq!(get(node.proxy_addresses()[0], "/r").await.status, 200);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_certificate_is_made_once() {
    let prefix = TempDir::new("node");
    let tls = [("proxy_listen", "127.0.0.1:0 ssl")];
    let read = || std::fs::read(prefix.join("ssl/kong-default.crt")).unwrap();
    start(&prefix, &tls).await.stop().await;
    let first = read();
    start(&prefix, &tls).await.stop().await;
    assert_eq!(read(), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_listener_speaks_tls_and_http_2_where_it_is_asked_to() {
    let prefix = TempDir::new("node");
    let listen = "127.0.0.1:0, 127.0.0.1:0 ssl http2";
    let node = start(&prefix, &[("admin_listen", listen)]).await;
    let [plain, tls] = node.admin_addresses() else {
        panic!("two listeners");
    };
    let id = get(*plain, "/").await.text();
    let certificate = std::fs::read_to_string(prefix.join("ssl/kong-default.crt")).unwrap();
    let client = Client::new().trusting(&certificate).http2();
    let url = format!("https://localhost:{}/", tls.port());
    assert_eq!(client.get(&url).await.unwrap().text(), id);
    node.stop().await;
}
