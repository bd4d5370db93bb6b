//! What only a server can bring: several processes at once, a server that goes away, TLS,
//! passwords, schemas of other programs.

use std::sync::Arc;
use std::time::Duration;

use gatehouse_store::{
    Expect, PostgresConfig, PostgresServer, PostgresTls, RecordOperation, Store, StoreError,
};
use serde_json::json;
use test_support::{Postgres, PostgresOptions, TestAuthority, eventually};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::common::*;

fn open_config(config: &PostgresConfig) -> Result<Store, StoreError> {
    open_at(config.clone().into(), 1, Arc::new(SmallModel))
}

fn shared_config() -> PostgresConfig {
    let server = Postgres::shared();
    postgres_config(server, &server.fresh_schema())
}

#[tokio::test]
async fn changed_records_are_told_to_the_other_processes_only() {
    let config = shared_config();
    let (one, other) = (open_config(&config).unwrap(), open_config(&config).unwrap());
    let (mut own, mut told) = (one.subscribe(), other.subscribe());
    let record = RecordOperation::Put {
        space: "things",
        id: id(1),
        owner: id(2),
        body: json!({}),
        unique: vec![],
        expect: Expect::Anything,
    };

    // A process listens from a moment after it has opened the store.
    let notice = eventually("the other process is told", async || {
        one.record_batch(vec![record.clone()]).await.unwrap();
        let told = tokio::time::timeout(Duration::from_secs(1), told.recv()).await;
        told.ok().map(Result::unwrap)
    })
    .await;

    assert_eq!((notice.control_plane, notice.version), (Uuid::nil(), 0));
    assert!(other.record_get("things", id(1)).await.unwrap().is_some());
    assert!(own.try_recv().is_err(), "it knows what it wrote");
}

