//! The reference's own matcher as an oracle: for routes with expressions, and for classic routes that are
//! written as expressions.

use atc_router::{
    ast::{Type, Value},
    context::Context,
    router::Router as Oracle,
    schema::Schema,
};
use entities::Route;
use proptest::{
    collection::vec,
    prelude::{ProptestConfig, Strategy, any, proptest},
    prop_assert_eq,
    sample::select,
};
use uuid::Uuid;

use super::{Fields, agreement, compile, naive, route};
use crate::{Flavor, Match, MatchedPath, Query, Scheme, entry::OrderKey};

const TEXT_FIELDS: &[&str] = &[
    "net.protocol",
    "tls.sni",
    "http.method",
    "http.host",
    "http.path",
    "http.path.segments.*",
    "http.headers.*",
    "http.queries.*",
];

fn schema() -> Schema {
    let mut schema = Schema::default();
    for name in TEXT_FIELDS {
        schema.add_field(name, Type::String);
    }
    for name in ["net.src.port", "net.dst.port", "http.path.segments.len"] {
        schema.add_field(name, Type::Int);
    }
    for name in ["net.src.ip", "net.dst.ip"] {
        schema.add_field(name, Type::IpAddr);
    }
    schema
}

/// The values of a request, written down without the code under test.
fn fill(context: &mut Context<'_>, query: &Query<'_>, fields: &Fields) {
    let text = |bytes: &[u8]| Value::String(String::from_utf8(bytes.to_vec()).unwrap());
    let is_tls = query.scheme == Scheme::Https;
    context.add_value(
        "net.protocol",
        text(if is_tls { b"https" } else { b"http" }),
    );
    if let Some(sni) = query.sni {
        context.add_value("tls.sni", text(sni.as_bytes()));
    }
    context.add_value("http.method", text(query.method));
    context.add_value("http.host", text(query.host));
    context.add_value("http.path", text(query.path));
    let path = String::from_utf8(query.path.to_vec()).unwrap();
    let mut parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    if parts.last() == Some(&"") {
        parts.pop();
    }
    let count = i64::try_from(parts.len()).unwrap();
    context.add_value("http.path.segments.len", Value::Int(count));
    for (number, part) in parts.iter().enumerate() {
        let name = format!("http.path.segments.{number}");
        context.add_value(&name, Value::String((*part).to_owned()));
    }
    if parts.len() > 1 {
        context.add_value(
            "http.path.segments.0_1",
            Value::String(parts[..2].join("/")),
        );
    }
    for (name, value) in &fields.0 {
        let name = name.to_lowercase().replace('-', "_");
        context.add_value(&format!("http.headers.{name}"), text(value.as_bytes()));
    }
    for argument in query
        .query
        .split(|byte| *byte == b'&')
        .filter(|one| !one.is_empty())
    {
        let argument = std::str::from_utf8(argument).unwrap();
        let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
        context.add_value(&format!("http.queries.{name}"), text(value.as_bytes()));
    }
    context.add_value("net.src.ip", Value::IpAddr(query.source.0));
    context.add_value("net.src.port", Value::Int(query.source.1.into()));
    context.add_value("net.dst.ip", Value::IpAddr(query.destination.0));
    let port = query.host_port.unwrap_or(query.destination.1);
    context.add_value("net.dst.port", Value::Int(port.into()));
}

const CHECKS: &[&str] = &[
    r#"http.path == "/a""#,
    r#"http.path == "/a/b""#,
    r#"http.path ^= "/""#,
    r#"http.path ^= "/a""#,
    r#"http.path ^= "/a/b""#,
    r#"http.path =^ "b""#,
    r#"http.path != "/a""#,
    r#"http.path contains "b""#,
    r#"http.path ~ "^/a/(?P<x>[a-z]+)""#,
    r#"http.path ~ "b$""#,
    r#"http.path ~ "^/a|/c""#,
    r#"lower(http.path) ^= "/a""#,
    r#"http.host == "a.test""#,
    r#"http.host == "b.a.test""#,
    r#"http.host =^ ".test""#,
    r#"http.host =^ "test""#,
    r#"http.host ^= "a.""#,
    r#"http.host ^= "b""#,
    r#"http.host ~ "a""#,
    r#"lower(http.host) == "a.test""#,
    r#"http.method == "GET""#,
    r#"http.method != "GET""#,
    r#"any(http.method) == "POST""#,
    r#"http.headers.x_a == "1""#,
    r#"any(http.headers.x_a) == "1""#,
    r#"http.headers.x_a != "1""#,
    r#"any(lower(http.headers.x_b)) ~ "^[x2]""#,
    r#"http.headers.x_c == """#,
    r#"http.queries.q == "1""#,
    r#"any(http.queries.q) == "1""#,
    r#"http.queries.r == """#,
    r#"http.path.segments.0 == "a""#,
    r#"http.path.segments.1 ^= "b""#,
    r#"http.path.segments.0_1 == "a/b""#,
    "http.path.segments.len > 1",
    "http.path.segments.len == 0",
    "net.src.ip == 127.0.0.1",
    "net.src.ip in 127.0.0.0/8",
    "net.src.ip not in 127.0.0.0/8",
    "net.src.ip in ::/0",
    "net.src.port >= 40001",
    "net.src.port < 40001",
    "net.dst.port == 80",
    "net.dst.port != 81",
    r#"net.protocol == "https""#,
    r#"net.protocol != "https""#,
    r#"tls.sni == "a.test""#,
    r#"tls.sni =^ ".test""#,
];

