//! The chain: order, scopes, panics; and the edits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use uuid::Uuid;

use super::*;

type Trace = Arc<Mutex<Vec<String>>>;

struct Probe {
    label: &'static str,
    trace: Trace,
    act: Act,
}

#[derive(Clone)]
enum Act {
    Continue,
    Identify(Arc<ConsumerInfo>),
    Panic,
    PanicLater,
    Respond,
    RespondLater,
}

impl Handler for Probe {
    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        self.trace.lock().push(format!("{}:access", self.label));
        match &self.act {
            Act::Continue => Step::CONTINUE,
            Act::Identify(consumer) => {
                exchange.identity.consumer = Some(Arc::clone(consumer));
                Step::CONTINUE
            }
            Act::Panic => panic!("made to panic"),
            Act::PanicLater => Step::Wait(Box::pin(async { panic!("made to panic later") })),
            Act::Respond => Step::respond(Reply::message(418, "stop")),
            Act::RespondLater => Step::Wait(Box::pin(async {
                Verdict::Respond(Box::new(Reply::message(419, "stop")))
            })),
        }
    }

    fn header_filter(&self, _exchange: &mut Exchange<'_>, _response: &mut ResponseView<'_>) {
        self.trace.lock().push(format!("{}:header", self.label));
        if matches!(self.act, Act::Panic) {
            panic!("made to panic in a filter");
        }
    }
}

fn never_built(
    _input: &PluginInput<'_>,
    _context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    Err(BuildError::Credential { entity: "none" })
}

const fn definition(name: &'static str, priority: i32) -> Definition {
    Definition::new(name, priority, schema::Schema::default, never_built)
        .phases(Phases::ACCESS.and(Phases::HEADER_FILTER))
}

static HIGH: Definition = definition("high", 100);
static LATE_NAME: Definition = definition("b-same", 50);
static EARLY_NAME: Definition = definition("a-same", 50);
static LOW: Definition = definition("low", 1);

struct Bench {
    trace: Trace,
}

impl Bench {
    fn new() -> Self {
        Self {
            trace: Trace::default(),
        }
    }

    fn bound(&self, label: &'static str, act: Act) -> Bound {
        let trace = Arc::clone(&self.trace);
        Bound {
            id: Uuid::nil(),
            scopes: Scopes::NONE,
            handler: Arc::new(Probe { label, trace, act }),
        }
    }

    fn entry(&self, definition: &'static Definition, act: Act) -> Entry {
        Entry::new(
            definition,
            Vec::new(),
            Some(self.bound(definition.name, act)),
        )
    }

    /// Runs access and header filters; gives the status of the answer, 200 without one.
    fn run(&self, chain: &Chain) -> u16 {
        let index = HeadIndex::default();
        let client = client();
        let (mut request, mut response) = (RequestEdits::default(), ResponseEdits::default());
        let (mut identity, mut locals) = (Identity::default(), Locals::default());
        let lookups = Lookups::default();
        let mut exchange = Exchange {
            head: Head::new(b"", &index),
            path: b"/",
            body: None,
            request: &mut request,
            response: &mut response,
            client: &client,
            route: None,
            service: None,
            request_id: "0",
            identity: &mut identity,
            lookups: &lookups,
            now_ms: 0,
            locals: &mut locals,
        };
        let mut run = Run::default();
        let reply = block_on(chain.access(&mut run, &mut exchange));
        let mut headers = HeaderEdits::default();
        let mut view = ResponseView {
            status: 200,
            head: None,
            headers: &mut headers,
            source: ResponseSource::Exit,
            changes_body: false,
            drops_body: false,
            own: &[],
        };
        chain.header_filter(&mut run, &mut exchange, &mut view);
        reply.map_or(200, |reply| reply.status)
    }

    fn trace(&self) -> Vec<String> {
        std::mem::take(&mut self.trace.lock())
    }
}

/// None of the probes' futures is ever pending.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("a probe waits"),
    }
}

fn client() -> ClientInfo {
    let address = "127.0.0.1:1".parse().unwrap();
    ClientInfo {
        peer: address,
        ip: address.ip(),
        ip_text: Bytes::from_static(b"127.0.0.1"),
        port: 1,
        local: address,
        scheme: Scheme::Http,
        server_name: None,
        is_peer_trusted: false,
        connection: 1,
        request: 1,
    }
}

