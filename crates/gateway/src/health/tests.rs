//! Groups against targets on real sockets and a name server that misbehaves.

use std::sync::Arc;
use std::time::Duration;

use balancer::{CoreState, Moment, PickState};
use conf::Settings;
use parking_lot::Mutex;
use plugin_api::NodeInfo;
use test_support::{Manner, NameServer, Rdata, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::{Group, GroupView};
use crate::snapshot::{Compile, Snapshot};
use crate::testing;

const ID: Uuid = Uuid::from_u128(0x0000_0001_0000_4000_8000_0000_0000_0001);

/// What a target does with a connection.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Answer(u16),
    Close,
    Hang,
    Babble,
}

/// A target that counts probes.
struct Probed {
    port: u16,
    act: Arc<Mutex<Act>>,
    seen: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Probed {
    async fn start(act: Act) -> Self {
        Self::on(0, act).await
    }

    async fn on(port: u16, act: Act) -> Self {
        Self::with(port, act, Arc::default()).await
    }

    /// Counts its connections together with others.
    async fn with(port: u16, act: Act, open: Arc<Mutex<(usize, usize)>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (act, seen) = (
            Arc::new(Mutex::new(act)),
            Arc::<Mutex<Vec<String>>>::default(),
        );
        let (own_act, own_seen, own_open) =
            (Arc::clone(&act), Arc::clone(&seen), Arc::clone(&open));
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (act, seen, open) = (
                    *own_act.lock(),
                    Arc::clone(&own_seen),
                    Arc::clone(&own_open),
                );
                tokio::spawn(async move {
                    {
                        let mut open = open.lock();
                        open.0 += 1;
                        open.1 = open.1.max(open.0);
                    }
                    let mut piece = [0; 4096];
                    let count = match act {
                        Act::Close => 0,
                        _ => stream.read(&mut piece).await.unwrap_or(0),
                    };
                    seen.lock()
                        .push(String::from_utf8_lossy(&piece[..count]).into_owned());
                    match act {
                        Act::Answer(status) => {
                            let answer =
                                format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
                            let _ = stream.write_all(answer.as_bytes()).await;
                        }
                        Act::Babble => drop(stream.write_all(b"hello there\r\n").await),
                        Act::Hang => drop(stream.read(&mut piece).await),
                        Act::Close => {}
                    }
                    open.lock().0 -= 1;
                });
            }
        });
        Self {
            port,
            act,
            seen,
            task,
        }
    }

    fn count(&self) -> usize {
        self.seen.lock().len()
    }

    fn target(&self) -> String {
        format!("{{target: '127.0.0.1:{}'}}", self.port)
    }
}

impl Drop for Probed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A node without a data path.
struct Bed {
    compile: Compile,
}

impl Bed {
    fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::builtin();
        change(&mut settings);
        let node = NodeInfo::new(Uuid::nil(), "test");
        let compile = Compile::new(&settings, node, None).unwrap();
        Self { compile }
    }

    /// Takes an upstream into use: its members and its targets, in YAML.
    fn load(&self, members: &str, targets: &[String]) -> Arc<Group> {
        let targets = targets.join(", ");
        let yaml = format!("upstreams: [{{name: u, id: {ID}, {members} targets: [{targets}]}}]\n");
        let snapshot = Snapshot::compile(&testing::config(&yaml), "0", &self.compile);
        let snapshot =
            snapshot.unwrap_or_else(|problems| panic!("{:?}", testing::lines(&problems)));
        self.compile.upstreams.activate(&snapshot.balancers);
        Arc::clone(&snapshot.balancers[0])
    }

    fn view(&self) -> GroupView {
        self.compile.upstreams.view(ID).unwrap()
    }

    /// The causes why addresses are out, in the order of targets.
    fn causes(&self) -> Vec<Option<String>> {
        let targets = self.view().targets.into_iter();
        targets
            .flat_map(|target| target.addresses)
            .map(|address| address.cause)
            .collect()
    }

    async fn until_out(&self, expected: &[bool]) {
        eventually(&format!("{expected:?}"), async || {
            let out: Vec<bool> = self.causes().iter().map(Option::is_some).collect();
            (out == expected).then_some(())
        })
        .await;
    }
}

