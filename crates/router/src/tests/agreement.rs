//! The index against the scan, on routes and requests made at random from a small vocabulary, so that conditions
//! meet often.

use entities::{AddressRule, Protocol, Route};
use proptest::{
    collection::vec,
    option::{self, weighted},
    prelude::{ProptestConfig, Strategy, any, proptest},
    prop_assert_eq,
    sample::{select, subsequence},
};
use uuid::Uuid;

use super::{Fields, compile, naive, query, route, strings};
use crate::{Flavor, Scheme};

const HOSTS: &[&str] = &[
    "a.test",
    "b.a.test",
    "*.a.test",
    "*.test",
    "a.*",
    "b.a.*",
    "a.test:80",
    "*.a.test:81",
    "a.*:81",
    "a.test:81",
];
const REQUEST_HOSTS: &[&str] = &[
    "a.test",
    "b.a.test",
    "c.b.a.test",
    "a.",
    ".a.test",
    "b.test",
    "a.test:81",
    "b.a.test:80",
    "",
];
const PATHS: &[&str] = &[
    "/",
    "/a",
    "/ab",
    "/a/",
    "/a/b",
    "/a/bc",
    "/a/b/c/d",
    "/b",
    "/é",
    "~/a",
    "~/a/b$",
    "~/(a|b)/c?",
    "~/a/(?<x>[^/]+)/",
    "~/[a-z]+$",
    "~/b|/a",
    "~/a/b",
    "~/.*c",
];
const REQUEST_PATHS: &[&str] = &[
    "/",
    "/a",
    "/ab",
    "/abc",
    "/a/b",
    "/a/bc",
    "/a/b/",
    "/a/b/c/d/e",
    "/b",
    "/b/c",
    "/c",
    "/é/x",
    "/zz",
    "/x/a",
];
const METHODS: &[&str] = &["GET", "POST", "PUT"];
const VALUES: &[&[&str]] = &[&["1"], &["1", "2"], &["~*^[12]$"], &["X"]];
const PROTOCOLS: &[&[Protocol]] = &[
    &[Protocol::Http, Protocol::Https],
    &[Protocol::Http],
    &[Protocol::Https],
    &[Protocol::Grpc],
    &[Protocol::Grpcs],
];
const NAMES: &[&str] = &["a.test", "*.test", "b.*", "c.test"];

fn hosts() -> impl Strategy<Value = Vec<String>> {
    option_list(HOSTS)
}

fn option_list(all: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    weighted(0.5, subsequence(all, 1..=3)).prop_map(|list| strings(&list.unwrap_or_default()))
}

fn headers() -> impl Strategy<Value = Vec<(String, Vec<String>)>> {
    let values = select(VALUES).prop_map(strings);
    let one = (select(&["x-a", "X-B", "x-c"]), values);
    weighted(0.4, vec(one, 1..3)).prop_map(|list| {
        let mut list = list.unwrap_or_default();
        list.sort();
        list.dedup_by(|a, b| a.0 == b.0);
        list.into_iter()
            .map(|(name, values)| (name.to_owned(), values))
            .collect()
    })
}

fn protocols() -> impl Strategy<Value = Vec<Protocol>> {
    select(PROTOCOLS).prop_map(<[_]>::to_vec)
}

fn sources() -> impl Strategy<Value = Vec<AddressRule>> {
    let rule = (
        option::of(select(&["10.0.0.0/8", "127.0.0.1"])),
        option::of(40000_u16..40002),
    );
    let rule = rule.prop_map(|(ip, port)| AddressRule {
        ip: ip.map(str::to_owned),
        port,
    });
    weighted(0.1, vec(rule, 1..3)).prop_map(Option::unwrap_or_default)
}

pub(crate) fn one_route() -> impl Strategy<Value = Route> {
    let conditions = (
        hosts(),
        option_list(PATHS),
        option_list(METHODS),
        headers(),
        option_list(NAMES),
    );
    let order = (any::<u8>(), 0_u64..4, -2_i64..6, protocols(), sources());
    (conditions, order).prop_map(|((hosts, paths, methods, headers, snis), order)| {
        let (id, created_at, regex_priority, protocols, sources) = order;
        let mut route = route(created_at);
        route.id = Uuid::from_u128(u128::from(id) << 120);
        route.hosts = hosts;
        route.paths = paths;
        route.methods = methods;
        route.headers = headers;
        route.snis = if protocols.contains(&Protocol::Https) {
            snis
        } else {
            Vec::new()
        };
        route.regex_priority = regex_priority;
        route.protocols = protocols;
        route.sources = sources;
        route
    })
}

