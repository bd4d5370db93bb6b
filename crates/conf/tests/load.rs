//! Loading: precedence, references, mistakes all at once, notices.

use gatehouse_conf::{
    ClusterMtls, ConfError, Database, LoadOptions, Notice, ProxyScheme, Role, Settings, Trust,
};
use test_support::TempDir;

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn from_environment(pairs: &[(&str, &str)]) -> Result<(Settings, Vec<Notice>), Vec<ConfError>> {
    Settings::load(&LoadOptions {
        environment: variables(pairs),
        ..LoadOptions::default()
    })
}

/// Loads and gives all mistakes as text.
fn mistakes(pairs: &[(&str, &str)]) -> Vec<String> {
    let errors = from_environment(pairs).expect_err("it is refused");
    errors.iter().map(ToString::to_string).collect()
}

fn from_file(text: &str, is_strict: bool) -> Result<(Settings, Vec<Notice>), Vec<ConfError>> {
    let folder = TempDir::new("conf");
    let file = folder.join("kong.conf");
    std::fs::write(&file, text).expect("it is written");
    Settings::load(&LoadOptions {
        file: Some(file),
        is_strict,
        ..LoadOptions::default()
    })
}

#[test]
fn arguments_win_over_the_environment_and_that_over_the_file() {
    let folder = TempDir::new("conf");
    let file = folder.join("kong.conf");
    std::fs::write(
        &file,
        "log_level = info\nprefix = /a\nerror_default_type = text/html\n",
    )
    .expect("it is written");
    let options = LoadOptions {
        file: Some(file),
        environment: variables(&[("KONG_LOG_LEVEL", "warn"), ("KONG_PREFIX", "/b")]),
        overrides: variables(&[("prefix", "/c")]),
        ..LoadOptions::default()
    };
    let (settings, notices) = Settings::load(&options).expect("it loads");
    assert_eq!(notices, []);
    assert_eq!(settings.prefix.to_str(), Some("/c"));
    assert_eq!(settings.log_level.as_str(), "warn");
    assert_eq!(settings.error_default_type.as_str(), "text/html");
}

#[test]
fn an_empty_variable_unsets_what_the_file_says() {
    let folder = TempDir::new("conf");
    let file = folder.join("kong.conf");
    std::fs::write(&file, "log_level = info\n").expect("it is written");
    let options = LoadOptions {
        file: Some(file),
        environment: variables(&[("KONG_LOG_LEVEL", "")]),
        ..LoadOptions::default()
    };
    assert_eq!(
        Settings::load(&options)
            .expect("it loads")
            .0
            .log_level
            .as_str(),
        "notice"
    );
}

#[test]
fn the_first_default_file_that_exists_is_read_and_a_named_one_must_exist() {
    let folder = TempDir::new("conf");
    let second = folder.join("second.conf");
    std::fs::write(&second, "log_level = debug\n").expect("it is written");
    let default_files = vec![folder.join("first.conf"), second];
    let options = LoadOptions {
        default_files,
        ..LoadOptions::default()
    };
    assert_eq!(
        Settings::load(&options)
            .expect("it loads")
            .0
            .log_level
            .as_str(),
        "debug"
    );
    let file = Some(folder.join("missing.conf"));
    let errors = Settings::load(&LoadOptions {
        file,
        ..LoadOptions::default()
    });
    let text = errors.expect_err("it is refused")[0].to_string();
    assert!(
        text.contains("missing.conf") && text.contains("-c"),
        "{text}"
    );
}