fn expression() -> impl Strategy<Value = String> {
    let leaf = select(CHECKS).prop_map(str::to_owned);
    leaf.prop_recursive(4, 16, 4, |inner| {
        (vec(inner, 1..4), any::<bool>(), any::<bool>(), 0_u8..4).prop_map(
            |(parts, is_any, is_bare, negated)| {
                let joined = parts.join(if is_any { " || " } else { " && " });
                match (negated, is_bare) {
                    (0, _) => format!("!({joined})"),
                    (_, true) => joined,
                    (_, false) => format!("({joined})"),
                }
            },
        )
    })
}

pub(crate) fn expression_route() -> impl Strategy<Value = Route> {
    (any::<u8>(), 0_u64..5, expression(), any::<bool>()).prop_map(
        |(id, priority, expression, only_http)| {
            let mut own = route(1);
            own.id = Uuid::from_u128(u128::from(id) << 64 | 7);
            own.priority = priority;
            own.expression = Some(expression);
            if only_http {
                own.protocols.truncate(1);
            }
            own
        },
    )
}

/// Routes of equal id are the oracle's business alone: the last one is kept.
fn with_own_ids(mut routes: Vec<Route>) -> Vec<Route> {
    let mut known = std::collections::HashSet::new();
    routes.retain(|own| known.insert(own.id));
    routes
}

/// The route and the length of what was matched of the path.
fn asked(oracle: &Oracle<'_>, context: &mut Context<'_>) -> Option<(Uuid, usize)> {
    oracle.execute(context).then(|| {
        let result = context.result.take().unwrap();
        let length = match result.matches.get("http.path") {
            Some(Value::String(text)) => text.len(),
            _ => 0,
        };
        (result.uuid, length)
    })
}

