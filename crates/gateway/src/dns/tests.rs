//! Against a name server on a real socket that answers, lies, or says nothing.

use std::net::Ipv6Addr;
use std::sync::Arc;
use std::time::Duration;

use conf::{DnsFamily, DnsSettings, Settings};
use test_support::{Manner, NameServer, Rdata, TempDir, eventually};

use super::{Answer, Dns, DnsError};

/// One attempt at a server; tests that pass wait for it only where nobody answers.
const PATIENCE: Duration = Duration::from_millis(100);

fn settings(server: &NameServer) -> DnsSettings {
    let mut dns = Settings::builtin().dns;
    dns.resolvers = vec![server.address];
    dns
}

fn dns(settings: &DnsSettings) -> Arc<Dns> {
    Dns::with_patience(settings, Some(PATIENCE))
}

fn texts(answer: &Answer) -> Vec<String> {
    let text = |port: u16, weight: u16, ip: std::net::IpAddr| match port {
        0 => ip.to_string(),
        port => format!("{ip}:{port}*{weight}"),
    };
    let found = answer.found.iter();
    let mut all: Vec<String> = found
        .map(|own| text(own.port.unwrap_or(0), own.weight, own.ip))
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn an_answer_serves_as_long_as_its_records_live_and_one_question_serves_all() {
    let server = NameServer::start();
    server.set(
        "a.test",
        300,
        [Rdata::A([10, 0, 0, 1]), Rdata::A([10, 0, 0, 2])],
    );
    let dns = dns(&settings(&server));
    let asking: Vec<_> = (0..50)
        .map(|_| {
            let dns = Arc::clone(&dns);
            tokio::spawn(async move { dns.resolve("A.test").await })
        })
        .collect();
    for answer in asking {
        let answer = answer.await.unwrap().unwrap();
        assert_eq!(
            (texts(&answer).join(" "), answer.kind),
            ("10.0.0.1 10.0.0.2".into(), "A")
        );
    }
    // Compat: service records are asked for first.
    assert_eq!(
        (server.asked("a.test", "SRV"), server.asked("a.test", "A")),
        (1, 1)
    );
    server.set("b.test", 1, [Rdata::A([10, 0, 0, 1])]);
    assert_eq!(texts(&dns.resolve("b.test").await.unwrap()), ["10.0.0.1"]);
    server.set("b.test", 1, [Rdata::A([10, 0, 0, 3])]);
    eventually("the new answer", async || {
        let answer = dns.resolve("b.test").await.ok()?;
        (texts(&answer) == ["10.0.0.3"]).then_some(())
    })
    .await;
    assert_eq!(
        server.asked("b.test", "SRV"),
        1,
        "what answered last is asked first"
    );
}

#[tokio::test]
async fn service_records_of_the_best_priority_lead_to_ports_and_weights() {
    let server = NameServer::start();
    let service =
        |priority, weight, port, name: &str| Rdata::Srv(priority, weight, port, name.to_owned());
    server.set(
        "s.test",
        60,
        [
            service(10, 0, 8001, "m1.test"),
            service(10, 30, 8002, "m2.test"),
            service(20, 50, 8003, "m1.test"),
            service(10, 30, 8004, "gone.test"),
        ],
    );
    server.set("m1.test", 60, [Rdata::A([10, 0, 0, 1])]);
    server.set(
        "m2.test",
        5,
        [Rdata::A([10, 0, 0, 2]), Rdata::A([10, 0, 0, 3])],
    );
    server.set("_h._tcp.test", 60, [service(1, 1, 9000, "m1.test")]);
    server.set("only.test", 60, [service(1, 1, 9000, "m1.test")]);
    let mut settings = settings(&server);
    let answer = dns(&settings).resolve("s.test").await.unwrap();
    let expected = ["10.0.0.1:8001*1", "10.0.0.2:8002*30", "10.0.0.3:8002*30"];
    assert_eq!(
        (texts(&answer), answer.kind),
        (expected.map(str::to_owned).to_vec(), "SRV")
    );
    assert!(
        answer
            .found
            .iter()
            .any(|own| own.name.as_deref() == Some("m2.test"))
    );
    let lives = answer.valid_until.unwrap() - answer.read_at;
    assert_eq!(lives.as_secs(), 5, "as long as the shortest of all records");
    // The newer client asks for them only where the name has the form.
    settings.asks_services_by_form = true;
    settings.order = vec![DnsFamily::A, DnsFamily::Srv];
    let newer = dns(&settings);
    assert_eq!(
        texts(&newer.resolve("_h._tcp.test").await.unwrap()),
        ["10.0.0.1:9000*1"]
    );
    assert_eq!(newer.resolve("only.test").await, Err(DnsError::Empty));
}

#[tokio::test]
async fn aliases_and_addresses_of_both_families_are_followed() {
    let server = NameServer::start();
    let six = Ipv6Addr::LOCALHOST;
    server.set("alias.test", 60, [Rdata::Cname("real.test".to_owned())]);
    server.set("real.test", 60, [Rdata::A([10, 0, 0, 7])]);
    server.set("six.test", 60, [Rdata::Aaaa(six)]);
    let mut settings = settings(&server);
    let older = dns(&settings);
    assert_eq!(
        texts(&older.resolve("alias.test").await.unwrap()),
        ["10.0.0.7"]
    );
    assert_eq!(older.resolve("six.test").await, Err(DnsError::Empty));
    settings.order.push(DnsFamily::Aaaa);
    let answer = dns(&settings).resolve("six.test").await.unwrap();
    assert_eq!(
        (texts(&answer), answer.kind),
        (vec!["::1".to_owned()], "AAAA")
    );
}

#[tokio::test]
async fn absence_and_failure_are_told_apart_and_remembered() {
    let server = NameServer::start();
    server.set("empty.test", 60, []);
    let dns = dns(&settings(&server));
    for (name, expected) in [
        ("nothing.test", DnsError::NoSuchName),
        ("empty.test", DnsError::Empty),
    ] {
        for _ in 0..3 {
            assert_eq!(dns.resolve(name).await, Err(expected.clone()));
        }
        assert_eq!(server.asked(name, "A"), 1, "{name}");
        assert!(expected.is_absence());
    }
    server.behave(Manner::Fails);
    let error = dns.resolve("failing.test").await.unwrap_err();
    assert_eq!(error, DnsError::Server { code: 2 });
    assert_eq!(error.to_string(), "dns server error: 2 server failure");
    assert!(!error.is_absence());
    let bad = dns.resolve(&format!("{}.test", "x".repeat(70))).await;
    assert!(matches!(bad, Err(DnsError::BadName(_))), "{bad:?}");
    let never = dns.resolve("nope.invalid").await;
    assert_eq!(
        (never, server.asked("nope.invalid", "A")),
        (Err(DnsError::NoSuchName), 0)
    );
}

#[tokio::test]
async fn whoever_does_not_answer_or_answers_nonsense_takes_no_known_address_away() {
    let server = NameServer::start();
    server.set("a.test", 1, [Rdata::A([10, 0, 0, 1])]);
    let mut settings = settings(&server);
    settings.order = vec![DnsFamily::A];
    let dns = dns(&settings);
    let first = dns.resolve("a.test").await.unwrap();
    for manner in [
        Manner::Silent,
        Manner::Babbles,
        Manner::Confuses,
        Manner::Fails,
        Manner::Denies,
    ] {
        server.behave(manner);
        let before = server.asked("a.test", "A");
        eventually("a question that fails", async || {
            let answer = dns.resolve("a.test").await;
            assert_eq!(answer.as_ref(), Ok(&first), "{manner:?}");
            (server.asked("a.test", "A") > before).then_some(())
        })
        .await;
        assert_eq!(dns.known("a.test").as_ref(), Some(&first));
    }
    // Who insists on a fresh answer is told the truth, and gets it when it is there again.
    assert!(dns.renew("a.test").await.is_err());
}

#[tokio::test]
async fn an_old_answer_ends_when_it_may_not_be_stale() {
    let server = NameServer::start();
    server.set("a.test", 1, [Rdata::A([10, 0, 0, 1])]);
    let mut settings = settings(&server);
    settings.stale_ttl = Duration::ZERO;
    let dns = dns(&settings);
    assert!(dns.resolve("a.test").await.is_ok());
    server.behave(Manner::Fails);
    eventually("the end of the answer", async || {
        let answer = dns.resolve("a.test").await;
        (answer == Err(DnsError::Server { code: 2 })).then_some(())
    })
    .await;
    assert_eq!(dns.known("a.test"), None);
}

#[tokio::test]
async fn the_settings_decide_how_long_answers_live() {
    let server = NameServer::start();
    server.set("a.test", 1, [Rdata::A([10, 0, 0, 1])]);
    server.set("zero.test", 0, [Rdata::A([10, 0, 0, 1])]);
    let mut settings = settings(&server);
    let lives = |answer: &Answer| (answer.valid_until.unwrap() - answer.read_at).as_secs();
    assert_eq!(
        lives(&dns(&settings).resolve("zero.test").await.unwrap()),
        1
    );
    settings.valid_ttl = Some(Duration::from_secs(77));
    assert_eq!(lives(&dns(&settings).resolve("a.test").await.unwrap()), 77);
}

#[tokio::test]
async fn the_hosts_file_goes_before_servers_and_a_dead_server_is_no_obstacle_to_it() {
    let folder = TempDir::new("hosts");
    let file = folder.path().join("hosts");
    std::fs::write(&file, "10.9.9.9 named.test\n").unwrap();
    let server = NameServer::start();
    server.behave(Manner::Silent);
    let mut settings = settings(&server);
    settings.hosts_file = file;
    let dns = dns(&settings);
    let answer = dns.resolve("Named.test").await.unwrap();
    assert_eq!(
        (texts(&answer), answer.valid_until),
        (vec!["10.9.9.9".to_owned()], None)
    );
    let silent = dns.resolve("other.test").await.unwrap_err();
    assert!(matches!(silent, DnsError::NoAnswer(_)), "{silent}");
}
