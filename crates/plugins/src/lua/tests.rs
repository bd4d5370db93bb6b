//! Facts about Lua code in plugins.

use std::sync::Arc;

use plugin_api::{Handler, Reply, ReplyBody};
use serde_json::{Value, json};

use crate::pre_function::DEFINITION;
use crate::testing::{ALICE, Bench, Request, outcome};

fn handler(bench: &mut Bench, config: Value) -> Arc<dyn Handler> {
    bench.handler(&DEFINITION, config)
}

/// What code in the access phase makes of a request.
fn access(code: &str, mut request: Request) -> (Request, Option<Reply>) {
    let mut bench = Bench::new();
    let handler = handler(&mut bench, json!({"access": [code]}));
    let reply = request.access(&bench, &*handler);
    (request, reply)
}

/// What code answers with as text.
fn said(code: &str) -> String {
    let headers = [
        ("Host", "a.test:80"),
        ("X-A", "1"),
        ("x-a", "2"),
        ("Cookie", "k=v; l=w"),
    ];
    let request = Request::new("GET", "/p?a=1&b=%20&a=2", &headers);
    let (_, reply) = access(
        &format!("kong.response.exit(200, tostring({code}))"),
        request,
    );
    match reply.expect("an answer") {
        Reply {
            status: 200,
            body: ReplyBody::Raw(body),
            ..
        } => String::from_utf8(body.to_vec()).unwrap(),
        other => panic!("{code}: {other:?}"),
    }
}

fn status(code: &str) -> u16 {
    access(code, Request::get("/"))
        .1
        .map_or(200, |reply| reply.status)
}

#[test]
fn broken_code_is_refused_with_its_place() {
    let mut bench = Bench::new();
    let built = bench.build(&DEFINITION, json!({"access": ["local a = 1", "if"]}));
    let error = built.err().expect("a refusal").to_string();
    assert!(
        error.starts_with("`config.access[2]`: error parsing pre-function: "),
        "{error}"
    );
}

