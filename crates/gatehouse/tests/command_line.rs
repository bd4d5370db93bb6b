//! What may be typed, what is answered, and with which exit code.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use test_support::TempDir;

/// Runs the binary to its end, with extra environment; gives code, output and errors.
fn run_with(arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_gatehouse"))
        .args(arguments)
        .envs(environment.iter().copied())
        .output()
        .expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (
        output.status.code().expect("it exits"),
        text(output.stdout),
        text(output.stderr),
    )
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    run_with(arguments, &[])
}

#[test]
fn version_is_told_in_both_ways() {
    let expected = format!("gatehouse {}\n", env!("CARGO_PKG_VERSION"));
    for arguments in [["version"], ["--version"]] {
        let (code, output, _) = run(&arguments);
        assert_eq!((code, output.as_str()), (0, expected.as_str()));
    }
}

#[test]
fn nothing_or_something_unknown_shows_what_there_is() {
    let (code, _, errors) = run(&[]);
    assert_eq!(code, 2);
    assert!(
        errors.contains("Usage:") && errors.contains("hybrid"),
        "{errors}"
    );
    let (code, _, errors) = run(&["chek"]);
    assert_eq!(code, 2);
    assert!(
        errors.contains("'chek'") && errors.contains("check"),
        "{errors}"
    );
    let (code, _, errors) = run(&["check", "--stritc"]);
    assert_eq!(code, 2);
    assert!(errors.contains("--strict"), "{errors}");
    let (code, _, errors) = run(&["hybrid", "gen_cert", "-d", "soon"]);
    assert_eq!(code, 2);
    assert!(errors.contains("soon"), "{errors}");
}

