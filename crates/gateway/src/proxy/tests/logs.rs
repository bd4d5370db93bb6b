use serde_json::json;

use super::support::*;

#[test]
fn the_access_log_has_a_line_for_each_answer_with_its_request_id() {
    let folder = test_support::TempDir::new("access-log");
    let path = folder.path().join("logs/access.log");
    let origin = Origin::ok("hello");
    let mut settings = settings();
    settings.proxy_access_log = conf::LogTarget::File {
        path: path.clone(),
        format: None,
    };
    let routes = [json!({"paths": ["/"]})];
    let gateway = gateway_with(&settings, &routes, &service(origin.address));
    let answer = gateway
        .ask("GET /a?b=\"c HTTP/1.1\r\nHost: a\r\nReferer: r\r\nUser-Agent: u \"x\"\r\n\r\n");
    let id = answer.find("X-Kong-Request-Id: ").expect("an id") + 19;
    let id = &answer[id..id + 32];
    let refused = gateway.ask("GET / HTTP/1.1\r\n\r\n");
    assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(gateway.handle.drain(PATIENCE));
    until(|| std::fs::read_to_string(&path).is_ok_and(|text| text.lines().count() == 2));
    let text = std::fs::read_to_string(&path).expect("a log");
    let line = text.lines().next().expect("a line");
    assert!(line.starts_with("127.0.0.1 - - ["), "{line}");
    let rest = format!(
        "] \"GET /a?b=\\x22c HTTP/1.1\" 200 {} \"r\" \"u \\x22x\\x22\" kong_request_id: \"{id}\"",
        answer.len()
    );
    assert!(line.ends_with(&rest), "{line}");
}
