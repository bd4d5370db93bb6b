//! Configuration of `session`.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schema::{Field, Map, Schema, Shorthand};
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