fn active(kind: &str, more: &str) -> String {
    format!(
        "healthchecks: {{active: {{type: {kind}, timeout: 0.2, {more} \
         healthy: {{interval: 0.1, successes: 1}}, \
         unhealthy: {{interval: 0.1, http_failures: 1, tcp_failures: 1, timeouts: 1}}}}}},"
    )
}

fn picks(group: &Group, count: usize) -> Vec<String> {
    let mut core = CoreState::new(0);
    let mut seen: Vec<String> = (0..count)
        .filter_map(|_| {
            let mut request = PickState::new();
            let picked = group.pick(&mut core, &mut request, Moment::default());
            request.finish();
            picked.map(|picked| picked.socket.to_string())
        })
        .collect();
    seen.sort();
    seen.dedup();
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_probes_put_targets_out_and_bring_them_back_and_look_as_configured() {
    let (good, bad) = (
        Probed::start(Act::Answer(200)).await,
        Probed::start(Act::Answer(503)).await,
    );
    let bed = Bed::new(|_| {});
    let more = "http_path: /ping, headers: {X-A: ['1', '2'], User-Agent: [probe]},";
    let group = bed.load(&active("http", more), &[good.target(), bad.target()]);
    bed.until_out(&[false, true]).await;
    let cause = bed.causes()[1].clone().unwrap();
    assert_eq!(
        cause,
        "probes were answered with failures, the last with 503"
    );
    assert_eq!(picks(&group, 10), [format!("127.0.0.1:{}", good.port)]);
    let view = bed.view();
    assert_eq!((view.weights.total, view.weights.available), (200, 100));
    assert!(view.targets[1].addresses[0].since_ms > 1_600_000_000_000);
    for (act, cause) in [
        (Act::Hang, "probes were not answered in time"),
        (Act::Close, "probes got no connection, or one that broke"),
        (Act::Babble, "probes got no connection, or one that broke"),
        (
            Act::Answer(404),
            "probes were answered with failures, the last with 404",
        ),
    ] {
        *bad.act.lock() = Act::Answer(200);
        bed.until_out(&[false, false]).await;
        *bad.act.lock() = act;
        bed.until_out(&[false, true]).await;
        assert_eq!(bed.causes()[1].as_deref(), Some(cause), "{act:?}");
    }
    // Neither good nor bad changes nothing.
    *bad.act.lock() = Act::Answer(200);
    bed.until_out(&[false, false]).await;
    *bad.act.lock() = Act::Answer(418);
    let before = bad.count();
    eventually("more probes", async || {
        (bad.count() > before + 2).then_some(())
    })
    .await;
    bed.until_out(&[false, false]).await;
    let seen = good.seen.lock().first().cloned().unwrap();
    assert!(
        seen.starts_with("GET /ping HTTP/1.1\r\nConnection: close\r\n"),
        "{seen}"
    );
    for line in [
        "X-A: 1\r\n",
        "X-A: 2\r\n",
        "User-Agent: probe\r\n",
        "Host: 127.0.0.1\r\n\r\n",
    ] {
        assert!(seen.contains(line), "{line:?} in {seen}");
    }
}

#[tokio::test]
async fn a_probe_that_is_told_to_use_another_version_uses_the_older_one() {
    let target = Probed::start(Act::Answer(505)).await;
    let bed = Bed::new(|_| {});
    let members = format!("host_header: named.test, {}", active("http", ""));
    bed.load(&members, &[target.target()]);
    bed.until_out(&[true]).await;
    let seen = target.seen.lock()[..2].to_vec();
    assert!(seen[0].starts_with("GET / HTTP/1.1\r\n") && seen[1].starts_with("GET / HTTP/1.0\r\n"));
    assert!(seen[0].contains("Host: named.test\r\n"), "{seen:?}");
}

#[tokio::test]
async fn tcp_and_grpc_probes_want_a_connection_and_no_more() {
    for kind in ["tcp", "grpc"] {
        let target = Probed::start(Act::Hang).await;
        let port = target.port;
        let bed = Bed::new(|_| {});
        bed.load(&active(kind, ""), &[target.target()]);
        eventually("a probe", async || (target.count() > 0).then_some(())).await;
        bed.until_out(&[false]).await;
        drop(target);
        bed.until_out(&[true]).await;
        let _back = Probed::on(port, Act::Hang).await;
        bed.until_out(&[false]).await;
    }
}

#[tokio::test]
async fn probes_stay_within_their_concurrency_and_leave_out_targets_without_weight() {
    let idle = Probed::start(Act::Answer(200)).await;
    let open = Arc::<Mutex<(usize, usize)>>::default();
    let mut hanging = Vec::new();
    for _ in 0..8 {
        hanging.push(Probed::with(0, Act::Hang, Arc::clone(&open)).await);
    }
    let bed = Bed::new(|_| {});
    let mut targets: Vec<String> = hanging.iter().map(Probed::target).collect();
    targets.push(format!("{{target: '127.0.0.1:{}', weight: 0}}", idle.port));
    bed.load(&active("http", "concurrency: 2,"), &targets);
    let probes = || hanging.iter().map(Probed::count).sum::<usize>();
    eventually("two rounds", async || (probes() > 16).then_some(())).await;
    // A target sees the end of a probe a moment after the prober does.
    assert!(open.lock().1 <= 5, "{:?}", open.lock());
    assert_eq!(idle.count(), 0);
}

#[tokio::test]
async fn probes_end_with_the_configuration_that_asks_for_them() {
    let target = Probed::start(Act::Answer(500)).await;
    let bed = Bed::new(|_| {});
    bed.load(&active("http", ""), &[target.target()]);
    bed.until_out(&[true]).await;
    // Without checks it counts as healthy, and nobody probes.
    bed.load("", &[target.target()]);
    bed.until_out(&[false]).await;
    let mut before = target.count();
    eventually("silence", async || {
        tokio::time::sleep(Duration::from_millis(350)).await;
        let now = target.count();
        let is_quiet = now == before;
        before = now;
        is_quiet.then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_probes_verify_name_and_certificate_where_they_shall() {
    let authority = pki::Authority::create("probes").unwrap();
    let issued = authority.issue_server(&["good.test"]).unwrap();
    let key = pki::certified_key(issued.cert_pem.as_bytes(), issued.key_pem.as_bytes()).unwrap();
    let mut config = rustls::ServerConfig::builder_with_provider(pki::crypto_provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(key)));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let spoken = Arc::<Mutex<Vec<(Option<String>, Option<Vec<u8>>)>>>::default();
    let own = Arc::clone(&spoken);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, own) = (acceptor.clone(), Arc::clone(&own));
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let (_, state) = stream.get_ref();
                let name = state.server_name().map(str::to_owned);
                own.lock()
                    .push((name, state.alpn_protocol().map(<[u8]>::to_vec)));
                let mut piece = [0; 1024];
                if stream.read(&mut piece).await.is_ok_and(|count| count > 0) {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
                }
            });
        }
    });
    let target = [format!("{{target: '127.0.0.1:{port}'}}")];
    let trusting = |settings: &mut Settings| {
        settings.lua_ssl_trusted_certificate =
            vec![conf::Trust::Bundle(authority.ca_pem().to_owned())];
    };
    let (good, other) = ("https_sni: good.test,", "https_sni: other.test,");
    for (trusts, kind, more, is_out) in [
        (true, "https", good, false),
        (true, "https", other, true),
        (false, "https", good, true),
        (
            false,
            "https",
            "https_sni: other.test, https_verify_certificate: false,",
            false,
        ),
        (true, "grpcs", good, false),
        (false, "grpcs", good, true),
    ] {
        let bed = match trusts {
            true => Bed::new(trusting),
            false => Bed::new(|settings| settings.lua_ssl_trusted_certificate = Vec::new()),
        };
        // One bad probe puts it out, one good one brings it back from a mark.
        bed.load(&active(kind, more), &target);
        bed.compile
            .upstreams
            .mark(ID, &format!("127.0.0.1:{port}"), None, is_out);
        bed.until_out(&[is_out]).await;
    }
    let spoken = spoken.lock();
    let good = Some("good.test".to_owned());
    assert!(
        spoken.contains(&(good.clone(), Some(b"http/1.1".to_vec()))),
        "{spoken:?}"
    );
    assert!(spoken.contains(&(good, Some(b"h2".to_vec()))), "{spoken:?}");
}