fn length(found: &Match) -> usize {
    match found.path {
        MatchedPath::None => 0,
        MatchedPath::Prefix(length) | MatchedPath::Regex { length, .. } => length,
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn expressions_match_as_in_the_reference(
        routes in vec(expression_route(), 1..16),
        requests in vec((agreement::request(), select(&["", "q=1", "q=2&q=1", "r", "r=&q=1"])), 1..20),
    ) {
        let routes = with_own_ids(routes);
        let router = compile(&routes, Flavor::Expressions);
        let schema = schema();
        let mut oracle = Oracle::new(&schema);
        for own in &routes {
            let mut text = format!("({})", own.expression.as_deref().unwrap());
            if own.protocols.len() == 1 {
                text.push_str(r#" && net.protocol == "http""#);
            }
            let priority = usize::try_from(own.priority).unwrap();
            oracle.add_matcher(priority, own.id, &text).unwrap();
        }
        for (request, text) in &requests {
            let fields = request.fields();
            let mut query = request.query(&fields);
            query.query = text.as_bytes();
            let found = router.find(&query);
            prop_assert_eq!(found, naive::find(&router, &query));
            let mut context = Context::new(&schema);
            fill(&mut context, &query, &fields);
            let expected = asked(&oracle, &mut context);
            let found = found.map(|found| (routes[found.route].id, length(&found)));
            prop_assert_eq!(found, expected, "{:?} {:?}", request, text);
        }
    }

    #[test]
    fn classic_routes_match_as_their_expressions_do(
        routes in vec(agreement::one_route(), 1..12),
        requests in vec(agreement::request(), 1..20),
    ) {
        let routes = with_own_ids(routes);
        let schema = schema();
        for flavor in [Flavor::TraditionalCompatible, Flavor::Expressions] {
            let router = compile(&routes, flavor);
            let mut oracle = Oracle::new(&schema);
            for entry in &router.base.entries {
                let OrderKey::Computed(std::cmp::Reverse((priority, id))) = &entry.key else {
                    unreachable!("computed in this flavor")
                };
                let own = &routes[entry.route as usize];
                let paths: Vec<&str> = classic::paths_of(&router, entry);
                let text = classic::expression(own, &paths, flavor);
                oracle.add_matcher(usize::try_from(*priority).unwrap(), *id, &text).unwrap();
            }
            for request in &requests {
                let fields = request.fields();
                let query = request.query(&fields);
                let mut context = Context::new(&schema);
                fill(&mut context, &query, &fields);
                let expected = asked(&oracle, &mut context).map(|(id, length)| {
                    let is_it = |entry: &&crate::entry::Entry| matches!(
                        &entry.key, OrderKey::Computed(key) if key.0.1 == id
                    );
                    let entry = router.base.entries.iter().find(is_it).unwrap();
                    (entry.route as usize, length)
                });
                let found = router.find(&query).map(|found| (found.route, length(&found)));
                prop_assert_eq!(found, expected, "{:?} {:?}", flavor, request);
            }
        }
    }
}

/// Classic routes written as expressions, as the reference does it.
mod classic {
    use entities::{AddressRule, Protocol, Route};

    use crate::{Flavor, Router, entry::Entry, entry::PathRule};

    pub(super) fn paths_of<'r>(router: &'r Router, entry: &'r Entry) -> Vec<&'r str> {
        let paths = entry.paths.iter().map(|path| match path {
            PathRule::Prefix(text) => std::str::from_utf8(text).unwrap(),
            PathRule::Pattern(number) => &router.base.patterns.list[*number].text,
        });
        paths.collect()
    }

    pub(super) fn expression(route: &Route, paths: &[&str], flavor: Flavor) -> String {
        let mut all = Vec::new();
        if !route.snis.is_empty() {
            let snis = any(route.snis.iter().map(|sni| name("tls.sni", sni)));
            all.push(format!(r#"(net.protocol != "https" || {snis})"#));
        }
        if !route.sources.is_empty() {
            all.push(any(route.sources.iter().map(source)));
        }
        if !route.methods.is_empty() {
            let methods = route.methods.iter();
            all.push(any(methods.map(|own| format!(r#"http.method == "{own}""#))));
        }
        if !route.hosts.is_empty() {
            all.push(any(route.hosts.iter().map(|host| {
                match host.split_once(':') {
                    Some((host, port)) => {
                        format!("({} && net.dst.port == {port})", name("http.host", host))
                    }
                    None => name("http.host", host),
                }
            })));
        }
        if !paths.is_empty() {
            all.push(any(paths.iter().map(|path| match path.starts_with('^') {
                true => format!("http.path ~ r#\"{}\"#", path.replace("(?<", "(?P<")),
                false => format!("http.path ^= \"{path}\""),
            })));
        }
        for (header, values) in &route.headers {
            let left = format!(
                "any(lower(http.headers.{}))",
                header.to_lowercase().replace('-', "_")
            );
            all.push(any(values.iter().map(|value| {
                match value.strip_prefix("~*") {
                    Some(pattern) => format!("{left} ~ r#\"{}\"#", pattern.to_lowercase()),
                    None => format!("{left} == \"{}\"", value.to_lowercase()),
                }
            })));
        }
        let is_only_tls = !route
            .protocols
            .iter()
            .any(|own| matches!(own, Protocol::Http | Protocol::Grpc));
        if !is_only_tls && route.protocols.len() == 1 {
            all.push(r#"(net.protocol == "http")"#.to_owned());
        }
        if flavor == Flavor::Expressions && route.protocols == [Protocol::Grpcs] {
            all.push(r#"(net.protocol == "https")"#.to_owned());
        }
        if all.is_empty() {
            // Never matches, and has no entry either.
            all.push(r#"!(http.path ^= "")"#.to_owned());
        }
        all.join(" && ")
    }

    fn any(parts: impl Iterator<Item = String>) -> String {
        format!("({})", parts.collect::<Vec<_>>().join(" || "))
    }

    fn name(field: &str, text: &str) -> String {
        if let Some(suffix) = text.strip_prefix('*') {
            format!(r#"{field} =^ "{suffix}""#)
        } else if let Some(prefix) = text.strip_suffix('*') {
            format!(r#"{field} ^= "{prefix}""#)
        } else {
            format!(r#"{field} == "{text}""#)
        }
    }

    fn source(rule: &AddressRule) -> String {
        let ip = rule.ip.as_deref().map(|ip| {
            let operator = if ip.contains('/') { "in" } else { "==" };
            format!("net.src.ip {operator} {ip}")
        });
        let port = rule.port.map(|port| format!("net.src.port == {port}"));
        let both: Vec<String> = ip.into_iter().chain(port).collect();
        match both.as_slice() {
            // A rule of neither holds always.
            [] => r#"http.path ^= """#.to_owned(),
            both => format!("({})", both.join(" && ")),
        }
    }
}
