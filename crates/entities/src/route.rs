//! Routes: which requests go to which service.

use schema::{
    Check, Condition, DecodeError, Field, Map, Pattern, Reader, Rule, Schema, validators,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::kind::EntityKind;
use crate::protocol::Protocol;
use crate::reading;
use crate::route_rules as rules;

/// A route as the data path sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Id.
    pub id: Uuid,
    /// Name, unique.
    pub name: Option<String>,
    /// Protocols it answers to.
    pub protocols: Vec<Protocol>,
    /// Methods; empty means any.
    pub methods: Vec<String>,
    /// Hosts, with a wildcard label or a port; empty means any.
    pub hosts: Vec<String>,
    /// Path prefixes, or regular expressions after `~`; empty means any.
    pub paths: Vec<String>,
    /// Headers and their accepted values, in the order of the document.
    pub headers: Vec<(String, Vec<String>)>,
    /// Server names of TLS; empty means any.
    pub snis: Vec<String>,
    /// Client addresses; empty means any.
    pub sources: Vec<AddressRule>,
    /// Local addresses; empty means any.
    pub destinations: Vec<AddressRule>,
    /// Answer to cleartext requests of a route that is https only; 426 or a redirect.
    pub https_redirect_status_code: u16,
    /// Order among regular expressions, higher first.
    pub regex_priority: i64,
    /// What it matches, in the language of expressions; only in the flavor `expressions`.
    pub expression: Option<String>,
    /// Order among routes with an expression, higher first.
    pub priority: u64,
    /// Whether the matched prefix is cut from the path.
    pub strip_path: bool,
    /// How service path and request path are joined.
    pub path_handling: PathHandling,
    /// Whether the client's Host goes upstream.
    pub preserve_host: bool,
    /// Whether the request body is read before the service is asked.
    pub request_buffering: bool,
    /// Whether the response body is buffered.
    pub response_buffering: bool,
    /// The service.
    pub service: Option<Uuid>,
    /// Seconds since 1970; older routes win ties.
    pub created_at: u64,
    /// Tags.
    pub tags: Vec<String>,
}

/// An address, a block or a port that a connection may come from or go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressRule {
    /// Address or CIDR block.
    pub ip: Option<String>,
    /// Port.
    pub port: Option<u16>,
}

/// How service path and request path are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathHandling {
    /// Joined with exactly one slash.
    #[default]
    V0,
    /// Concatenated.
    V1,
}

/// What a route is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("routes", "route", "routes", describe());
    kind.endpoint_key = Some("name");
    kind.nested = Some(("services", "routes"));
    kind
}

/// What the members mean.
const MEANINGS: [(&str, &str); 21] = [
    ("name", "Name, by which paths and files address the route."),
    ("protocols", "How clients must speak."),
    (
        "https_redirect_status_code",
        "What plain HTTP gets from a route that is HTTPS only.",
    ),
    (
        "strip_path",
        "Whether the matched prefix is cut off before the service sees the path.",
    ),
    (
        "preserve_host",
        "Whether the service sees the Host of the client instead of its own.",
    ),
    (
        "request_buffering",
        "Whether the body of a request is read before the service is asked.",
    ),
    (
        "response_buffering",
        "Whether the body of an answer is read before the client gets it.",
    ),
    (
        "service",
        "Where requests go; none needs a plugin that answers.",
    ),
    ("snis", "Server names of TLS that match; none matches all."),
    ("sources", "Where connections may come from; streams only."),
    ("sources.ip", "Address or CIDR block."),
    ("sources.port", "Port."),
    ("destinations", "Where connections may go to; streams only."),
    ("destinations.ip", "Address or CIDR block."),
    ("destinations.port", "Port."),
    (
        "methods",
        "Methods that match, in capitals; none matches all.",
    ),
    (
        "hosts",
        "Hosts that match, with `*` for the first or the last label and a port or none; none matches all.",
    ),
    (
        "paths",
        "Prefixes that match, or regular expressions after `~`; none matches all.",
    ),
    (
        "headers",
        "Headers that must have one of these values; `~*` begins a regular expression.",
    ),
    (
        "regex_priority",
        "Which of several regular expressions is tried first: the higher.",
    ),
    (
        "path_handling",
        "How the path of the service and that of the request are joined.",
    ),
];

/// What the members of the flavor `expressions` mean.
const MEANINGS_OF_EXPRESSIONS: [(&str, &str); 2] = [
    (
        "expression",
        "What matches, in the language of expressions; none leaves it to the other fields.",
    ),
    (
        "priority",
        "Which of several expressions is tried first: the higher.",
    ),
];

/// What a route is on a node of the router flavor `expressions`: it may have an expression.
pub(crate) fn kind_with_expressions() -> EntityKind {
    let mut kind = kind();
    kind.schema = fields()
        .field(Field::string("expression"))
        .field(
            Field::integer("priority")
                .required()
                .default(0)
                .between(0.0, PRIORITY_MAX),
        )
        .check(snis_need_tls())
        .check(rules::path_handling())
        .check(rules::by_protocol_or_expression())
        .describe(&MEANINGS)
        .describe(&MEANINGS_OF_EXPRESSIONS);
    kind
}

/// Greatest priority of an expression: 46 bits.
const PRIORITY_MAX: f64 = 70_368_744_177_663.0;

fn describe() -> Schema {
    fields()
        .check(snis_need_tls())
        .check(rules::path_handling())
        .check(rules::by_protocol())
        .describe(&MEANINGS)
}

