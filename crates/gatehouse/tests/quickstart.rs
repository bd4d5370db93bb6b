//! The processes of a quickstart: what survives what, and what is taken up again.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use test_support::{
    Client, Gatehouse, Quickstart, QuickstartOptions, TempDir, eventually, free_port, run_to_end,
};

/// The node's process id, as the quickstart noted it.
fn node_pid(quickstart: &Quickstart) -> String {
    let text = std::fs::read_to_string(quickstart.folder().join("node/node.pid"));
    text.expect("the node was started").trim().to_owned()
}

fn is_running(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|text| !text.contains(") Z "))
}

async fn status(url: &str) -> Option<u16> {
    Client::new()
        .get(url)
        .await
        .ok()
        .map(|answer| answer.status)
}

#[tokio::test]
async fn node_of_a_killed_platform_is_taken_up_again() {
    let mut quickstart = Quickstart::start(&QuickstartOptions::default()).await;
    let pid = node_pid(&quickstart);
    quickstart.process().kill().await;
    assert_eq!(status(&quickstart.proxy_url("/echo/x")).await, Some(200));

    quickstart.start_again().await;

    assert_eq!(node_pid(&quickstart), pid);
    assert!(is_running(&pid));
    assert!(quickstart.process().output().contains("taking up the node"));
    // Asked to end, the new quickstart ends the node that it did not start.
    let code = quickstart.process().terminate(Duration::from_secs(5)).await;
    assert_eq!(code, Some(0));
    assert!(!is_running(&pid));
}

