//! Configuration of `session`.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schema::{DecodeError, Field, Map, Reader, Schema, Shorthand};
use serde_json::json;

/// What may be told about a session.
const FACTS: [&str; 7] = [
    "id",
    "audience",
    "subject",
    "timeout",
    "idling-timeout",
    "rolling-timeout",
    "absolute-timeout",
];

/// Describes the configuration record.
pub(super) fn schema() -> Schema {
    old_names().into_iter().fold(
        Schema::new("session")
            .fields(lifetime())
            .fields(cookie())
            .fields(remembering())
            .fields(telling()),
        Schema::shorthand,
    )
}

fn lifetime() -> [Field; 7] {
    [
        Field::string("secret")
            .optional()
            .encrypted()
            .referenceable()
            .default(made_up_secret())
            .describe("Secret the cookie is sealed with; made up at start unless set."),
        Field::string("storage")
            .one_of(["cookie", "kong"])
            .default("cookie")
            .describe("Where sessions are kept: in the cookie or in the database."),
        Field::string("audience")
            .default("default")
            .describe("Which application the session is for."),
        Field::number("idling_timeout")
            .default(900)
            .describe("Seconds without a request after which a session ends."),
        Field::number("rolling_timeout")
            .default(3600)
            .describe("Seconds after which a session must be renewed."),
        Field::number("absolute_timeout")
            .default(86_400)
            .describe("Seconds after which a session ends in any case."),
        Field::number("stale_ttl")
            .default(10)
            .describe("Seconds a renewed session's old cookie is still good."),
    ]
}

fn cookie() -> [Field; 6] {
    [
        Field::string("cookie_name")
            .default("session")
            .describe("Name of the cookie."),
        Field::string("cookie_path")
            .default("/")
            .describe("Path of the cookie."),
        Field::string("cookie_domain").describe("Domain of the cookie."),
        Field::string("cookie_same_site")
            .one_of(["Strict", "Lax", "None", "Default"])
            .default("Strict")
            .describe("Whether other sites' requests carry the cookie."),
        Field::boolean("cookie_http_only")
            .default(true)
            .describe("Whether scripts cannot read the cookie."),
        Field::boolean("cookie_secure")
            .default(true)
            .describe("Whether the cookie goes over TLS only."),
    ]
}

fn remembering() -> [Field; 4] {
    [
        Field::boolean("remember")
            .default(false)
            .describe("Whether sessions outlive the browser."),
        Field::string("remember_cookie_name")
            .default("remember")
            .describe("Name of the cookie of such sessions."),
        Field::number("remember_rolling_timeout")
            .default(604_800)
            .describe("Seconds after which such a session must be renewed."),
        Field::number("remember_absolute_timeout")
            .default(2_592_000)
            .describe("Seconds after which such a session ends in any case."),
    ]
}

fn telling() -> [Field; 6] {
    [
        Field::set("response_headers", Field::string("").one_of(FACTS))
            .describe("Facts about the session told to the client."),
        Field::set("request_headers", Field::string("").one_of(FACTS))
            .describe("Facts about the session told to the service."),
        Field::boolean("read_body_for_logout")
            .default(false)
            .describe("Whether the body is searched for the wish to sign out."),
        Field::set(
            "logout_methods",
            Field::string("").one_of(["GET", "POST", "DELETE"]),
        )
        .default(json!(["POST", "DELETE"]))
        .describe("Methods by which a caller may sign out."),
        Field::string("logout_query_arg")
            .default("session_logout")
            .describe("Query parameter by which a caller signs out."),
        Field::string("logout_post_arg")
            .default("session_logout")
            .describe("Member of the body by which a caller signs out."),
    ]
}

/// Compat: the secret of an instance that names none is made when the program starts.
fn made_up_secret() -> &'static str {
    static SECRET: LazyLock<String> =
        LazyLock::new(|| STANDARD.encode(clock::random_bytes::<32>()));
    &SECRET
}

fn old_names() -> [Shorthand; 7] {
    [
        Shorthand::expands(
            Field::number("cookie_lifetime").describe("Old name of `rolling_timeout`."),
            |value| renamed("rolling_timeout", value),
        ),
        Shorthand::expands(
            Field::number("cookie_idletime").describe("Old name of `idling_timeout`."),
            |value| renamed("idling_timeout", value),
        ),
        Shorthand::expands(
            Field::number("cookie_renew").describe("Old setting without effect."),
            |_| Map::new(),
        ),
        Shorthand::expands(
            Field::number("cookie_discard").describe("Old name of `stale_ttl`."),
            |value| renamed("stale_ttl", value),
        ),
        Shorthand::expands(
            Field::string("cookie_samesite").describe("Old name of `cookie_same_site`."),
            |value| renamed("cookie_same_site", value),
        ),
        Shorthand::expands(
            Field::boolean("cookie_httponly").describe("Old name of `cookie_http_only`."),
            |value| renamed("cookie_http_only", value),
        ),
        Shorthand::expands(
            Field::boolean("cookie_persistent").describe("Old name of `remember`."),
            |value| renamed("remember", value),
        ),
    ]
}

fn renamed(name: &str, value: &serde_json::Value) -> Map {
    Map::from_iter([(name.to_owned(), value.clone())])
}

