//! What the command says to a person who makes a mistake.

use test_support::{TempDir, run_to_end};

async fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = run_to_end(arguments).await;
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[tokio::test]
async fn help_names_every_command() {
    let (code, text) = run(&["--help"]).await;

    assert_eq!(code, Some(0));
    for command in [
        "quickstart",
        "platform",
        "node",
        "check",
        "config",
        "hybrid",
        "hosts",
        "version",
    ] {
        assert!(text.contains(command), "`{command}` in:\n{text}");
    }
}

#[tokio::test]
async fn wrong_flag_is_named_and_fails() {
    let (code, text) = run(&["quickstart", "--data-dri", "x"]).await;

    assert_eq!(code, Some(2));
    assert!(
        text.contains("--data-dri") && text.contains("--data-dir"),
        "{text}"
    );
}

#[tokio::test]
async fn gen_cert_refuses_to_overwrite_and_sets_modes() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new("gen-cert");
    let (cert, key) = (folder.join("c.crt"), folder.join("c.key"));
    let (cert, key) = (cert.display().to_string(), key.display().to_string());

    let first = run(&["hybrid", "gen_cert", &cert, &key]).await;
    let again = run(&["hybrid", "gen_cert", &cert, &key]).await;

    assert_eq!(first.0, Some(0), "{}", first.1);
    assert_ne!(again.0, Some(0));
    assert!(again.1.contains("exists"), "{}", again.1);
    let mode = |path: &str| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&cert), mode(&key)), (0o644, 0o600));
}

#[tokio::test]
async fn check_lists_every_mistake_of_a_configuration() {
    let folder = TempDir::new("check");
    let file = folder.join("kong.conf");
    let text = "role = data_plane\ndatabase = off\nproxy_listen = nonsense\nlog_level = loud\n";
    std::fs::write(&file, text).unwrap();

    let (code, text) = run(&["check", "-c", &file.display().to_string()]).await;

    assert_ne!(code, Some(0));
    for name in ["proxy_listen", "log_level", "cluster_cert"] {
        assert!(text.contains(name), "`{name}` in:\n{text}");
    }
}

#[tokio::test]
async fn unknown_key_warns_with_the_nearest_name_and_fails_only_when_strict() {
    let folder = TempDir::new("check");
    let file = folder.join("kong.conf");
    std::fs::write(&file, "database = off\nproxy_lisen = 0.0.0.0:8000\n").unwrap();
    let file = file.display().to_string();

    let (lenient, text) = run(&["check", "-c", &file]).await;
    let (strict, _) = run(&["check", "-c", &file, "--strict"]).await;

    assert_eq!(lenient, Some(0), "{text}");
    assert!(
        text.contains("proxy_lisen") && text.contains("proxy_listen"),
        "{text}"
    );
    assert_ne!(strict, Some(0));
}

#[tokio::test]
async fn missing_configuration_file_is_named() {
    let (code, text) = run(&["node", "-c", "/nowhere/kong.conf"]).await;

    assert_ne!(code, Some(0));
    assert!(text.contains("/nowhere/kong.conf"), "{text}");
}