#[tokio::test]
async fn node_whose_settings_changed_is_replaced() {
    let mut quickstart = Quickstart::start(&QuickstartOptions::default()).await;
    let pid = node_pid(&quickstart);
    let old_url = quickstart.proxy_url("/echo/x");
    quickstart.process().kill().await;

    let data = quickstart.flag("--data-dir").to_owned();
    let flags = ["--platform-port", "--proxy-tls-port", "--status-port"];
    let ports = flags.map(|flag| [flag.to_owned(), quickstart.flag(flag).to_owned()]);
    let port = free_port().to_string();
    let mut arguments = vec!["quickstart", "--data-dir", &data, "--proxy-port", &port];
    arguments.extend(ports.iter().flatten().map(String::as_str));
    let mut process = Gatehouse::start(&arguments, &[]);
    process.prints("curl http").await;

    assert!(
        process.output().contains("replacing the node"),
        "{}",
        process.output()
    );
    assert!(!is_running(&pid));
    assert_eq!(
        status(&format!("http://localhost:{port}/echo/x")).await,
        Some(200)
    );
    assert_eq!(status(&old_url).await, None);
    process.terminate(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn node_that_dies_is_started_again() {
    let quickstart = Quickstart::start(&QuickstartOptions::default()).await;
    let pid = node_pid(&quickstart);

    let killed = Command::new("kill")
        .args(["-9", &pid])
        .status()
        .expect("kill runs");
    assert!(killed.success());

    let url = quickstart.proxy_url("/echo/x");
    eventually("another node serves", async || {
        let is_other = node_pid(&quickstart) != pid;
        (is_other && status(&url).await == Some(200)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn stranger_with_the_noted_process_id_is_left_alone() {
    let mut quickstart = Quickstart::start(&QuickstartOptions::default()).await;
    quickstart.process().terminate(Duration::from_secs(5)).await;
    let mut stranger = Command::new("sleep").arg("60").spawn().expect("sleep runs");
    let note = quickstart.folder().join("node/node.pid");
    std::fs::write(note, stranger.id().to_string()).expect("it is written");

    quickstart.start_again().await;

    assert!(
        stranger.try_wait().expect("a child can be asked").is_none(),
        "it still runs"
    );
    assert_ne!(node_pid(&quickstart), stranger.id().to_string());
    assert_eq!(status(&quickstart.proxy_url("/echo/x")).await, Some(200));
    stranger.kill().expect("it is killed");
    stranger.wait().expect("it has ended");
}

#[tokio::test]
async fn one_folder_has_one_quickstart() {
    let quickstart = Quickstart::start(&QuickstartOptions::default()).await;

    let data = quickstart.flag("--data-dir");
    let output = run_to_end(&["quickstart", "--data-dir", data]).await;

    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        text.contains("another quickstart uses") && text.contains("--data-dir"),
        "{text}"
    );
}

#[tokio::test]
async fn port_that_is_taken_is_named() {
    let folder = TempDir::new("quickstart");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = taken
        .local_addr()
        .expect("it has an address")
        .port()
        .to_string();

    let data = folder.path().display().to_string();
    for (flag, address) in [
        ("--platform-port", "127.0.0.1"),
        ("--proxy-port", "0.0.0.0"),
    ] {
        let mut arguments = vec!["quickstart", "--data-dir", &data, flag, &port];
        let free: Vec<String> = (0..4).map(|_| free_port().to_string()).collect();
        let flags = [
            "--platform-port",
            "--proxy-port",
            "--proxy-tls-port",
            "--status-port",
        ];
        let others = flags.iter().zip(&free).filter(|(other, _)| **other != flag);
        arguments.extend(others.flat_map(|(flag, port)| [*flag, port.as_str()]));

        let output = run_to_end(&arguments).await;

        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains(&format!("{address}:{port}")), "{text}");
    }
}

#[tokio::test]
async fn lost_or_ended_token_is_made_anew() {
    let mut quickstart = Quickstart::start(&QuickstartOptions::default()).await;
    let before = quickstart.facts().clone();
    quickstart.process().terminate(Duration::from_secs(5)).await;
    std::fs::remove_file(quickstart.folder().join("quickstart.json")).expect("it is removed");

    quickstart.start_again().await;

    assert_ne!(
        quickstart.fact("token"),
        before["token"].as_str().expect("a token")
    );
    assert_eq!(
        quickstart.facts()["control_plane_id"],
        before["control_plane_id"]
    );
    let plane = quickstart
        .client()
        .get(&quickstart.plane_url())
        .await
        .expect("an answer");
    assert_eq!(plane.status, 200);
}

#[tokio::test]
async fn sample_that_was_removed_stays_removed() {
    let mut quickstart = Quickstart::start(&QuickstartOptions::default()).await;
    let delete = async |path: &str| {
        let url = quickstart.entities_url(path);
        let answer = quickstart
            .client()
            .send("DELETE", &url, &[], bytes::Bytes::new())
            .await;
        assert_eq!(answer.expect("an answer").status, 204);
    };
    delete("routes/echo").await;
    delete("services/echo").await;
    quickstart.process().kill().await;

    let list = restarted(&mut quickstart).await;

    assert_eq!(list["data"].as_array().map(Vec::len), Some(0), "{list}");
}

#[tokio::test]
async fn start_that_was_cut_short_is_continued() {
    for millis in [30, 60, 90, 120, 150, 180, 220] {
        let folder = TempDir::new("quickstart");
        let data = folder.path().display().to_string();
        let ports: Vec<String> = (0..4).map(|_| free_port().to_string()).collect();
        let flags = [
            "--platform-port",
            "--proxy-port",
            "--proxy-tls-port",
            "--status-port",
        ];
        let mut arguments = vec!["quickstart", "--data-dir", &data];
        arguments.extend(
            flags
                .iter()
                .zip(&ports)
                .flat_map(|(flag, port)| [*flag, port.as_str()]),
        );
        let mut first = Gatehouse::start(&arguments, &[]);
        tokio::time::sleep(Duration::from_millis(millis)).await;
        first.kill().await;

        let mut second = Gatehouse::start(&arguments, &[]);
        second.prints("curl http").await;

        let url = format!("http://localhost:{}/echo/x", ports[1]);
        assert_eq!(
            status(&url).await,
            Some(200),
            "after {millis} ms: {}",
            second.output()
        );
        let facts = std::fs::read_to_string(folder.join("quickstart.json")).expect("facts");
        let facts: Value = serde_json::from_str(&facts).expect("JSON");
        for secret in ["token", "admin_password"] {
            let text = facts[secret].as_str().expect(secret);
            let output = first.output() + &second.output();
            assert!(
                output.contains(text),
                "{secret} after {millis} ms: {output}"
            );
        }
        assert_eq!(second.terminate(Duration::from_secs(5)).await, Some(0));
    }
}

#[tokio::test]
async fn node_that_was_never_noted_is_found_again() {
    let mut quickstart = Quickstart::start(&QuickstartOptions::default()).await;
    let pid = node_pid(&quickstart);
    quickstart.process().kill().await;
    std::fs::remove_file(quickstart.folder().join("node/node.pid")).expect("the noted pid");

    quickstart.start_again().await;

    assert_eq!(node_pid(&quickstart), pid);
}

#[tokio::test]
async fn certificate_of_the_node_that_ends_soon_is_replaced() {
    let mut quickstart = Quickstart::start(&QuickstartOptions::default()).await;
    let pid = node_pid(&quickstart);
    quickstart.process().kill().await;
    let soon = pki::gen_cluster_certificate(20, pki::CertificateVersion::V3).expect("it is made");
    std::fs::write(quickstart.fact("node_cert_path"), &soon.cert_pem).expect("it is written");
    std::fs::write(quickstart.fact("node_key_path"), &soon.key_pem).expect("it is written");

    quickstart.start_again().await;

    let pem = std::fs::read(quickstart.fact("node_cert_path")).expect("it is read");
    let peer = pki::PeerCertificate::from_pem(&pem).expect("it is a certificate");
    assert!(peer.not_after() - peer.not_before() > 1000 * 86_400);
    assert_ne!(node_pid(&quickstart), pid);
    let url = format!("{}/dp-client-certificates", quickstart.plane_url());
    let list = quickstart
        .client()
        .get(&url)
        .await
        .expect("an answer")
        .json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2), "{list}");
}

async fn restarted(quickstart: &mut Quickstart) -> Value {
    quickstart.start_again().await;
    let url = quickstart.entities_url("services");
    quickstart
        .client()
        .get(&url)
        .await
        .expect("an answer")
        .json()
}

#[tokio::test]
async fn password_and_token_can_be_made_anew_on_the_data_folder() {
    let mut quickstart = Quickstart::start(&QuickstartOptions::default()).await;
    quickstart.process().terminate(Duration::from_secs(5)).await;
    let data = quickstart.flag("--data-dir").to_owned();
    let email = quickstart.fact("admin_email").to_owned();

    let token = admin(&["create-token", &email, "--data-dir", &data, "--name", "ci"]).await;
    let password = admin(&["reset-password", &email, "--data-dir", &data]).await;
    let nobody = run_to_end(&["admin", "create-token", "x@y.test", "--data-dir", &data]).await;

    assert!(token.starts_with("kpat_"), "{token}");
    assert!(password.len() >= 16, "{password}");
    assert_ne!(password, quickstart.fact("admin_password"));
    assert_eq!(nobody.status.code(), Some(1));
    quickstart.start_again().await;
    let client = Client::new().trusting(&quickstart.ca()).bearer(&token);
    assert_eq!(
        client
            .get(&quickstart.plane_url())
            .await
            .expect("an answer")
            .status,
        200
    );
}

/// Runs `admin …` and gives the last word of what it printed.
async fn admin(arguments: &[&str]) -> String {
    let mut words = vec!["admin"];
    words.extend(arguments);
    let output = run_to_end(&words).await;
    let text = String::from_utf8(output.stdout).expect("text");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    text.split_whitespace().last().expect("a word").to_owned()
}