#[test]
fn gen_cert_makes_a_pair_that_fits_and_touches_nothing_that_exists() {
    let folder = TempDir::new("gen-cert");
    let (cert, key) = (folder.join("c.crt"), folder.join("c.key"));
    let (cert_text, key_text) = (cert.display().to_string(), key.display().to_string());
    let (code, output, errors) = run(&["hybrid", "gen_cert", &cert_text, &key_text, "-d", "30"]);
    assert_eq!(code, 0, "{errors}");
    assert!(output.contains("30 days"), "{output}");
    let mode = |path| {
        std::fs::metadata(path)
            .expect("it exists")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!((mode(&cert), mode(&key)), (0o644, 0o600));
    let (cert_pem, key_pem) = (std::fs::read(&cert).unwrap(), std::fs::read(&key).unwrap());
    pki::certified_key(&cert_pem, &key_pem).expect("they fit");
    let peer = pki::PeerCertificate::from_pem(&cert_pem).expect("it is read");
    assert_eq!(
        (peer.version(), peer.common_name()),
        (1, Some("kong_clustering"))
    );
    assert_eq!(peer.not_after() - peer.not_before(), 30 * 86_400);

    // One of both exists: neither is touched, and the missing one is not made.
    std::fs::remove_file(&cert).unwrap();
    let (code, _, errors) = run(&["hybrid", "gen_cert", &cert_text, &key_text]);
    assert_eq!(code, 1);
    assert!(errors.contains("c.key` exists already"), "{errors}");
    assert!(!cert.exists());
    assert_eq!(std::fs::read(&key).unwrap(), key_pem);
}

#[test]
fn gen_cert_refuses_impossible_days_and_folders() {
    let folder = TempDir::new("gen-cert");
    let cert = folder.join("c.crt").display().to_string();
    let key = folder.join("c.key").display().to_string();
    let (code, _, errors) = run(&["hybrid", "gen_cert", &cert, &key, "-d", "0"]);
    assert_eq!(code, 1);
    assert!(errors.contains("`0` days"), "{errors}");
    let (code, _, errors) = run(&["hybrid", "gen_cert", "/no/folder/c.crt", "/no/folder/c.key"]);
    assert_eq!(code, 1);
    assert!(errors.contains("/no/folder/c.key"), "{errors}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn vault_get_prints_what_a_reference_stands_for() {
    let variables = [
        ("MY_TOKEN", "secret"),
        ("DB", r#"{"password":"p"}"#),
        ("KONG_VAULT_ENV_PREFIX", "my_"),
    ];
    for (reference, told) in [
        ("{vault://env/token}", "secret\n"),
        ("env/token", "secret\n"),
        ("{vault://env/db/password?prefix=}", "p\n"),
    ] {
        let (code, output, errors) = run_with(&["vault", "get", reference], &variables);
        assert_eq!((code, output.as_str()), (0, told), "{errors}");
    }
    for (reference, fault) in [
        ("{vault://env/none}", "the variable `MY_NONE` is not set"),
        ("{vault://aws/x}", "only the vault `env`"),
        ("", "only the vault `env`"),
    ] {
        let (code, output, errors) = run_with(&["vault", "get", reference], &variables);
        assert_eq!((code, output.as_str()), (1, ""));
        assert!(errors.contains(fault), "{errors}");
        assert!(!errors.contains("secret"), "{errors}");
    }
}

#[test]
fn check_reads_file_and_environment() {
    let folder = TempDir::new("check");
    let file = folder.join("kong.conf");
    std::fs::write(&file, "database = off\nlua_package_cpath = /x\n").unwrap();
    let file = file.display().to_string();
    let (code, output, errors) = run(&["check", "-c", &file]);
    assert_eq!(code, 0, "{errors}");
    assert!(output.contains("valid"), "{output}");
    assert!(
        errors.contains("warning: `lua_package_cpath` is set but has no effect"),
        "{errors}"
    );
    let wrong = [("KONG_ROLE", "boss"), ("KONG_STATUS_LISTEN", "nowhere")];
    let (code, _, errors) = run_with(&["check", "-c", &file], &wrong);
    assert_eq!(code, 1);
    for part in [
        "2 mistakes",
        "`role` (environment) is `boss`",
        "`status_listen`",
    ] {
        assert!(errors.contains(part), "missing {part} in {errors}");
    }
}

#[test]
fn check_says_what_a_node_cannot_be() {
    let folder = TempDir::new("check");
    let path = |name: &str| folder.join(name).display().to_string();
    let (file, cert, key) = (path("kong.conf"), path("cluster.crt"), path("cluster.key"));
    assert_eq!(run(&["hybrid", "gen_cert", &cert, &key]).0, 0);
    let plane = format!("role = control_plane\ncluster_cert = {cert}\ncluster_cert_key = {key}\n");
    std::fs::write(&file, plane).unwrap();
    let (code, _, errors) = run(&["check", "-c", &file]);
    assert_eq!(code, 1);
    assert!(errors.contains("start `gatehouse platform`"), "{errors}");
    // Without a word about databases a node keeps its entities below its prefix.
    std::fs::write(&file, "log_level = info\n").unwrap();
    assert_eq!(run(&["check", "-c", &file]).0, 0);
}

#[test]
fn config_init_makes_a_file_once() {
    let folder = TempDir::new("init");
    let file = folder.join("kong.yml");
    let name = file.display().to_string();
    assert_eq!(run(&["config", "init", &name]).0, 0);
    assert!(
        std::fs::read_to_string(&file)
            .unwrap()
            .contains("_format_version")
    );
    let (code, _, errors) = run(&["config", "init", &name]);
    assert_eq!(code, 1);
    assert!(errors.contains("exists already"), "{errors}");
}

#[test]
fn import_without_a_platform_says_what_is_missing() {
    let folder = TempDir::new("import");
    let file = folder.join("kong.yml");
    std::fs::write(&file, "_format_version: \"3.0\"\n").unwrap();
    let (file, data) = (
        file.display().to_string(),
        folder.path().display().to_string(),
    );
    let import = ["config", "db_import", &file, "--data-dir", &data];
    let (code, _, errors) = run(&import);
    assert_eq!(code, 1);
    assert!(
        errors.contains("--address") && errors.contains(&data),
        "{errors}"
    );
    let with_address = |address: &str, environment: &[(&str, &str)]| {
        let mut arguments = import.to_vec();
        arguments.extend(["--address", address]);
        run_with(&arguments, environment).2
    };
    let errors = with_address("https://us.api.konghq.localhost:1", &[]);
    assert!(errors.contains("GATEHOUSE_TOKEN"), "{errors}");
    let token = [("GATEHOUSE_TOKEN", "kpat_x")];
    let errors = with_address("us.api.konghq.localhost", &token);
    assert!(
        errors.contains("`us.api.konghq.localhost` is not an address"),
        "{errors}"
    );
    let errors = with_address("https://us.api.konghq.localhost:1", &token);
    assert!(
        errors.contains("cannot reach `us.api.konghq.localhost:1`"),
        "{errors}"
    );
    let (_, _, errors) = run(&["config", "db_import", "/no/such.yml", "--data-dir", &data]);
    assert!(errors.contains("cannot read `/no/such.yml`"), "{errors}");
}

#[test]
fn hosts_prints_the_names_of_a_domain() {
    let folder = TempDir::new("hosts");
    let data = folder.path().display().to_string();
    let domain = [
        "hosts",
        "--data-dir",
        &data,
        "--base-domain",
        "konghq.example.org",
    ];
    let mut arguments = domain.to_vec();
    arguments.extend(["--address", "10.0.0.7"]);
    let (code, output, _) = run(&arguments);
    assert_eq!(code, 0);
    assert!(
        output.contains("10.0.0.7 us.api.konghq.example.org\n"),
        "{output}"
    );
    std::fs::write(folder.join("quickstart.json"), "{nonsense").unwrap();
    let (code, _, errors) = run(&domain);
    assert_eq!(code, 1);
    assert!(errors.contains("quickstart.json` is damaged"), "{errors}");
}

#[test]
fn config_parse_says_all_mistakes_with_path_and_line() {
    let folder = TempDir::new("parse");
    let parse = |text: &str| {
        let file = folder.join("kong.yml");
        std::fs::write(&file, text).unwrap();
        run(&["config", "parse", &file.display().to_string()])
    };
    let good = "_format_version: \"3.0\"\nservices:\n- name: a\n  host: a.test\n";
    let (code, output, errors) = parse(good);
    assert_eq!(code, 0, "{errors}");
    assert!(output.contains("is valid: 1 entities"), "{output}");
    let wrong = "_format_version: \"3.0\"\nservices:\n- name: a\n  host: a.test\n  port: 99999\n\
                 - name: b\n  host: b.test\n  colour: red\n";
    let (code, _, errors) = parse(wrong);
    assert_eq!(code, 1);
    for part in ["line 5: services[0].port", "line 8: services[1].colour"] {
        assert!(errors.contains(part), "missing {part} in {errors}");
    }
    let (code, _, errors) = parse("services: [a\n");
    assert_eq!(code, 1);
    assert!(errors.contains("line"), "{errors}");
}

#[test]
fn members_of_deck_are_taken_by_config_parse_and_refused_for_a_node() {
    let folder = TempDir::new("deck");
    let (conf, yaml) = (folder.join("kong.conf"), folder.join("kong.yml"));
    let text = "_format_version: \"3.0\"\n_info: {select_tags: [a]}\n_konnect: {}\n";
    std::fs::write(&yaml, text).unwrap();
    let text = format!("database = off\ndeclarative_config = {}\n", yaml.display());
    std::fs::write(&conf, text).unwrap();

    let (code, _, errors) = run(&["config", "parse", &yaml.display().to_string()]);
    assert_eq!(code, 0, "{errors}");

    let (code, _, errors) = run(&["check", "-c", &conf.display().to_string()]);
    assert_eq!(code, 1);
    for member in ["_info", "_konnect"] {
        assert!(errors.contains(member), "missing {member} in {errors}");
    }
}

#[test]
fn the_example_of_config_init_is_valid() {
    let folder = TempDir::new("init");
    let file = folder.join("kong.yml").display().to_string();
    assert_eq!(run(&["config", "init", &file]).0, 0);
    let (code, _, errors) = run(&["config", "parse", &file]);
    assert_eq!(code, 0, "{errors}");
}

#[test]
fn check_looks_into_the_declarative_file() {
    let folder = TempDir::new("check");
    let (conf, yaml) = (folder.join("kong.conf"), folder.join("kong.yml"));
    let text = format!("database = off\ndeclarative_config = {}\n", yaml.display());
    std::fs::write(&conf, text).unwrap();
    let conf = conf.display().to_string();
    std::fs::write(&yaml, "_format_version: \"3.0\"\nservices:\n- name: a\n").unwrap();
    let (code, _, errors) = run(&["check", "-c", &conf]);
    assert_eq!(code, 1);
    assert!(errors.contains("services[0].host"), "{errors}");
    std::fs::remove_file(&yaml).unwrap();
    let (code, _, errors) = run(&["check", "-c", &conf]);
    assert_eq!(code, 1);
    assert!(errors.contains("kong.yml"), "{errors}");
}

const ROUTES: &str = r#"
_format_version: "3.0"
services:
- name: core
  host: core.test
  plugins: [{name: key-auth}]
  routes:
  - name: teams
    hosts: [a.test]
    paths: [/teams]
    methods: [GET]
    plugins: [{name: cors}]
  - name: all
    hosts: [a.test]
- name: dark
  host: off.test
  enabled: false
  routes: [{name: hidden, hosts: [a.test], paths: [/teams/hidden]}]
plugins:
- name: cors
- {name: correlation-id, enabled: false}
- {name: ip-restriction, config: {deny: [10.0.0.1]}}
"#;

#[test]
fn explain_names_the_route_its_plugins_in_order_and_why_others_fail() {
    let folder = TempDir::new("explain");
    let file = folder.join("kong.yml");
    std::fs::write(&file, ROUTES).unwrap();
    let file = file.display().to_string();

    let (code, output, errors) = run(&["explain", &file, "/teams/hidden", "--host", "a.test"]);
    assert_eq!(code, 0, "{errors}");
    let lines: Vec<_> = output.lines().take(7).collect();
    assert_eq!(
        lines[..5],
        [
            "route `teams` takes the request",
            "  plugin 1: cors of the route",
            "  plugin 2: key-auth of the service",
            "  plugin 3: ip-restriction of the node",
            "routes considered (2 of 2):",
        ]
    );
    assert!(lines[5].starts_with("  `teams`: wins"), "{output}");
    assert!(
        lines[6].starts_with("  `all`: matches too, but comes later"),
        "{output}"
    );

    // No route: the exit code is that of an answer, and every route says what it lacks.
    let arguments = ["explain", &file, "/x", "--host", "b.test", "-m", "PUT"];
    let (code, output, _) = run(&arguments);
    assert_eq!(code, 0);
    for part in [
        "no route takes the request: it is answered with 404",
        "hosts: none fits `b.test` with port 8000",
        "paths: none fits `/x`",
        "methods: `PUT` is not listed",
    ] {
        assert!(output.contains(part), "missing {part} in {output}");
    }
}

#[test]
fn explain_answers_machines_in_json() {
    let folder = TempDir::new("explain-json");
    let file = folder.join("kong.yml");
    std::fs::write(&file, ROUTES).unwrap();
    let file = file.display().to_string();
    let ask = |path: &str| {
        let (code, output, errors) =
            run(&["explain", &file, path, "--host", "a.test", "-o", "json"]);
        assert_eq!(code, 0, "{errors}");
        serde_json::from_str::<serde_json::Value>(&output).expect("JSON")
    };

    let told = ask("/x?a=/teams");
    assert_eq!(told["route"]["name"], "all");
    assert_eq!(told["router_flavor"], "traditional_compatible");
    assert_eq!(told["routes_in_all"], 2);
    let second = &told["considered"][1];
    assert_eq!(second["name"], "teams");
    assert_eq!(second["verdict"], "does not match");
    assert_eq!(second["unmet"][0]["field"], "paths");
    let names: Vec<_> = told["route"]["plugins"]
        .as_array()
        .unwrap()
        .iter()
        .collect();
    assert_eq!(names.len(), 3, "{told}");
    assert_eq!(told["route"]["plugins"][0]["scope"], "node");

    std::fs::write(&file, "_format_version: \"3.0\"\n").unwrap();
    let told = ask("/");
    assert_eq!(told["route"], serde_json::Value::Null);
    assert_eq!(told["routes_in_all"], 0);
}

#[test]
fn explain_reads_expressions_in_their_flavor_alone() {
    let folder = TempDir::new("explain-expressions");
    let file = folder.join("kong.yml");
    let text = "_format_version: \"3.0\"\nroutes:\n- name: e\n  \
                expression: tls.sni == \"a.test\"\n- {name: g, protocols: [grpcs], paths: [/]}\n";
    std::fs::write(&file, text).unwrap();
    let file = file.display().to_string();

    let (code, _, errors) = run(&["explain", &file]);
    assert_eq!(code, 1);
    assert!(errors.contains("expression"), "{errors}");

    let flavor = ["explain", &file, "--flavor", "expressions"];
    let (code, output, errors) = run(&[&flavor[..], &["--sni", "a.test"]].concat());
    assert_eq!(code, 0, "{errors}");
    assert!(output.starts_with("route `e` takes"), "{output}");

    let (_, output, _) = run(&flavor);
    assert!(output.starts_with("no route takes"), "{output}");
    for part in [
        "expression: it does not hold",
        "protocols: the request came in plain text",
    ] {
        assert!(output.contains(part), "missing {part} in {output}");
    }
}

#[test]
fn explain_says_what_it_cannot_read() {
    let folder = TempDir::new("explain-wrong");
    let file = folder.join("kong.yml");
    std::fs::write(&file, ROUTES).unwrap();
    let file = file.display().to_string();
    for (wrong, code, part) in [
        (["/", "--flavour", "traditional"], 2, "--flavor"),
        (["/", "--flavor", "modern"], 2, "traditional_compatible"),
        (["/", "-o", "yaml"], 2, "json"),
        (["/", "-H", "X-Team"], 1, "`Name: value`"),
        (["/", "-H", "host: a.test"], 1, "`--host`"),
        (
            ["/", "--source", "here"],
            1,
            "`--source here` is no IP address",
        ),
        (["teams", "--host", "a.test"], 1, "begins with `/`"),
        (["/%zz/../..", "--host", "a.test"], 1, "400"),
    ] {
        let arguments = [&["explain", &file], &wrong[..]].concat();
        let (found, _, errors) = run(&arguments);
        assert_eq!(found, code, "{wrong:?}: {errors}");
        assert!(errors.contains(part), "missing {part} in {errors}");
    }

    std::fs::write(&file, "services: [a\n").unwrap();
    let (code, _, errors) = run(&["explain", &file]);
    assert_eq!(code, 1);
    assert!(
        errors.contains("kong.yml` has mistakes") && errors.contains("line"),
        "{errors}"
    );
    let pattern = "_format_version: \"3.0\"\nroutes:\n- {name: p, paths: [\"~/(?=a)\"]}\n";
    std::fs::write(&file, pattern).unwrap();
    let (code, _, errors) = run(&["explain", &file]);
    assert_eq!(code, 1);
    assert!(errors.contains("paths"), "{errors}");
    std::fs::remove_file(&file).unwrap();
    let (code, _, errors) = run(&["explain", &file]);
    assert_eq!(code, 1);
    assert!(errors.contains("kong.yml"), "{errors}");
}