#[tokio::test]
async fn what_one_process_writes_the_others_read_and_are_told() {
    let config = shared_config();
    let (one, other) = (open_config(&config).unwrap(), open_config(&config).unwrap());
    let (mut own, mut told) = (one.subscribe(), other.subscribe());

    apply(&one, vec![insert("services", service(1, "s"))])
        .await
        .unwrap();

    let wait = Duration::from_secs(20);
    let notice = tokio::time::timeout(wait, told.recv())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((notice.control_plane, notice.version), (PLANE, 1));
    assert_eq!(own.recv().await.unwrap().version, 1);
    let found = other.find(PLANE, "services", "name", "s").await.unwrap();
    assert_eq!(found, Some(service(1, "s")));
    other
        .purge(PLANE, gatehouse_store::Actor::system())
        .await
        .unwrap();
    let notice = tokio::time::timeout(wait, own.recv())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((notice.control_plane, notice.version), (PLANE, 0));
    assert!(
        told.try_recv().is_ok(),
        "the purge is told where it was done"
    );
    assert!(told.try_recv().is_err(), "each notice comes once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn versions_of_several_processes_follow_each_other_without_gaps() {
    let config = shared_config();
    let stores: Vec<Store> = (0..3).map(|_| open_config(&config).unwrap()).collect();
    let mut writes = JoinSet::new();
    for number in 0..300_usize {
        let store = stores[number % 3].clone();
        let number = u128::try_from(number).unwrap() + 1;
        // Every third name is taken.
        let name = if number % 3 == 0 {
            "same".to_owned()
        } else {
            format!("s{number}")
        };
        writes.spawn(async move {
            apply(&store, vec![insert("services", service(number, &name))]).await
        });
    }
    let mut versions = Vec::new();
    for result in writes.join_all().await {
        match result {
            Ok(applied) => versions.push(applied.version),
            Err(StoreError::Unique { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }

    versions.sort_unstable();
    assert_eq!(versions, (1..=201).collect::<Vec<u64>>());
    for store in &stores {
        assert_eq!(store.count(PLANE, "services").await.unwrap(), 201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_processes_that_change_one_record_exactly_one_succeeds() {
    let config = shared_config();
    let stores: Vec<Store> = (0..3).map(|_| open_config(&config).unwrap()).collect();
    let put = |number: u128, value: &str, expect: Expect| RecordOperation::Put {
        space: "things",
        id: id(number),
        owner: id(0),
        body: json!({ "value": value }),
        unique: vec![("value", value.to_owned())],
        expect,
    };
    stores[0]
        .record_batch(vec![put(1, "first", Expect::Absent)])
        .await
        .unwrap();
    let mut writes = JoinSet::new();
    for (number, store) in (0_u128..).zip(&stores) {
        let store = store.clone();
        let read = Expect::Body(json!({ "value": "first" }));
        let change = put(1, &format!("by {number}"), read);
        let claim = put(10 + number, "claimed", Expect::Anything);
        writes.spawn(async move {
            let changed = store.record_batch(vec![change]).await;
            (changed, store.record_batch(vec![claim]).await)
        });
    }
    let (mut changed, mut claimed) = (0, 0);
    for (change, claim) in writes.join_all().await {
        match change {
            Ok(()) => changed += 1,
            Err(StoreError::Stale { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        match claim {
            Ok(()) => claimed += 1,
            Err(StoreError::Unique { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((changed, claimed), (1, 1));
}

#[tokio::test]
async fn notices_missed_while_the_connection_was_cut_are_made_up_for() {
    let mut config = shared_config();
    // A role of its own, so that no other scenario's connections are cut.
    let server = Postgres::shared();
    let role = format!("r{}", config.schema);
    server.sql(&format!("CREATE ROLE {role} LOGIN SUPERUSER"));
    config.server.user.clone_from(&role);
    let (one, other) = (open_config(&config).unwrap(), open_config(&config).unwrap());
    let mut told = other.subscribe();
    // Those that listen, and those that wait for work.
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename =";
    let count = server.sql(&format!("{cut} '{role}'"));
    assert!(count.trim().parse::<u32>().unwrap() >= 2, "{count}");

    for number in 1..=3 {
        apply(
            &one,
            vec![insert("services", service(number, &format!("s{number}")))],
        )
        .await
        .unwrap();
    }

    eventually("the last version is told", async || {
        let notice = told.recv().await.ok()?;
        (notice.version == 3).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_start_together_make_the_tables_once() {
    let config = shared_config();
    let opening: Vec<_> = (0..4)
        .map(|_| {
            let config = config.clone();
            tokio::task::spawn_blocking(move || open_config(&config).unwrap())
        })
        .collect();
    for store in opening {
        assert_eq!(store.await.unwrap().version(PLANE).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn schema_of_a_newer_release_is_refused_and_left_alone() {
    let config = shared_config();
    drop(open_config(&config).unwrap());
    let in_schema = format!("SET search_path TO {}; ", config.schema);
    let server = Postgres::shared();
    server.sql(&(in_schema + "INSERT INTO store_schema VALUES (99, 0)"));

    let error = open_config(&config).unwrap_err();

    let StoreError::Newer {
        found: 99, known, ..
    } = error
    else {
        panic!("{error}")
    };
    assert!(known < 99);
    assert!(
        error.to_string().contains("start the newer release"),
        "{error}"
    );
    assert!(error.to_string().contains(&config.schema), "{error}");
}

#[tokio::test]
async fn tables_of_another_program_are_refused() {
    let config = shared_config();
    let schema = &config.schema;
    let server = Postgres::shared();
    server.sql(&format!(
        "CREATE SCHEMA {schema}; CREATE TABLE {schema}.tag (text TEXT)"
    ));

    let error = open_config(&config).unwrap_err();

    assert!(matches!(error, StoreError::NotAStore { .. }), "{error}");
    let tables = format!("SELECT count(*) FROM pg_tables WHERE schemaname = '{schema}'");
    assert_eq!(server.sql(&tables).trim(), "1");
}

#[tokio::test]
async fn server_that_is_not_there_is_unavailable() {
    let config = PostgresConfig {
        server: PostgresServer {
            port: test_support::free_port(),
            ..PostgresServer::default()
        },
        ..PostgresConfig::default()
    };

    let error = open_config(&config).unwrap_err();

    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
}

#[tokio::test]
async fn one_connection_is_enough() {
    let config = PostgresConfig {
        max_connections: 1,
        ..shared_config()
    };
    let store = open_config(&config).unwrap();
    let mut work = JoinSet::new();
    for number in 1..=40_u128 {
        let store = store.clone();
        work.spawn(async move {
            let row = service(number, &format!("s{number}"));
            apply(&store, vec![insert("services", row)]).await.unwrap();
            store.export(PLANE).await.unwrap();
            store.version(PLANE).await.unwrap();
        });
    }
    work.join_all().await;
    assert_eq!(store.version(PLANE).await.unwrap(), 40);
}

/// Pairs of a service and its route, so that a half-done write betrays itself.
async fn write_pair(store: &Store, number: u128) -> Result<(), StoreError> {
    let rows = vec![
        insert("services", service(number, &format!("s{number}"))),
        insert("routes", route(number, &format!("r{number}"), number)),
    ];
    apply(store, rows).await.map(drop)
}

async fn check_pairs(store: &Store, kept: &[u128]) {
    let export = store.export(PLANE).await.unwrap();
    let ids = |kind: &str| -> Vec<String> {
        let rows = export.tables.get(kind).into_iter().flatten();
        rows.map(|row| row.text_of("id").unwrap()).collect()
    };
    let services = ids("services");
    assert_eq!(services, ids("routes"));
    assert_eq!(u64::try_from(services.len()).unwrap(), export.version);
    for number in kept {
        assert!(
            services.contains(&id(*number).to_string()),
            "{number} is lost"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn server_that_stops_in_the_middle_of_writes_loses_nothing_and_work_goes_on() {
    let options = PostgresOptions {
        is_durable: true,
        ..PostgresOptions::default()
    };
    let mut server = Postgres::start(&options);
    let store = open_config(&postgres_config(&server, "public")).unwrap();
    let mut kept = Vec::new();
    for round in 0..3_u128 {
        let writers: Vec<_> = (0..4_u128)
            .map(|writer| {
                let store = store.clone();
                tokio::spawn(async move {
                    let mut acknowledged = Vec::new();
                    for count in 0.. {
                        let number = (round << 64) + (writer << 32) + count + 1;
                        match write_pair(&store, number).await {
                            Ok(()) => acknowledged.push(number),
                            Err(error) => return (acknowledged, error),
                        }
                    }
                    unreachable!("it writes until it is refused")
                })
            })
            .collect();
        eventually("some writes are done", async || {
            (store.version(PLANE).await.ok()? > 20 * u64::try_from(round + 1).ok()?).then_some(())
        })
        .await;
        if round == 1 {
            server.kill();
        } else {
            server.stop();
        }
        for writer in writers {
            let (acknowledged, error) = writer.await.unwrap();
            kept.extend(acknowledged);
            assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        }
        let error = store.get(PLANE, "services", id(1)).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");

        server.start_again();

        // The same handle works again, without anybody's doing.
        let number = (round << 64) + (9 << 32);
        eventually("writes work again", async || {
            write_pair(&store, number).await.ok()
        })
        .await;
        kept.push(number);
        check_pairs(&store, &kept).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn server_that_does_not_answer_makes_the_store_unavailable_until_it_does() {
    let server = Postgres::start(&PostgresOptions::default());
    let config = PostgresConfig {
        timeout: Duration::from_millis(500),
        ..postgres_config(&server, "public")
    };
    let store = open_config(&config).unwrap();
    write_pair(&store, 1).await.unwrap();

    server.freeze();
    let write = write_pair(&store, 2).await.unwrap_err();
    let read = store.get(PLANE, "services", id(1)).await.unwrap_err();
    server.thaw();

    for error in [write, read] {
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        assert!(error.to_string().contains("does not answer"), "{error}");
    }
    eventually("writes work again", async || {
        write_pair(&store, 3).await.ok()
    })
    .await;
    check_pairs(&store, &[1, 3]).await;
}

async fn encryption_and_the_check_of_the_server(server: &Postgres, authority: &TestAuthority) {
    let stranger = TestAuthority::new("another authority");
    let with = |tls: PostgresTls, trusted: Option<&TestAuthority>| {
        let mut config = postgres_config(server, "public");
        config.server.tls = tls;
        config.server.verify = trusted.is_some();
        config.server.trusted = trusted.map(|authority| authority.pem().to_owned());
        open_config(&config)
    };
    let encrypted = || {
        let sql = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
             WHERE ssl AND application_name = 'gatehouse'";
        server.sql(sql).trim() != "0"
    };

    let store = with(PostgresTls::Off, None).unwrap();
    assert!(!encrypted());
    drop(store);
    for tls in [PostgresTls::Preferred, PostgresTls::Required] {
        for trusted in [None, Some(authority)] {
            let store = with(tls, trusted).unwrap();
            assert!(encrypted(), "{tls:?}");
            write_pair(&store, clock::new_uuid().as_u128())
                .await
                .unwrap();
        }
    }
    let error = with(PostgresTls::Required, Some(&stranger)).unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn server_without_tls_is_refused_only_when_tls_is_required() {
    let mut config = shared_config();
    config.server.tls = PostgresTls::Preferred;
    drop(open_config(&config).unwrap());
    config.server.tls = PostgresTls::Required;

    let error = open_config(&config).unwrap_err();

    assert!(error.to_string().contains("TLS"), "{error}");
}

/// One server for both: it takes a moment to make.
#[tokio::test]
async fn tls_and_passwords_follow_the_settings() {
    let authority = TestAuthority::new("database authority");
    let server = Postgres::start(&PostgresOptions {
        tls: Some(authority.server(&["127.0.0.1"])),
        password: Some("right-one".to_owned()),
        ..PostgresOptions::default()
    });
    encryption_and_the_check_of_the_server(&server, &authority).await;
    wrong_password_is_told_and_not_printed(&server).await;
}

async fn wrong_password_is_told_and_not_printed(server: &Postgres) {
    let with = |password: &str| {
        let mut config = postgres_config(server, "public");
        config.server.user = "guarded".to_owned();
        config.server.password = Some(password.to_owned());
        (open_config(&config), format!("{config:?}"))
    };

    let (store, printed) = with("right-one");
    write_pair(&store.unwrap(), 1).await.unwrap();
    assert!(!printed.contains("right-one"), "{printed}");
    let (refused, _) = with("wrong-one");
    let error = refused.unwrap_err().to_string();
    assert!(
        error.contains("password") && !error.contains("wrong-one"),
        "{error}"
    );
}

#[tokio::test]
async fn socket_folder_serves_as_host() {
    let mut config = shared_config();
    config.server.host = Postgres::shared().socket_folder().display().to_string();
    let store = open_config(&config).unwrap();
    write_pair(&store, 1).await.unwrap();
}