fn consumer(id: u128) -> Arc<ConsumerInfo> {
    Arc::new(ConsumerInfo {
        id: Uuid::from_u128(id),
        id_text: Bytes::new(),
        username: None,
        custom_id: None,
        groups: Vec::new(),
        document: Bytes::new(),
    })
}

#[test]
fn higher_priority_runs_first_and_equal_ones_in_descending_order_of_name() {
    let bench = Bench::new();
    let chain = Chain::new(vec![
        bench.entry(&LOW, Act::Continue),
        bench.entry(&EARLY_NAME, Act::Continue),
        bench.entry(&HIGH, Act::Continue),
        bench.entry(&LATE_NAME, Act::Continue),
    ]);
    assert_eq!(bench.run(&chain), 200);
    let accesses: Vec<_> = bench.trace().into_iter().take(4).collect();
    assert_eq!(
        accesses,
        [
            "high:access",
            "b-same:access",
            "a-same:access",
            "low:access"
        ]
    );
}

#[test]
fn an_answer_skips_later_accesses_but_no_filter() {
    for (act, status) in [(Act::Respond, 418), (Act::RespondLater, 419)] {
        let bench = Bench::new();
        let chain = Chain::new(vec![
            bench.entry(&HIGH, act),
            bench.entry(&LOW, Act::Continue),
        ]);
        assert_eq!(bench.run(&chain), status);
        assert_eq!(bench.trace(), ["high:access", "high:header", "low:header"]);
    }
}

#[test]
fn a_panicking_handler_answers_500_and_is_counted() {
    let before = failures();
    for act in [Act::Panic, Act::PanicLater] {
        let bench = Bench::new();
        let chain = Chain::new(vec![
            bench.entry(&HIGH, act),
            bench.entry(&LOW, Act::Continue),
        ]);
        assert_eq!(bench.run(&chain), 500);
        assert!(bench.trace().contains(&"low:header".to_owned()));
    }
    assert!(failures() >= before + 3);
}

#[test]
fn a_consumer_found_by_one_plugin_decides_the_instance_of_the_next() {
    let bench = Bench::new();
    let caller = consumer(7);
    let own = ConsumerMap::from([(caller.id, bench.bound("own", Act::Continue))]);
    let maps = vec![Arc::new(own)];
    let everybody = bench.bound("everybody", Act::Continue);
    let second = Entry::new(&LOW, maps, Some(everybody));
    let known = Chain::new(vec![
        bench.entry(&HIGH, Act::Identify(caller)),
        second.clone(),
    ]);
    bench.run(&known);
    assert_eq!(bench.trace()[1], "own:access");
    let stranger = Chain::new(vec![bench.entry(&HIGH, Act::Identify(consumer(8))), second]);
    bench.run(&stranger);
    assert_eq!(bench.trace()[1], "everybody:access");
}

#[test]
fn a_consumer_found_late_does_not_change_an_instance_already_picked() {
    let bench = Bench::new();
    let caller = consumer(7);
    let own = ConsumerMap::from([(caller.id, bench.bound("own", Act::Continue))]);
    let everybody = bench.bound("everybody", Act::Continue);
    let first = Entry::new(&HIGH, vec![Arc::new(own)], Some(everybody));
    let chain = Chain::new(vec![first, bench.entry(&LOW, Act::Identify(caller))]);
    bench.run(&chain);
    let trace = bench.trace();
    assert_eq!(trace[0], "everybody:access");
    assert_eq!(trace[2], "everybody:header");
}

#[test]
fn the_first_map_that_knows_the_consumer_wins() {
    let bench = Bench::new();
    let caller = consumer(7);
    let map = |label| {
        Arc::new(ConsumerMap::from([(
            caller.id,
            bench.bound(label, Act::Continue),
        )]))
    };
    let entry = Entry::new(&LOW, vec![map("specific"), map("general")], None);
    let chain = Chain::new(vec![
        bench.entry(&HIGH, Act::Identify(Arc::clone(&caller))),
        entry,
    ]);
    bench.run(&chain);
    assert_eq!(bench.trace()[1], "specific:access");
}