#[derive(Debug, Clone)]
pub(crate) struct Request {
    host: &'static str,
    path: &'static str,
    method: &'static str,
    fields: Vec<(String, String)>,
    is_tls: bool,
    sni: Option<&'static str>,
    source_port: u16,
}

pub(crate) fn request() -> impl Strategy<Value = Request> {
    let field = (
        select(&["x-a", "X-A", "x-b"]),
        select(&["1", "2", "x", "3"]),
    );
    let fields = vec(field, 0..3).prop_map(|list| {
        list.into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    });
    let sni = option::of(select(&["a.test", "b.test", "c.test"]));
    (
        (
            select(REQUEST_HOSTS),
            select(REQUEST_PATHS),
            select(&["GET", "POST", "PATCH"]),
        ),
        fields,
        any::<bool>(),
        sni,
        40000_u16..40002,
    )
        .prop_map(
            |((host, path, method), fields, is_tls, sni, source_port)| Request {
                host,
                path,
                method,
                fields,
                is_tls,
                sni,
                source_port,
            },
        )
}

impl Request {
    /// The question it is, with these header fields.
    pub(crate) fn query<'a>(&'a self, fields: &'a Fields) -> crate::Query<'a> {
        let mut query = query(self.host, self.path, fields);
        query.method = self.method.as_bytes();
        query.source.1 = self.source_port;
        query.destination.1 = 80;
        if self.is_tls {
            query.scheme = Scheme::Https;
            query.sni = self.sni;
        }
        query
    }

    /// Its header fields.
    pub(crate) fn fields(&self) -> Fields {
        Fields(self.fields.clone())
    }
}

fn config() -> ProptestConfig {
    // No file of failures: the cases are made from a small vocabulary and shrink well.
    ProptestConfig {
        cases: 600,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn index_and_scan_choose_the_same_route(
        routes in vec(one_route(), 1..24),
        requests in vec(request(), 1..40),
    ) {
        for flavor in [
            Flavor::Traditional,
            Flavor::TraditionalCompatible,
            Flavor::Expressions,
        ] {
            let router = compile(&routes, flavor);
            for request in &requests {
                let fields = request.fields();
                let query = request.query(&fields);
                prop_assert_eq!(
                    router.find(&query),
                    naive::find(&router, &query),
                    "{:?} {:?}", flavor, request
                );
            }
        }
    }

    #[test]
    fn many_routes_that_differ_in_header_fields_alone_are_told_apart(
        routes in vec((headers(), one_route()), 30..60),
        requests in vec(request(), 1..20),
    ) {
        let routes: Vec<Route> = routes.into_iter().map(|(headers, mut route)| {
            route.headers = headers;
            route.hosts.clear();
            route.paths = strings(&["/"]);
            route
        }).collect();
        for flavor in [
            Flavor::Traditional,
            Flavor::TraditionalCompatible,
            Flavor::Expressions,
        ] {
            let router = compile(&routes, flavor);
            for request in &requests {
                let fields = Fields(request.fields.clone());
                let mut query = query(request.host, request.path, &fields);
                query.method = request.method.as_bytes();
                prop_assert_eq!(router.find(&query), naive::find(&router, &query));
            }
        }
    }

    #[test]
    fn many_prefixes_are_found_by_their_longest(
        lengths in vec(0_usize..60, 1..40),
        asked in vec(0_usize..70, 1..20),
        letters in vec(select(&['a', 'b']), 70),
    ) {
        let text: String = letters.iter().collect();
        let routes: Vec<Route> = (0..).zip(&lengths).map(|(number, length)| {
            let mut route = route(number);
            route.paths = vec![format!("/{}", &text[..*length])];
            route
        }).collect();
        let router = compile(&routes, Flavor::TraditionalCompatible);
        for length in asked {
            let path = format!("/{}", &text[..length]);
            let found = router.find(&query("h", &path, &())).map(|found| found.stripped_len());
            let longest = lengths.iter().filter(|own| **own <= length).max().map(|own| own + 1);
            prop_assert_eq!(found, longest);
        }
    }
}