#[test]
fn references_read_the_environment() {
    let (settings, _) = from_environment(&[
        ("KONG_LOG_LEVEL", "{vault://env/my-level}"),
        ("MY_LEVEL", "error"),
        ("KONG_PREFIX", "{vault://env/secrets/folder}"),
        ("SECRETS", r#"{"folder": "/from/json"}"#),
        ("KONG_REAL_IP_HEADER", "{vault://env/header?prefix=site_}"),
        ("SITE_HEADER", "X-Forwarded-For"),
    ])
    .expect("it loads");
    assert_eq!(settings.log_level.as_str(), "error");
    assert_eq!(settings.prefix.to_str(), Some("/from/json"));
    assert_eq!(
        format!("{:?}", settings.real_ip_header),
        r#"Header("X-Forwarded-For")"#
    );
}

#[test]
fn references_take_the_prefix_of_the_vault() {
    let (settings, _) = from_environment(&[
        ("KONG_VAULT_ENV_PREFIX", "gh_"),
        ("KONG_LOG_LEVEL", "{vault://env/level}"),
        ("GH_LEVEL", "alert"),
    ])
    .expect("it loads");
    assert_eq!(settings.log_level.as_str(), "alert");
}

#[test]
fn references_that_lead_nowhere_are_mistakes_without_the_value_of_others() {
    let errors = mistakes(&[
        ("KONG_PREFIX", "{vault://env/missing}"),
        ("KONG_NODE_ID", "{vault://aws/secret}"),
        ("KONG_ERROR_TEMPLATE_JSON", "{vault://env/plain/key}"),
        ("PLAIN", "no json, but a password"),
    ]);
    let text = errors.join("\n");
    assert!(text.contains("`MISSING` is not set"), "{text}");
    assert!(text.contains("only the vault `env`"), "{text}");
    assert!(
        text.contains("`PLAIN` is no JSON object with `key`"),
        "{text}"
    );
    assert!(!text.contains("password"), "{text}");
}

#[test]
fn all_mistakes_are_told_at_once_with_property_value_and_origin() {
    let errors = mistakes(&[
        ("KONG_ROLE", "dataplane"),
        ("KONG_LOG_LEVEL", "loud"),
        ("KONG_PROXY_LISTEN", "0.0.0.0"),
        ("KONG_CLUSTER_MAX_PAYLOAD", "1024"),
        ("KONG_CLUSTER_DATA_PLANE_PURGE_DELAY", "59"),
        ("KONG_LUA_MAX_URI_ARGS", "1001"),
        ("KONG_NODE_ID", "my-node"),
        ("KONG_PG_PORT", "abc"),
        ("KONG_HEADERS", "server_tokens, X-Mine"),
        ("KONG_NGINX_HTTP_CLIENT_MAX_BODY_SIZE", "10x"),
        ("KONG_TRUSTED_IPS", "10.0.0.0/33"),
        ("KONG_SSL_PROTOCOLS", "TLSv1.1"),
        ("KONG_WORKER_STATE_UPDATE_FREQUENCY", "0"),
        ("KONG_NGINX_WORKER_PROCESSES", "none"),
        ("KONG_DNS_RESOLVER", "ns.example.test"),
        ("KONG_CLUSTER_CONTROL_PLANE", "http://cp:8005"),
    ]);
    let text = errors.join("\n");
    for part in [
        "`role` (environment) is `dataplane`: it must be one of `traditional`",
        "`log_level` (environment) is `loud`",
        "`proxy_listen` (environment) is `0.0.0.0`: `0.0.0.0` has no port; it must be of the form: [off] | <ip>:<port>",
        "`cluster_max_payload` (environment) is `1024`: it must be a whole number of at least 4194304",
        "`cluster_data_plane_purge_delay` (environment) is `59`",
        "`lua_max_uri_args` (environment) is `1001`: it must be a whole number between 1 and 1000",
        "`node_id` (environment) is `my-node`: it must be a UUID",
        "`pg_port` (environment) is `abc`: it must be a number",
        "`X-Mine` is not a header that can be added",
        "`10x` is not a size",
        "`/33` is not between /0 and /32",
        "`ssl_protocols` (environment) is `TLSv1.1`",
        "`worker_state_update_frequency` must be greater than 0",
        "`nginx_worker_processes` (environment) is `none`",
        "`ns.example.test` is not an address",
        "only TLS is possible",
    ] {
        assert!(text.contains(part), "missing {part} in\n{text}");
    }
    assert_eq!(errors.len(), 16, "{text}");
}

#[test]
fn a_node_of_a_control_plane_has_its_rules() {
    let errors = mistakes(&[
        ("KONG_ROLE", "data_plane"),
        ("KONG_PROXY_LISTEN", "off"),
        ("KONG_CLUSTER_USE_PROXY", "on"),
        ("KONG_CLUSTER_DP_LABELS", "a:b,kong-x:y,nocolon,-a:b"),
    ]);
    let text = errors.join("\n");
    for part in [
        "`database` must be `off`",
        "`proxy_listen` must not be `off`",
        "`cluster_use_proxy` needs `proxy_server`",
        "`cluster_cert` is needed",
        "`cluster_cert_key` is needed",
        "begins with `kong`, which is reserved",
        "`nocolon` is not of the form key:value",
        "`-a:b` must begin and end with a letter or digit",
    ] {
        assert!(text.contains(part), "missing {part} in\n{text}");
    }
}

#[test]
fn a_control_plane_and_a_lonely_node_have_their_rules() {
    let text = mistakes(&[
        ("KONG_ROLE", "control_plane"),
        ("KONG_DATABASE", "off"),
        ("KONG_ADMIN_LISTEN", "off"),
        ("KONG_CLUSTER_LISTEN", "off"),
        ("KONG_CLUSTER_MTLS", "pki"),
        ("KONG_CLUSTER_USE_PROXY", "on"),
        ("KONG_CLUSTER_DP_LABELS", "a:b"),
    ])
    .join("\n");
    for part in [
        "`database` must not be `off`",
        "`admin_listen` must not be `off`",
        "`cluster_listen` must not be `off`",
        "`cluster_ca_cert` is needed",
        "`cluster_use_proxy` is possible with `role = data_plane` only",
        "`cluster_dp_labels` is possible with `role = data_plane` only",
    ] {
        assert!(text.contains(part), "missing {part} in\n{text}");
    }
    let lonely = mistakes(&[("KONG_CLUSTER_DP_LABELS", "a:b")]);
    assert!(lonely[0].contains("`role = data_plane` only"), "{lonely:?}");
}

#[test]
fn what_a_node_cannot_be_is_told_apart_from_mistakes() {
    let folder = TempDir::new("conf");
    let (cert, key) = cluster_files(&folder);
    let plane = [
        ("KONG_ROLE", "control_plane"),
        ("KONG_CLUSTER_CERT", cert.as_str()),
        ("KONG_CLUSTER_CERT_KEY", key.as_str()),
    ];
    let (settings, _) = from_environment(&plane).expect("it loads");
    let refused = settings.check_runnable().expect_err("it is no node");
    assert!(
        refused[0]
            .to_string()
            .contains("start `gatehouse platform`"),
        "{refused:?}"
    );
    for database in ["off", "sqlite", "postgres"] {
        let (settings, _) = from_environment(&[("KONG_DATABASE", database)]).expect("it loads");
        settings.check_runnable().expect("it can run");
        assert!(settings.is_database_set);
    }
}

#[test]
fn the_database_follows_from_the_server_when_nobody_names_it() {
    let (settings, _) = from_environment(&[]).expect("it loads");
    assert_eq!(settings.database, Database::Sqlite);
    assert!(!settings.is_database_set);
    let (settings, notices) = from_environment(&[
        ("KONG_PG_HOST", "db.test"),
        ("KONG_PG_PASSWORD", "hush-hush"),
        ("KONG_PG_TIMEOUT", "250"),
    ])
    .expect("it loads");
    assert_eq!(settings.database, Database::Postgres);
    assert_eq!(notices, []);
    let server = &settings.postgres;
    assert_eq!((server.host.as_str(), server.port), ("db.test", 5432));
    assert_eq!(
        (server.user.as_str(), server.database.as_str()),
        ("kong", "kong")
    );
    assert_eq!(server.timeout, std::time::Duration::from_millis(250));
    assert_eq!(server.pool_size, None);
    assert!(!format!("{settings:?}").contains("hush-hush"));
    let named = [("KONG_DATABASE", "sqlite"), ("KONG_PG_HOST", "db.test")];
    let (settings, _) = from_environment(&named).expect("it loads");
    assert_eq!(settings.database, Database::Sqlite);
}

#[test]
fn wrong_values_of_the_server_are_named() {
    let text = mistakes(&[
        ("KONG_DATABASE", "mysql"),
        ("KONG_PG_PORT", "70000"),
        ("KONG_PG_TIMEOUT", "0"),
        ("KONG_PG_POOL_SIZE", "0"),
    ])
    .join("\n");
    for part in [
        "`database` (environment) is `mysql`: it must be one of `sqlite`, `postgres`, `off`",
        "`pg_port`",
        "`pg_timeout`",
        "`pg_pool_size`",
    ] {
        assert!(text.contains(part), "missing {part} in\n{text}");
    }
}

#[test]
fn pages_that_may_call_the_admin_api_are_named_by_origin() {
    let urls = "https://admin.test:8445/manager, http://127.0.0.1:8002";
    let (settings, notices) = from_environment(&[("KONG_ADMIN_GUI_URL", urls)]).expect("it loads");
    let expected = ["https://admin.test:8445", "http://127.0.0.1:8002"];
    assert_eq!(settings.admin_gui_origins, expected);
    assert_eq!(notices, []);
    for wrong in ["admin.test", "ftp://admin.test", "https:///x"] {
        let text = mistakes(&[("KONG_ADMIN_GUI_URL", wrong)]).join("\n");
        assert!(text.contains("https://host:port"), "{text}");
    }
}

fn cluster_files(folder: &TempDir) -> (String, String) {
    let version = pki::CertificateVersion::V1;
    let issued = pki::gen_cluster_certificate(10, version).expect("it is made");
    let (cert, key) = (folder.join("cluster.crt"), folder.join("cluster.key"));
    std::fs::write(&cert, &issued.cert_pem).expect("it is written");
    std::fs::write(&key, &issued.key_pem).expect("it is written");
    (cert.display().to_string(), key.display().to_string())
}

#[test]
fn the_variables_that_a_platform_gives_make_a_node() {
    let folder = TempDir::new("conf");
    let (cert, key) = cluster_files(&folder);
    let (settings, notices) = from_environment(&[
        ("KONG_ROLE", "data_plane"),
        ("KONG_DATABASE", "off"),
        ("KONG_VITALS", "off"),
        ("KONG_KONNECT_MODE", "on"),
        ("KONG_CLUSTER_MTLS", "pki"),
        (
            "KONG_CLUSTER_CONTROL_PLANE",
            "9e0353434a.us.cp0.konghq.localhost:443",
        ),
        (
            "KONG_CLUSTER_SERVER_NAME",
            "9e0353434a.us.cp0.konghq.localhost",
        ),
        (
            "KONG_CLUSTER_TELEMETRY_ENDPOINT",
            "9e0353434a.us.tp0.konghq.localhost",
        ),
        (
            "KONG_CLUSTER_TELEMETRY_SERVER_NAME",
            "9e0353434a.us.tp0.konghq.localhost",
        ),
        ("KONG_CLUSTER_CERT", &cert),
        ("KONG_CLUSTER_CERT_KEY", &key),
        (
            "KONG_LUA_SSL_TRUSTED_CERTIFICATE",
            &format!("system, {cert}"),
        ),
        (
            "KONG_CLUSTER_DP_LABELS",
            "created-by:quickstart,type:docker:linux",
        ),
        ("KONG_CLUSTER_USE_PROXY", "on"),
        ("KONG_PROXY_SERVER", "http://us%65r:p%40ss@proxy.test:3128"),
    ])
    .expect("it loads");
    assert_eq!(notices, []);
    assert_eq!(settings.role, Role::DataPlane);
    assert_eq!(settings.cluster_mtls, ClusterMtls::Pki);
    let endpoint = &settings.cluster_control_plane;
    assert_eq!(
        endpoint.authority(),
        "9e0353434a.us.cp0.konghq.localhost:443"
    );
    let telemetry = settings
        .cluster_telemetry_endpoint
        .as_ref()
        .expect("it is set");
    assert_eq!(telemetry.port, 443);
    assert_eq!(
        settings.cluster_dp_labels[1],
        ("type".to_owned(), "docker:linux".to_owned())
    );
    assert_eq!(
        settings.lua_ssl_trusted_certificate,
        [Trust::System, Trust::Bundle(cert)]
    );
    let proxy = settings.proxy_server.as_ref().expect("it is set");
    assert_eq!((proxy.scheme, proxy.port), (ProxyScheme::Http, 3128));
    let credentials = proxy.credentials.as_ref().expect("they are set");
    assert_eq!(
        (credentials.user.as_str(), credentials.password.expose()),
        ("user", "p@ss")
    );
    settings.check_runnable().expect("it can run");
}

#[test]
fn certificates_and_keys_must_exist_and_fit_and_keys_are_never_shown() {
    let folder = TempDir::new("conf");
    let (cert, key) = cluster_files(&folder);
    let other = TempDir::new("conf");
    let (_, other_key) = cluster_files(&other);
    let base = [("KONG_ROLE", "data_plane"), ("KONG_DATABASE", "off")];
    let with = |cert: &str, key: &str| {
        let mut pairs = base.to_vec();
        pairs.extend([("KONG_CLUSTER_CERT", cert), ("KONG_CLUSTER_CERT_KEY", key)]);
        mistakes(&pairs).join("\n")
    };
    let missing = with("/no/such.crt", &key);
    assert!(
        missing.contains("`cluster_cert` cannot be used: `/no/such.crt` is neither"),
        "{missing}"
    );
    let mixed = with(&cert, &other_key);
    assert!(
        mixed.contains("`cluster_cert_key` cannot be used"),
        "{mixed}"
    );
    assert!(mixed.contains("belongs to another certificate"), "{mixed}");
    let typo = with(&cert, "c2VjcmV0IGtleQ==");
    assert!(
        typo.contains("`cluster_cert_key` is neither") && !typo.contains("c2Vj"),
        "{typo}"
    );
    let counts = mistakes(&[
        ("KONG_SSL_CERT", &format!("{cert},{cert}")),
        ("KONG_SSL_CERT_KEY", &key),
    ]);
    assert!(
        counts[0].contains("holds 2 certificates, but `ssl_cert_key` holds 1"),
        "{counts:?}"
    );
}

#[test]
fn an_unknown_key_of_the_file_is_told_once_with_the_nearest_name() {
    let text = "prox_listen = 0.0.0.0:80\nnginx_http_foo = bar\n";
    let (_, notices) = from_file(text, false).expect("it loads");
    let texts: Vec<String> = notices.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(
        texts[0].contains("line 1: `prox_listen` is not a known property"),
        "{texts:?}"
    );
    assert!(
        texts[0].contains("did you mean `proxy_listen`?"),
        "{texts:?}"
    );
    assert!(
        texts[1].contains("`nginx_http_foo` is set but has no effect"),
        "{texts:?}"
    );
    let strict = from_file(text, true).expect_err("it is refused");
    assert!(
        strict[0]
            .to_string()
            .contains("did you mean `proxy_listen`?"),
        "{strict:?}"
    );
}

#[test]
fn an_unknown_variable_never_stops_a_start() {
    let (_, notices) = from_environment(&[("KONG_PROXY_LISTENN", "x"), ("KONG_VERSION", "3.9")])
        .expect("it loads");
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(
        notices[0].to_string().contains("`proxy_listen`"),
        "{notices:?}"
    );
}

#[test]
fn a_property_without_effect_is_told_once_when_it_differs_from_its_default() {
    let text = "pg_host = 127.0.0.1\nlua_package_cpath = /x\nanonymous_reports = true\n\
                request_debug = off\nnginx_daemon = maybe\n";
    let (_, notices) = from_file(text, false).expect("it loads");
    let texts: Vec<String> = notices.iter().map(ToString::to_string).collect();
    let has = |part: &str| texts.iter().filter(|text| text.contains(part)).count();
    assert_eq!(has("pg_host"), 0, "{texts:?}");
    assert_eq!(has("anonymous_reports"), 0, "{texts:?}");
    assert_eq!(
        has("`lua_package_cpath` is set but has no effect: no native code"),
        1
    );
    assert_eq!(has("`request_debug` is set but has no effect"), 1);
    assert_eq!(has("`nginx_daemon`: `maybe` counts as off"), 1);
}

#[test]
fn secrets_are_shown_as_a_placeholder() {
    let (settings, _) = from_environment(&[
        ("KONG_PG_PASSWORD", "hunter2"),
        ("KONG_PROXY_SERVER", "http://u:hunter2@proxy:1"),
        ("KONG_VAULT_HCV_TOKEN", "hunter2"),
    ])
    .expect("it loads");
    let shown = settings.shown();
    assert_eq!(shown["pg_password"], "******");
    assert_eq!(shown["log_level"], "notice");
    assert_eq!(settings.dynamic("vault_hcv_token"), Some("hunter2"));
    assert!(!format!("{shown:?}").contains("hunter2"));
    let text = format!("{settings:?}");
    assert!(!text.contains("hunter2"), "{text}");
    let wrong = mistakes(&[("KONG_PROXY_SERVER", "ftp://u:hunter2@proxy")]);
    assert!(
        wrong[0].contains("is `******`") && !wrong[0].contains("hunter2"),
        "{wrong:?}"
    );
}

#[test]
fn a_preset_of_suites_decides_about_versions() {
    let (modern, notices) =
        from_environment(&[("KONG_SSL_CIPHER_SUITE", "modern")]).expect("it loads");
    assert!(!modern.ssl_protocols.tls12 && modern.ssl_protocols.tls13);
    assert_eq!(notices, []);
    let (old, notices) = from_environment(&[("KONG_SSL_CIPHER_SUITE", "old")]).expect("it loads");
    assert!(old.ssl_protocols.tls12 && old.ssl_protocols.tls13);
    assert!(
        notices[0]
            .to_string()
            .contains("`old` counts as `intermediate`"),
        "{notices:?}"
    );
}

#[test]
fn a_list_of_suites_of_ones_own_is_kept_and_what_is_not_offered_is_said() {
    let list = |ciphers: &'static str| {
        from_environment(&[
            ("KONG_SSL_CIPHER_SUITE", "custom"),
            ("KONG_SSL_CIPHERS", ciphers),
        ])
    };
    let (custom, notices) = list("ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA").expect("it loads");
    assert_eq!(custom.ssl_suites, [gatehouse_conf::TlsSuite::RsaAes256]);
    assert!(
        notices[0]
            .to_string()
            .contains("`AES128-SHA` are not offered"),
        "{notices:?}"
    );
    for nothing in ["AES128-SHA", "HIGH:!HIGH"] {
        let mistakes = list(nothing).expect_err("nothing to offer");
        assert!(
            mistakes[0].to_string().contains("ssl_ciphers"),
            "{mistakes:?}"
        );
    }
}