#[test]
fn an_entry_without_instances_leaves_the_chain_empty() {
    let chain = Chain::new(vec![Entry::new(&LOW, vec![Arc::default()], None)]);
    assert!(chain.is_empty());
    assert_eq!(chain.phases(), Phases::NONE);
}

fn applied(edits: &HeaderEdits, head: &[(&str, &str)]) -> Vec<String> {
    let mut lines = Vec::new();
    let head = head.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes()));
    edits.apply(head, |name, value| {
        lines.push(format!(
            "{}: {}",
            String::from_utf8_lossy(name),
            String::from_utf8_lossy(value)
        ));
    });
    lines
}

#[test]
fn a_replaced_header_keeps_its_place_and_spelling() {
    let mut edits = HeaderEdits::default();
    edits.set("X-A", "new");
    edits.set("X-New", "1");
    let lines = applied(&edits, &[("x-a", "old"), ("B", "2"), ("X-A", "older")]);
    assert_eq!(lines, ["x-a: new", "B: 2", "X-New: 1"]);
}

#[test]
fn a_removed_header_that_is_set_again_comes_last() {
    let mut edits = HeaderEdits::default();
    edits.remove("X-A");
    edits.set("X-A", "new");
    let lines = applied(&edits, &[("X-A", "old"), ("B", "2")]);
    assert_eq!(lines, ["B: 2", "X-A: new"]);
}

#[test]
fn removing_takes_back_what_was_added() {
    let mut edits = HeaderEdits::default();
    edits.add("X-A", "1");
    edits.add("X-B", "2");
    edits.remove("x-a");
    assert_eq!(applied(&edits, &[("X-A", "0")]), ["X-B: 2"]);
    edits.clear();
    assert!(edits.is_empty());
}

#[test]
fn a_value_cannot_open_another_line() {
    let mut edits = HeaderEdits::default();
    edits.set("X-A", "a\r\nX-Evil: 1\0");
    assert_eq!(applied(&edits, &[]), ["X-A: a%0D%0AX-Evil: 1%00"]);
}

#[test]
fn a_query_is_split_and_decoded() {
    let pairs: Vec<_> = query_pairs(b"a=1&b&&c=%20x+y&d=%zz&a=")
        .map(|(k, v)| {
            let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
            (text(&k), v.map(|v| text(&v)))
        })
        .collect();
    let expect = |k: &str, v: Option<&str>| (k.to_owned(), v.map(str::to_owned));
    assert_eq!(
        pairs,
        [
            expect("a", Some("1")),
            expect("b", None),
            expect("c", Some(" x y")),
            expect("d", Some("%zz")),
            expect("a", Some("")),
        ]
    );
}

#[test]
fn shared_state_is_one_value_per_type() {
    let shared = Shared::default();
    shared.get::<AtomicUsize>().fetch_add(1, Ordering::Relaxed);
    assert_eq!(shared.get::<AtomicUsize>().load(Ordering::Relaxed), 1);
    assert_eq!(*shared.get::<String>(), "");
}

#[test]
fn an_expired_credential_is_unknown() {
    let mut builder = Lookups::builder(vec![("keyauth_credentials", "key")]);
    let slot = builder.slot("keyauth_credentials").unwrap();
    let entry = CredentialEntry {
        id: Uuid::from_u128(1),
        id_text: Bytes::new(),
        consumer: consumer(1),
        expires_at_ms: Some(1000),
        prepared: None,
    };
    builder.credential(slot, b"secret", entry);
    let lookups = builder.finish();
    assert!(lookups.credential(slot, b"secret", 999).is_some());
    assert!(lookups.credential(slot, b"secret", 1000).is_none());
    assert!(lookups.credential(slot, b"other", 0).is_none());
    assert!(lookups.slot("jwt_secrets").is_none());
    assert!(!format!("{lookups:?}").contains("secret"));
}

#[test]
fn an_anonymous_consumer_is_found_by_id_and_by_name() {
    let mut builder = Lookups::builder(Vec::new());
    builder.consumer(ConsumerInfo {
        username: Some(Bytes::from_static(b"anon")),
        ..ConsumerInfo::clone(&consumer(5))
    });
    let lookups = builder.finish();
    assert!(lookups.consumer_named("anon").is_some());
    let id = Uuid::from_u128(5).to_string();
    assert!(lookups.consumer_named(&id).is_some());
    assert!(lookups.consumer_named("else").is_none());
}