/// What is told of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// Its id.
    Id,
    /// The application it is for.
    Audience,
    /// Whose it is.
    Subject,
    /// Seconds until it ends.
    Timeout,
    /// Seconds until it ends unless it is used.
    IdlingTimeout,
    /// Seconds until it must be renewed.
    RollingTimeout,
    /// Seconds until it ends in any case.
    AbsoluteTimeout,
}

impl Fact {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "id" => Self::Id,
            "audience" => Self::Audience,
            "subject" => Self::Subject,
            "timeout" => Self::Timeout,
            "idling-timeout" => Self::IdlingTimeout,
            "rolling-timeout" => Self::RollingTimeout,
            "absolute-timeout" => Self::AbsoluteTimeout,
            _ => return None,
        })
    }

    /// The header that tells it.
    pub(super) const fn header(self) -> &'static str {
        match self {
            Self::Id => "Session-Id",
            Self::Audience => "Session-Audience",
            Self::Subject => "Session-Subject",
            Self::Timeout => "Session-Timeout",
            Self::IdlingTimeout => "Session-Idling-Timeout",
            Self::RollingTimeout => "Session-Rolling-Timeout",
            Self::AbsoluteTimeout => "Session-Absolute-Timeout",
        }
    }
}

/// What an instance is told. Times are seconds; zero is no limit.
pub(super) struct Config {
    /// Secret the cookie is sealed with.
    pub(super) secret: String,
    /// Whether sessions are kept in the database.
    pub(super) is_kept: bool,
    /// Which application the session is for.
    pub(super) audience: String,
    /// After which a session that is not used ends.
    pub(super) idling: u64,
    /// After which a session must be renewed.
    pub(super) rolling: u64,
    /// After which a session ends in any case.
    pub(super) absolute: u64,
    /// How long the cookie of a renewed session is still good.
    pub(super) stale: u64,
    /// Name of the cookie.
    pub(super) cookie_name: String,
    /// Path of the cookie.
    pub(super) cookie_path: String,
    /// Domain of the cookie.
    pub(super) cookie_domain: Option<String>,
    /// Whether other sites' requests carry the cookie.
    pub(super) same_site: String,
    /// Whether scripts cannot read the cookie.
    pub(super) is_http_only: bool,
    /// Whether the cookie goes over TLS only.
    pub(super) is_secure: bool,
    /// Whether sessions outlive the browser.
    pub(super) remembers: bool,
    /// Name of the cookie of such sessions.
    pub(super) remember_name: String,
    /// After which such a session must be renewed.
    pub(super) remember_rolling: u64,
    /// After which such a session ends in any case.
    pub(super) remember_absolute: u64,
    /// What the client is told.
    pub(super) response_facts: Vec<Fact>,
    /// What the service is told.
    pub(super) request_facts: Vec<Fact>,
    /// Whether the body is searched for the wish to sign out.
    pub(super) reads_body: bool,
    /// Methods by which a caller may sign out.
    pub(super) logout_methods: Vec<String>,
    /// Query parameter by which a caller signs out.
    pub(super) logout_query: String,
    /// Member of the body by which a caller signs out.
    pub(super) logout_post: String,
}

impl TryFrom<&serde_json::Map<String, serde_json::Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &serde_json::Map<String, serde_json::Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let text = |name, default: &str| {
            let text = read.text(name)?;
            Ok::<_, DecodeError>(text.unwrap_or_else(|| default.to_owned()))
        };
        let seconds = |name, default: f64| {
            let number = read.number(name)?.unwrap_or(default);
            let whole = std::time::Duration::try_from_secs_f64(number.max(0.0));
            Ok::<_, DecodeError>(whole.map_or(u64::MAX, |whole| whole.as_secs()))
        };
        let flag = |name, default| Ok::<_, DecodeError>(read.boolean(name)?.unwrap_or(default));
        let facts = |name| {
            let names = read.texts(name)?;
            let facts = names.iter().filter_map(|name| Fact::named(name));
            Ok::<Vec<Fact>, DecodeError>(facts.collect())
        };
        Ok(Self {
            secret: read.required_text("secret")?,
            is_kept: text("storage", "cookie")? == "kong",
            audience: text("audience", "default")?,
            idling: seconds("idling_timeout", 900.0)?,
            rolling: seconds("rolling_timeout", 3600.0)?,
            absolute: seconds("absolute_timeout", 86_400.0)?,
            stale: seconds("stale_ttl", 10.0)?,
            cookie_name: text("cookie_name", "session")?,
            cookie_path: text("cookie_path", "/")?,
            cookie_domain: read.text("cookie_domain")?,
            same_site: text("cookie_same_site", "Strict")?,
            is_http_only: flag("cookie_http_only", true)?,
            is_secure: flag("cookie_secure", true)?,
            remembers: flag("remember", false)?,
            remember_name: text("remember_cookie_name", "remember")?,
            remember_rolling: seconds("remember_rolling_timeout", 604_800.0)?,
            remember_absolute: seconds("remember_absolute_timeout", 2_592_000.0)?,
            response_facts: facts("response_headers")?,
            request_facts: facts("request_headers")?,
            reads_body: flag("read_body_for_logout", false)?,
            logout_methods: read.texts("logout_methods")?,
            logout_query: text("logout_query_arg", "session_logout")?,
            logout_post: text("logout_post_arg", "session_logout")?,
        })
    }
}