fn with_names(server: &NameServer) -> Bed {
    let address = server.address;
    Bed::new(move |settings| {
        settings.dns.resolvers = vec![address];
        settings.dns.not_found_ttl = Duration::from_secs(1);
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn targets_follow_their_names_and_a_misbehaving_server_takes_none_away() {
    let server = NameServer::start();
    server.set(
        "a.test",
        1,
        [Rdata::A([10, 0, 0, 1]), Rdata::A([10, 0, 0, 2])],
    );
    let bed = with_names(&server);
    let group = bed.load(
        "",
        &[
            "{target: 'a.test:81'}".to_owned(),
            "{target: '10.0.0.9:80'}".to_owned(),
        ],
    );
    group.settled(Duration::from_secs(20)).await;
    assert_eq!(
        picks(&group, 10),
        ["10.0.0.1:81", "10.0.0.2:81", "10.0.0.9:80"]
    );
    server.set(
        "a.test",
        1,
        [Rdata::A([10, 0, 0, 2]), Rdata::A([10, 0, 0, 3])],
    );
    let renewed = ["10.0.0.2:81", "10.0.0.3:81", "10.0.0.9:80"];
    eventually("the new addresses", async || {
        (picks(&group, 10) == renewed).then_some(())
    })
    .await;
    for manner in [
        Manner::Silent,
        Manner::Denies,
        Manner::Fails,
        Manner::Babbles,
        Manner::Answers,
    ] {
        server.behave(manner);
        let before = server.asked("a.test", "A");
        eventually("a question", async || {
            (server.asked("a.test", "A") > before).then_some(())
        })
        .await;
        assert_eq!(picks(&group, 10), renewed, "{manner:?}");
    }
    server.set("a.test", 1, [Rdata::A([10, 0, 0, 4])]);
    let flapped = ["10.0.0.4:81", "10.0.0.9:80"];
    eventually("the next addresses", async || {
        (picks(&group, 10) == flapped).then_some(())
    })
    .await;
    assert_eq!(bed.view().targets[0].dns, "A");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_comes_late_is_used_when_it_is_there() {
    let server = NameServer::start();
    let bed = with_names(&server);
    let group = bed.load("", &["{target: 'late.test:80'}".to_owned()]);
    group.settled(Duration::from_secs(20)).await;
    assert!(picks(&group, 1).is_empty());
    let view = bed.view();
    assert!(view.targets[0].addresses.is_empty() && !view.is_healthy);
    assert_eq!(view.targets[0].dns, "dns server error: 3 name error");
    server.set("late.test", 60, [Rdata::A([10, 0, 0, 1])]);
    eventually("the address", async || {
        (picks(&group, 1) == ["10.0.0.1:80"]).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn service_records_bring_ports_weights_and_names() {
    let server = NameServer::start();
    let service = |weight, port| Rdata::Srv(1, weight, port, "m.test".to_owned());
    server.set("s.test", 60, [service(0, 8001), service(3, 8002)]);
    server.set("m.test", 60, [Rdata::A([10, 0, 0, 1])]);
    let bed = with_names(&server);
    for (members, host) in [("", "s.test:8001"), ("use_srv_name: true,", "m.test:8001")] {
        let group = bed.load(members, &["{target: 's.test:80', weight: 10}".to_owned()]);
        group.settled(Duration::from_secs(20)).await;
        let target = bed.view().targets.remove(0);
        let found: Vec<_> = target
            .addresses
            .iter()
            .map(|own| (own.socket.to_string(), own.weight))
            .collect();
        let expected = [
            ("10.0.0.1:8001".to_owned(), 10),
            ("10.0.0.1:8002".to_owned(), 30),
        ];
        assert_eq!((found, target.dns.as_str()), (expected.to_vec(), "SRV"));
        let mut core = CoreState::new(0);
        let hosts: Vec<_> = (0..4)
            .map(|_| {
                group
                    .pick(&mut core, &mut PickState::new(), Moment::default())
                    .unwrap()
                    .host
            })
            .collect();
        assert!(hosts.iter().any(|own| own == host), "{hosts:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_stays_with_addresses_that_stay() {
    let server = NameServer::start();
    server.set(
        "a.test",
        1,
        [Rdata::A([10, 0, 0, 1]), Rdata::A([10, 0, 0, 2])],
    );
    let bed = with_names(&server);
    let passive = "healthchecks: {passive: {unhealthy: {tcp_failures: 1}}},";
    let group = bed.load(passive, &["{target: 'a.test:80'}".to_owned()]);
    group.settled(Duration::from_secs(20)).await;
    bed.compile
        .upstreams
        .mark(ID, "a.test:80", Some("10.0.0.2:80"), false);
    assert_eq!(picks(&group, 10), ["10.0.0.1:80"]);
    server.set(
        "a.test",
        1,
        [Rdata::A([10, 0, 0, 2]), Rdata::A([10, 0, 0, 3])],
    );
    eventually("the new address", async || {
        (picks(&group, 10) == ["10.0.0.3:80"]).then_some(())
    })
    .await;
    let causes = bed.causes();
    assert_eq!(
        causes[0].as_deref(),
        Some("marked as unhealthy through the Admin API")
    );
    assert_eq!(causes[1], None);
}

#[tokio::test]
async fn an_address_that_requests_put_out_is_tried_again_after_a_while() {
    let bed = Bed::new(|_| {});
    let checks = "healthchecks: {passive: {unhealthy: {tcp_failures: 2}}},";
    let members = format!("tags: ['gatehouse:retry_after=1'], {checks}");
    let group = bed.load(&members, &["{target: '10.0.0.1:80'}".to_owned()]);
    let fail = |times: usize| {
        let mut core = CoreState::new(0);
        for _ in 0..times {
            let mut request = PickState::new();
            if group
                .pick(&mut core, &mut request, Moment::default())
                .is_some()
            {
                let seat = request.current().expect("a pick");
                group.report(seat, balancer::Outcome::ConnectionFailure);
            }
            request.finish();
        }
    };
    fail(2);
    assert!(bed.causes()[0].is_some());
    bed.until_out(&[false]).await;
    fail(1);
    assert!(bed.causes()[0].is_some(), "one failure on trial is enough");
    // A mark is no result of requests.
    bed.compile.upstreams.mark(ID, "10.0.0.1:80", None, true);
    bed.compile.upstreams.mark(ID, "10.0.0.1:80", None, false);
    tokio::time::sleep(Duration::from_millis(1600)).await;
    assert!(bed.causes()[0].is_some());
}

#[tokio::test]
async fn tags_limit_connections_and_wrong_ones_are_said() {
    let bed = Bed::new(|_| {});
    let tags = "tags: ['gatehouse:max_connections=2', 'gatehouse:slow_start=x', other],";
    let group = bed.load(tags, &["{target: '10.0.0.1:80'}".to_owned()]);
    let unknown: Vec<&str> = super::unknown_settings(group.upstream()).collect();
    assert_eq!(unknown, ["gatehouse:slow_start=x"]);
    let mut core = CoreState::new(0);
    let mut open: Vec<PickState> = Vec::new();
    let mut pick = || {
        let mut request = PickState::new();
        let picked = group.pick(&mut core, &mut request, Moment::default());
        open.push(request);
        picked.is_some()
    };
    assert_eq!([pick(), pick(), pick()], [true, true, false]);
}