#[test]
fn code_reads_the_request() {
    for (code, expected) in [
        ("kong.request.get_method()", "GET"),
        ("kong.request.get_path()", "/p"),
        ("kong.request.get_raw_query()", "a=1&b=%20&a=2"),
        ("kong.request.get_path_with_query()", "/p?a=1&b=%20&a=2"),
        ("kong.request.get_query_arg('b')", " "),
        ("kong.request.get_query().a[2]", "2"),
        ("kong.request.get_host()", "a.test"),
        ("kong.request.get_scheme()", "http"),
        ("kong.request.get_http_version()", "1.1"),
        ("kong.request.get_header('X-A')", "1"),
        ("kong.request.get_headers()['X-A'][2]", "2"),
        ("kong.request.get_headers().x_a[1]", "1"),
        ("kong.client.get_forwarded_ip()", "127.0.0.1"),
        ("kong.client.get_consumer()", "nil"),
        ("kong.router.get_service().id", "service"),
        ("kong.node.get_hostname()", "bench"),
        ("ngx.var.cookie_l", "w"),
        ("ngx.var.arg_a", "1"),
        ("ngx.var.http_x_a", "1"),
        ("ngx.encode_base64('hi')", "aGk="),
        ("ngx.escape_uri('a b/')", "a%20b%2F"),
        ("require('cjson').encode({a = {1, 2}})", r#"{"a":[1,2]}"#),
        ("require('cjson.safe').decode('{')", "nil"),
        (
            "require('cjson').decode('{\"a\":{\"b\":[1,null]}}').a.b[1]",
            "1",
        ),
        ("kong.table.merge({a = 1}, {b = 2}).b", "2"),
        ("kong.version", "3.9.3"),
        ("pcall(error, 'x')", "false"),
    ] {
        assert_eq!(said(code), expected, "{code}");
    }
}

#[test]
fn code_changes_the_request() {
    let code = "local s = kong.service.request
        s.set_header('X-P', '1') s.add_header('X-P', '2') s.clear_header('X-A')
        s.set_path('/np') s.set_raw_query('r=1') s.set_method('PUT') s.set_scheme('https')
        kong.service.set_target('h.test', 81) kong.log.set_serialize_value('a.b', 7)";
    let (request, reply) = access(code, Request::new("GET", "/", &[("X-A", "1")]));

    assert_eq!(reply, None);
    assert_eq!(request.sent_headers(), ["X-P: 1", "X-P: 2"]);
    assert_eq!(request.edits.path.as_deref(), Some(&b"/np"[..]));
    assert_eq!(request.edits.query.as_deref(), Some(&b"r=1"[..]));
    assert_eq!(request.edits.method.as_deref(), Some(&b"PUT"[..]));
    assert_eq!(request.edits.scheme, Some(plugin_api::Scheme::Https));
    assert_eq!(request.edits.destination, Some(("h.test".into(), 81)));
}

#[test]
fn bodies_are_read_and_written() {
    let mut request = Request::new("POST", "/", &[("Content-Type", "application/json")]);
    request.body = Some(br#"{"a":"7"}"#.to_vec());
    let code = "local b = kong.request.get_body()
        kong.service.request.set_body({a = b.a, c = {1}}, 'application/json')";
    let (request, _) = access(code, request);
    let sent: Value = serde_json::from_slice(&request.edits.body.unwrap()).unwrap();
    assert_eq!(sent, json!({"a": "7", "c": [1]}));
    let mut request = Request::new("POST", "/", &[("Content-Type", "text/x")]);
    request.body = Some(b"x".to_vec());
    let code = "local b, e = kong.request.get_body() kong.response.exit(200, e)";
    let (_, reply) = access(code, request);
    let ReplyBody::Raw(body) = reply.unwrap().body else {
        panic!()
    };
    assert_eq!(body, "unsupported content type 'text/x' was provided");
}

#[test]
fn code_answers_instead_of_the_service() {
    let (_, reply) = access(
        "pcall(function() kong.response.exit(403, {message = 'no'}, {['X-A'] = {'1', '2'}}) end)
         kong.service.request.set_header('X-Late', '1')",
        Request::get("/"),
    );
    let reply = reply.unwrap();
    assert_eq!(
        (reply.status, &reply.body),
        (403, &ReplyBody::Raw(r#"{"message":"no"}"#.into()))
    );
    assert_eq!(reply.headers.len(), 3);
    let (request, _) = access(
        "pcall(kong.response.exit, 204)
        kong.service.request.set_header('X-Late', '1')",
        Request::get("/"),
    );
    assert!(
        request.sent_headers().is_empty(),
        "what gave an answer has ended"
    );
    let (_, reply) = access("kong.response.error(429)", Request::get("/"));
    assert_eq!(reply.unwrap(), Reply::message(429, "Too many requests"));
    let (_, reply) = access(
        "ngx.say('a') ngx.print('b') ngx.exit(200)",
        Request::get("/"),
    );
    assert_eq!(reply.unwrap().body, ReplyBody::Raw("a\nb".into()));
}

#[test]
fn headers_of_code_cannot_break_out_of_their_line() {
    assert_eq!(
        status("kong.response.exit(200, 'x', {['X-A'] = 'a\\r\\nX-B: 1'})"),
        500
    );
    assert_eq!(
        status("kong.response.exit(200, 'x', {['X\\r\\nY'] = 'a'})"),
        500
    );
    assert_eq!(
        status("kong.service.request.set_raw_query('a b\\r\\n')"),
        500
    );
    let (request, _) = access(
        "kong.service.request.set_header('X', 'a\\r\\nb')",
        Request::get("/"),
    );
    assert_eq!(request.sent_headers(), ["X: a%0D%0Ab"]);
}

#[test]
fn modules_that_are_said_to_be_given_are() {
    for module in crate::brought::GIVEN {
        let code = format!("type(require('{module}'))");
        let kind = said(&code);
        assert!(kind == "table" || kind == "function", "{module}: {kind}");
    }
}

#[test]
fn services_are_changed_for_one_request() {
    let code = "assert(kong.service.set_upstream('none') == nil)
        kong.service.set_retries(7) kong.service.set_timeouts(1, 2, 3)";
    let (request, reply) = access(code, Request::get("/"));
    assert_eq!(reply, None);
    let edits = request.edits.service.expect("changes");
    assert_eq!(edits.retries, Some(7));
    assert_eq!(edits.timeouts, Some((1, 2, 3)));
    assert_eq!(edits.upstream, None);
}

#[test]
fn tools_compute_what_others_do() {
    for (code, expected) in [
        ("ngx.md5('a')", "0cc175b9c0f1b6a831c399e269772661"),
        ("ngx.crc32_long('123456789')", "3421780262"),
        ("ngx.re.match('a-12', '(\\\\w)-(?<n>\\\\d+)').n", "12"),
        ("ngx.re.match('abc', 'x')", "nil"),
        ("ngx.re.find('hello', 'l+')", "3"),
        ("(ngx.re.gsub('a1b22', '\\\\d+', '<$0>'))", "a<1>b<22>"),
        (
            "(ngx.re.sub('a1b22', '[0-9]', function(m) return m[0] .. '!' end))",
            "a1!b22",
        ),
        ("select(2, ngx.re.gsub('aaa', 'A', '', 'i'))", "3"),
        (
            "select(2, ngx.re.match('a', '('))",
            "the pattern cannot be read: error: unclosed group",
        ),
        ("#require('ngx.re').split('a,b,c', ',')", "3"),
        (
            "require('resty.string').to_hex(require('resty.hmac'):new('k', 'sha256'):final('m')):sub(1, 8)",
            "b60090e3",
        ),
        ("require('resty.lrucache').new(1):get('a')", "nil"),
        ("require('inspect')({ 1, a = 'b' })", "{ 1, a = \"b\" }"),
        ("require('kong.tools.string').strip(' a ')", "a"),
        (
            "require('kong.tools.uuid').is_valid_uuid(require('kong.tools.uuid').uuid())",
            "true",
        ),
        (
            "select(2, kong.vault.get('{vault://env/x}'))",
            "there is no configuration yet",
        ),
        ("kong.nginx.get_subsystem()", "http"),
        ("ngx.timer.pending_count()", "0"),
    ] {
        assert_eq!(said(code), expected, "{code}");
    }
}

#[test]
fn failures_answer_500_and_leave_the_request_to_nobody() {
    for code in [
        "error('boom')",
        "error({})",
        "kong.nothing()",
        "kong.response.exit('x')",
        "coroutine.yield('x')",
        "ngx.socket.tcp()",
        "kong.service.set_retries(-1)",
        "kong.request.x = 1",
        "kong = nil kong.request.get_path()",
    ] {
        assert_eq!(status(code), 500, "{code}");
    }
}

#[test]
fn sandbox_holds_what_could_reach_out() {
    for name in [
        "io",
        "debug",
        "ffi",
        "jit",
        "package",
        "collectgarbage",
        "dofile",
        "setfenv",
        "getfenv",
        "loadfile",
    ] {
        assert_eq!(said(name), "nil", "{name}");
    }
    for code in ["os.execute", "os.getenv", "string.dump"] {
        assert_eq!(said(code), "nil", "{code}");
    }
    assert_eq!(status("require('io')"), 500);
    assert_eq!(
        status("local b = string.char(27) .. 'LJ' assert(load(b))"),
        500
    );
    assert_eq!(said("getmetatable('')"), "nil");
    assert_eq!(status("rawset(kong, 'x', 1)"), 500);
    assert_eq!(status("setmetatable(kong, {})"), 500);
    // One instance cannot change what another one sees.
    assert_eq!(status("string.lower = nil"), 200);
    assert_eq!(said("string.lower('A')"), "a");
}

#[test]
fn time_that_is_over_cannot_be_caught() {
    for code in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "pcall(function() while true do end end) kong.response.exit(200)",
        "local c = coroutine.wrap(function() while true do end end) while true do pcall(c) end",
        "local function f() return f() end f()",
    ] {
        assert_eq!(status(code), 500, "{code}");
    }
}

#[test]
fn memory_has_a_limit_and_the_next_request_runs() {
    assert_eq!(
        status("local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1e6) .. i end"),
        500
    );
    assert_eq!(status("local s = ('x'):rep(2e9)"), 500);
    assert_eq!(said("1 + 1"), "2");
}

#[test]
fn code_waits_without_blocking_and_looks_consumers_up() {
    let code = "ngx.sleep(0.001) local c = kong.client.load_consumer('alice')
        kong.client.authenticate(c, nil) ngx.sleep(0)
        kong.service.request.set_header('X-Who', kong.client.get_consumer().username)";
    let (request, reply) = access(code, Request::get("/"));
    assert_eq!(reply, None);
    assert_eq!(request.sent_headers(), ["X-Who: alice"]);
    assert_eq!(
        request.identity.consumer.unwrap().id,
        uuid::Uuid::from_u128(ALICE)
    );
}

#[test]
fn code_calls_out() {
    let server = crate::testing::Server::start(
        b"HTTP/1.1 201 Created\r\nX-Q: 1\r\nContent-Length: 2\r\n\r\nok",
    );
    let code = format!(
        "local r, e = require('resty.http').new():request_uri('http://127.0.0.1:{}/x', \
         {{method = 'POST', body = 'hi', query = {{a = 1}}}}) \
         kong.response.exit(200, r.status .. r.headers['X-Q'] .. r.body)",
        server.port
    );
    let (_, reply) = access(&code, Request::get("/"));
    assert_eq!(reply.unwrap().body, ReplyBody::Raw("2011ok".into()));
    assert!(
        server.seen().starts_with("POST /x?a=1 HTTP/1.1\r\n"),
        "{}",
        server.seen()
    );
}

#[test]
fn context_lasts_from_phase_to_phase_and_no_longer() {
    let mut bench = Bench::new();
    let handler = handler(
        &mut bench,
        json!({
            "access": ["kong.ctx.shared.x = (kong.ctx.shared.x or 0) + 1 kong.ctx.plugin.y = 'p'"],
            "header_filter": ["kong.response.set_header('X-N', kong.ctx.shared.x .. kong.ctx.plugin.y)"],
        }),
    );
    for _ in 0..2 {
        let mut request = Request::get("/");
        assert_eq!(request.access(&bench, &*handler), None);
        let headers = request.header_filter(&bench, &*handler, &[("Server", "echo")]);
        assert_eq!(headers, ["Server: echo", "X-N: 1p"]);
    }
}

#[test]
fn answers_are_changed_head_and_body() {
    let mut bench = Bench::new();
    let handler = handler(
        &mut bench,
        json!({
            "header_filter": [
                "ngx.header['X-N'] = kong.response.get_source() .. kong.service.response.get_status()",
                "kong.response.clear_header('Content-Length') kong.response.set_status(299)",
            ],
            "body_filter": ["if ngx.arg[2] then ngx.arg[1] = ngx.arg[1] .. '!' end"],
        }),
    );
    let mut request = Request::get("/");
    let filtered = request.filter_head(&bench, &*handler, 200, &[("Content-Length", "2")]);
    assert_eq!(filtered.headers, ["X-N: service0"]);
    assert_eq!((filtered.status, filtered.changes_body), (299, true));
    assert_eq!(
        request.body_filter(&bench, &*handler, &["a", "b"]),
        ["a", "b!"]
    );
    let replacing = self::handler(
        &mut bench,
        json!({
            "body_filter": ["local b = kong.response.get_raw_body() if b then kong.response.set_raw_body(b:upper()) end"],
        }),
    );
    assert_eq!(
        Request::get("/").body_filter(&bench, &*replacing, &["a", "b"]),
        ["", "AB"]
    );
}

#[test]
fn log_phase_sees_the_record() {
    let mut bench = Bench::new();
    let handler = handler(
        &mut bench,
        json!({
            "log": ["ngx.shared.kong:set('status', kong.log.serialize().response.status)"],
            "access": ["kong.response.exit(200, tostring(ngx.shared.kong:get('status')))"],
        }),
    );
    let mut request = Request::get("/");
    request.log(&bench, &*handler, &outcome());
    let reply = request.access(&bench, &*handler).unwrap();
    assert_eq!(reply.body, ReplyBody::Raw("200".into()));
}

#[test]
fn dictionaries_and_caches_are_kept() {
    assert_eq!(said("ngx.shared.d:incr('n', 1, 5)"), "6");
    assert_eq!(said("ngx.shared.d:incr('missing', 1)"), "nil");
    assert_eq!(
        said("kong.cache:get('k', {ttl = 10}, function() return 'v' end)"),
        "v"
    );
    assert_eq!(
        said("kong.cache:get('k', nil, function() return 'other' end)"),
        "v"
    );
}

#[test]
fn function_that_code_returns_takes_its_place() {
    let mut bench = Bench::new();
    let code = "local n = 0 return function() n = n + 1 \
                kong.service.request.set_header('X-N', n) end";
    let handler = handler(&mut bench, json!({"access": [code]}));
    for expected in ["X-N: 1", "X-N: 2"] {
        let mut request = Request::get("/");
        assert_eq!(request.access(&bench, &*handler), None);
        assert_eq!(request.sent_headers(), [expected]);
    }
}