fn fields() -> Schema {
    Schema::new("routes")
        .field(Field::id())
        .field(Field::created_at())
        .field(Field::updated_at())
        .field(Field::string("name").utf8_name().unique())
        .field(protocols())
        .field(
            Field::integer("https_redirect_status_code")
                .required()
                .default(426)
                .one_of([426, 301, 302, 307, 308]),
        )
        .field(Field::boolean("strip_path").required().default(true))
        .field(Field::boolean("preserve_host").required().default(false))
        .field(Field::boolean("request_buffering").required().default(true))
        .field(
            Field::boolean("response_buffering")
                .required()
                .default(true),
        )
        .field(Field::tags())
        .field(Field::foreign("service", "services"))
        .field(Field::set(
            "snis",
            Field::string("").custom("wildcard_host", validators::wildcard_host),
        ))
        .field(Field::set("sources", address()))
        .field(Field::set("destinations", address()))
        .field(Field::set(
            "methods",
            Field::string("").matches(Pattern::new("^%u+$", "^[A-Z]+$")),
        ))
        .field(Field::array("hosts", host()))
        .field(Field::array("paths", path()))
        .field(headers())
        .field(Field::integer("regex_priority").default(0))
        .field(
            Field::string("path_handling")
                .default("v0")
                .one_of(["v0", "v1"]),
        )
}

fn protocols() -> Field {
    Field::set("protocols", Field::string("").one_of(Protocol::NAMES))
        .required()
        .len_min(1)
        .exclusive_subsets(&[
            &["http", "https"],
            &["tcp", "tls", "udp"],
            &["tls_passthrough"],
            &["grpc", "grpcs"],
        ])
        .default(json!(["http", "https"]))
}

fn address() -> Field {
    let fields = [
        Field::string("ip").custom("ip_or_cidr", validators::ip_or_cidr),
        Field::port("port"),
    ];
    Field::record(
        "",
        Schema::record(fields).check(Check::AtLeastOneOf(vec!["ip", "port"])),
    )
}

fn host() -> Field {
    Field::string("")
        .one_wildcard()
        .custom("host_with_wildcard", validators::host_with_wildcard)
}

fn path() -> Field {
    Field::string("")
        .match_any(
            [Pattern::new("^/", "^/"), Pattern::new("^~/", "^~/")],
            "should start with: / (fixed path) or ~/ (regex path)",
        )
        .match_none([(Pattern::new("//", "//"), "must not have empty segments")])
        .custom("router_path", validators::router_path)
}

fn headers() -> Field {
    let keys = Field::header_name("").match_none([(
        Pattern::new("^[Hh][Oo][Ss][Tt]$", "^[Hh][Oo][Ss][Tt]$"),
        "cannot contain 'host' header, which must be specified in the 'hosts' attribute",
    )]);
    Field::map("headers", keys, Field::array("", Field::string("")))
}

fn snis_need_tls() -> Check {
    let secure = ["grpcs", "https", "tls", "tls_passthrough"];
    let none_secure = Rule::NotOneOf(secure.into_iter().map(Value::from).collect());
    Check::conditional(
        "protocols",
        Condition::elements(none_secure),
        "snis",
        Condition::rule(Rule::LenEq(0)),
    )
    .with_err(
        "'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or 'tls_passthrough'",
    )
}

impl TryFrom<&Map> for Route {
    type Error = DecodeError;

    fn try_from(body: &Map) -> Result<Self, DecodeError> {
        let read = Reader::new("routes", body);
        let handling = match read.text("path_handling")?.as_deref() {
            Some("v1") => PathHandling::V1,
            _ => PathHandling::V0,
        };
        Ok(Self {
            id: reading::id(&read)?,
            name: read.text("name")?,
            protocols: reading::protocols(&read, "protocols")?
                .unwrap_or_else(|| vec![Protocol::Http, Protocol::Https]),
            methods: read.texts("methods")?,
            hosts: read.texts("hosts")?,
            paths: read.texts("paths")?,
            headers: reading::text_lists(&read, "headers")?,
            snis: read.texts("snis")?,
            sources: addresses(&read, "sources")?,
            destinations: addresses(&read, "destinations")?,
            https_redirect_status_code: read.integer("https_redirect_status_code")?.unwrap_or(426),
            regex_priority: read.integer("regex_priority")?.unwrap_or(0),
            expression: read.text("expression")?,
            priority: read.integer("priority")?.unwrap_or(0),
            strip_path: read.boolean("strip_path")?.unwrap_or(true),
            path_handling: handling,
            preserve_host: read.boolean("preserve_host")?.unwrap_or(false),
            request_buffering: read.boolean("request_buffering")?.unwrap_or(true),
            response_buffering: read.boolean("response_buffering")?.unwrap_or(true),
            service: reading::foreign(&read, "service")?,
            created_at: read.integer("created_at")?.unwrap_or(0),
            tags: read.texts("tags")?,
        })
    }
}

fn addresses(read: &Reader<'_>, field: &'static str) -> Result<Vec<AddressRule>, DecodeError> {
    read.list(field)?
        .iter()
        .map(|item| {
            let members = item
                .as_object()
                .ok_or_else(|| read.error(field, "a set of records"))?;
            let inner = Reader::new("routes", members);
            Ok(AddressRule {
                ip: inner.text("ip")?,
                port: inner.integer("port")?,
            })
        })
        .collect()
}
