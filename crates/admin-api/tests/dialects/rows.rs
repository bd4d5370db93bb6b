//! Every kind that can be written, how, and what it is told. Only data.

use serde_json::{Value, json};
use test_support::TestAuthority;

use super::fixture::certificate;
use super::table::{Before, Row, Said, merged};

const CERTIFICATE_ID: &str = "0195d6a4-0000-4000-8000-0000000000ce";
const CLIENT_ID: &str = "0195d6a4-0000-4000-8000-0000000000c1";
const SERVICE: Before = ("services", || json!({"name": "s", "host": "s.test"}));
const ROUTE: Before = ("routes", || json!({"name": "parent", "paths": ["/p"]}));
const CONSUMER: Before = ("consumers", || json!({"username": "ann"}));
const UPSTREAM: Before = ("upstreams", || json!({"name": "u.test"}));
const SET: Before = ("key-sets", || json!({"name": "parent"}));
const CERTIFICATE: Before = ("certificates", || {
    merged(certificate(), json!({"id": CERTIFICATE_ID}))
});
const CLIENT: Before = (
    "consumers/ann/oauth2",
    || json!({"id": CLIENT_ID, "name": "app", "redirect_uris": ["https://a.test/"]}),
);
const TAGS: (&str, fn() -> Value) = ("tags", || json!(["changed"]));
const JWK: &str = r#"{"kty":"RSA","kid":"k","n":"AQAB","e":"AQAB"}"#;
const MISSING: &str = "required field missing";
const NO_CERTIFICATE: Said = (
    "cert",
    "invalid certificate: x509.new: no certificate in the PEM text",
);
const BAD_NAME: Said = ("name", "invalid value: a b");
const BAD_TAG: Said = (
    "tags.0",
    "invalid tag 'a,b': expected printable ascii (except `,` and `/`) or valid utf-8 sequences",
);
const NO_KEY: &[Said] = &[
    (
        "",
        "at least one of these fields must be non-empty: 'jwk', 'pem'",
    ),
    ("kid", MISSING),
];
const BAD_JWK: Said = ("", "could not json decode jwk string");
const LUA: &str =
    "return {name = \"mine\", fields = {{config = {type = \"record\", fields = {}}}}}";
const NOT_TEXT: (fn() -> Value, &[Said]) =
    (|| json!({"name": 5}), &[("name", "expected a string")]);

const fn row(kind: &'static str, path: &'static str, body: fn() -> Value) -> Row {
    Row {
        kind,
        before: &[],
        path,
        list: path,
        core_list: None,
        is_in_core: true,
        body,
        key: None,
        change: TAGS,
        clash: &[],
        vary: |_| json!({}),
        empty: &[("name", MISSING)],
        wrong: NOT_TEXT,
        reference: None,
    }
}

/// A kind that is addressed by its name.
const fn named(kind: &'static str, path: &'static str, body: fn() -> Value) -> Row {
    Row {
        key: Some("name"),
        clash: &["name"],
        vary: |number| json!({"name": format!("other-{number}")}),
        ..row(kind, path, body)
    }
}

const fn route(path: &'static str, before: &'static [Before]) -> Row {
    Row {
        before,
        list: "routes",
        change: ("preserve_host", || json!(true)),
        empty: &[(
            "",
            "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is \
             'https'",
        )],
        wrong: (
            || json!({"paths": ["a"]}),
            &[(
                "paths.0",
                "should start with: / (fixed path) or ~/ (regex path)",
            )],
        ),
        reference: Some(("service", "services")),
        ..named("routes", path, || json!({"name": "r", "paths": ["/a"]}))
    }
}

const fn plugin(path: &'static str, before: &'static [Before]) -> Row {
    Row {
        before,
        list: "plugins",
        change: ("enabled", || json!(false)),
        clash: &["consumer", "name", "route", "service"],
        vary: |_| json!({"name": "correlation-id", "config": {}}),
        wrong: (
            || json!({"config": {"minute": 0}}),
            &[("config.minute", "value must be greater than 0")],
        ),
        ..row(
            "plugins",
            path,
            || json!({"name": "rate-limiting", "config": {"minute": 5}}),
        )
    }
}

const fn credential(
    (kind, path, list): (&'static str, &'static str, &'static str),
    clash: &'static [&'static str],
    body: fn() -> Value,
) -> Row {
    Row {
        before: &[CONSUMER],
        list,
        clash,
        empty: &[],
        wrong: (|| json!({"tags": ["a,b"]}), &[BAD_TAG]),
        ..row(kind, path, body)
    }
}

pub(crate) const ROWS: &[Row] = &[
    Row {
        change: ("port", || json!(8080)),
        empty: &[("host", MISSING)],
        wrong: (
            || json!({"port": 70000}),
            &[("port", "value should be between 0 and 65535")],
        ),
        ..named(
            "services",
            "services",
            || json!({"name": "a", "host": "a.test"}),
        )
    },
    route("routes", &[]),
    route("services/s/routes", &[SERVICE]),
    Row {
        key: Some("username"),
        change: ("custom_id", || json!("c-1")),
        clash: &["username"],
        vary: |number| json!({"username": format!("other-{number}")}),
        empty: &[(
            "",
            "at least one of these fields must be non-empty: 'custom_id', 'username'",
        )],
        wrong: (
            || json!({"custom_id": ""}),
            &[("custom_id", "length must be at least 1")],
        ),
        ..row("consumers", "consumers", || json!({"username": "bob"}))
    },
    named(
        "consumer_groups",
        "consumer_groups",
        || json!({"name": "gold"}),
    ),
    plugin("plugins", &[]),
    plugin("services/s/plugins", &[SERVICE]),
    plugin("routes/parent/plugins", &[ROUTE]),
    plugin("consumers/ann/plugins", &[CONSUMER]),
    Row {
        change: ("algorithm", || json!("least-connections")),
        wrong: (
            || json!({"slots": 9}),
            &[("slots", "value should be between 10 and 65536")],
        ),
        reference: Some(("client_certificate", "certificates")),
        ..named("upstreams", "upstreams", || json!({"name": "u.test"}))
    },
    Row {
        before: &[UPSTREAM],
        core_list: Some("targets"),
        key: Some("target"),
        change: ("weight", || json!(7)),
        clash: &["target", "upstream"],
        vary: |number| json!({"target": format!("10.0.0.{}:80", number + 2)}),
        empty: &[("target", MISSING)],
        wrong: (
            || json!({"weight": 65536}),
            &[("weight", "value should be between 0 and 65535")],
        ),
        ..row(
            "targets",
            "upstreams/u.test/targets",
            || json!({"target": "10.0.0.1:80"}),
        )
    },
    Row {
        empty: &[("cert", MISSING), ("key", MISSING)],
        wrong: (|| json!({"cert": "x"}), &[NO_CERTIFICATE]),
        ..row("certificates", "certificates", certificate)
    },
    Row {
        clash: &["cert_digest"],
        vary: |number| json!({"cert": authority(number)}),
        empty: &[("cert", MISSING)],
        wrong: (|| json!({"cert": "x"}), &[NO_CERTIFICATE]),
        ..row(
            "ca_certificates",
            "ca_certificates",
            || json!({"cert": authority(9)}),
        )
    },
    Row {
        before: &[CERTIFICATE],
        empty: &[("certificate", MISSING), ("name", MISSING)],
        wrong: (|| json!({"name": "a b"}), &[BAD_NAME]),
        reference: Some(("certificate", "certificates")),
        ..named(
            "snis",
            "snis",
            || json!({"name": "b.test", "certificate": {"id": CERTIFICATE_ID}}),
        )
    },
    Row {
        before: &[CERTIFICATE],
        list: "snis",
        wrong: (|| json!({"name": "a b"}), &[BAD_NAME]),
        ..named(
            "snis",
            "certificates/0195d6a4-0000-4000-8000-0000000000ce/snis",
            || json!({"name": "b.test"}),
        )
    },
    Row {
        key: Some("prefix"),
        change: ("description", || json!("other")),
        clash: &["prefix"],
        vary: |number| json!({"prefix": format!("other-{number}")}),
        wrong: (
            || json!({"name": "aws-like"}),
            &[("name", "vault 'aws-like' is not installed")],
        ),
        ..row(
            "vaults",
            "vaults",
            || json!({"prefix": "my-env", "name": "env"}),
        )
    },
    Row {
        empty: &[],
        ..named("key_sets", "key-sets", || json!({"name": "set"}))
    },
    Row {
        clash: &["kid", "set"],
        vary: other_key,
        empty: NO_KEY,
        wrong: (|| json!({"jwk": "x"}), &[BAD_JWK]),
        reference: Some(("set", "key_sets")),
        ..named(
            "keys",
            "keys",
            || json!({"name": "k", "kid": "k", "jwk": JWK}),
        )
    },
    Row {
        clash: &["kid", "set"],
        before: &[SET],
        list: "keys",
        vary: other_key,
        empty: NO_KEY,
        wrong: (|| json!({"jwk": "x"}), &[BAD_JWK]),
        ..named(
            "keys",
            "key-sets/parent/keys",
            || json!({"name": "k", "kid": "k", "jwk": JWK}),
        )
    },
    Row {
        empty: &[("config", MISSING), ("type", MISSING)],
        wrong: (
            || json!({"config": {"port": 70000}}),
            &[("config.port", "value should be between 0 and 65535")],
        ),
        ..named(
            "partials",
            "partials",
            || json!({"name": "p", "type": "redis-ce", "config": {"host": "r.test"}}),
        )
    },
    Row {
        vary: |number| {
            let name = format!("other-{number}");
            json!({"name": name, "schema": LUA.replace("mine", &name)})
        },
        empty: &[("handler", MISSING), ("name", MISSING), ("schema", MISSING)],
        wrong: (
            || json!({"schema": "return 1"}),
            &[("schema", "a description is a table")],
        ),
        ..named(
            "custom_plugins",
            "custom-plugins",
            || json!({"name": "mine", "schema": LUA, "handler": "return {}"}),
        )
    },
    Row {
        vary: |number| json!({"key": format!("other-{number}")}),
        ..credential(
            ("keyauth_credentials", "consumers/ann/key-auth", "key-auths"),
            &["key"],
            || json!({"key": "open sesame"}),
        )
    },
    Row {
        empty: &[("username", MISSING)],
        vary: |number| json!({"username": format!("other-{number}")}),
        ..credential(
            (
                "hmacauth_credentials",
                "consumers/ann/hmac-auth",
                "hmac-auths",
            ),
            &["username"],
            || json!({"username": "h", "secret": "s"}),
        )
    },
    Row {
        vary: |number| json!({"key": format!("other-{number}")}),
        ..credential(
            ("jwt_secrets", "consumers/ann/jwt", "jwts"),
            &["key"],
            || json!({"key": "j", "secret": "s"}),
        )
    },
    Row {
        empty: &[("password", MISSING), ("username", MISSING)],
        vary: |number| json!({"username": format!("other-{number}")}),
        ..credential(
            (
                "basicauth_credentials",
                "consumers/ann/basic-auth",
                "basic-auths",
            ),
            &["username"],
            || json!({"username": "b", "password": "p"}),
        )
    },
    Row {
        empty: &[("group", MISSING)],
        vary: |number| json!({"group": format!("other-{number}")}),
        ..credential(
            ("acls", "consumers/ann/acls", "acls"),
            &["consumer", "group"],
            || json!({"group": "staff"}),
        )
    },
    Row {
        empty: &[("subject_name", MISSING)],
        vary: |number| json!({"subject_name": format!("other-{number}")}),
        ..credential(
            (
                "mtls_auth_credentials",
                "consumers/ann/mtls-auth",
                "mtls-auths",
            ),
            &["ca_certificate", "subject_name"],
            || json!({"subject_name": "ann@a.test"}),
        )
    },
    Row {
        empty: &[("name", MISSING)],
        is_in_core: false,
        vary: |number| json!({"client_id": format!("other-{number}")}),
        ..credential(
            ("oauth2_credentials", "consumers/ann/oauth2", "oauth2"),
            &["client_id"],
            || json!({"name": "app", "client_id": "c", "redirect_uris": ["https://a.test/"]}),
        )
    },
    Row {
        before: &[CONSUMER, CLIENT],
        is_in_core: false,
        change: ("scope", || json!("email")),
        clash: &["access_token"],
        vary: |number| json!({"access_token": format!("other-{number}")}),
        empty: &[("credential", MISSING), ("expires_in", MISSING)],
        wrong: (
            || json!({"token_type": "mac"}),
            &[("token_type", "expected one of: bearer")],
        ),
        reference: Some(("credential", "oauth2_credentials")),
        ..row(
            "oauth2_tokens",
            "oauth2_tokens",
            || json!({"credential": {"id": CLIENT_ID}, "access_token": "t", "expires_in": 7200}),
        )
    },
    Row {
        before: &[SERVICE],
        list: "degraphql_routes",
        change: ("methods", || json!(["POST"])),
        vary: |number| json!({"uri": format!("/other/{number}")}),
        empty: &[("query", MISSING), ("uri", MISSING)],
        wrong: (|| json!({"uri": 5}), &[("uri", "expected a string")]),
        ..row(
            "degraphql_routes",
            "services/s/degraphql/routes",
            || json!({"uri": "/a", "query": "query { a }"}),
        )
    },
    Row {
        before: &[SERVICE],
        list: "graphql-rate-limiting-advanced/costs",
        change: ("add_constant", || json!(2)),
        vary: |number| json!({"type_path": format!("Query.other{number}")}),
        empty: &[("type_path", MISSING)],
        wrong: (
            || json!({"type_path": 5}),
            &[("type_path", "expected a string")],
        ),
        ..row(
            "graphql_ratelimiting_cost_decorations",
            "services/s/graphql-rate-limiting-advanced/costs",
            || json!({"type_path": "Query.a"}),
        )
    },
    Row {
        is_in_core: false,
        change: ("payload", || json!("{\"license\":2}")),
        clash: &["payload"],
        vary: |number| json!({"payload": format!("{{\"license\":1{number}}}")}),
        empty: &[("payload", MISSING)],
        wrong: (
            || json!({"payload": 5}),
            &[("payload", "expected a string")],
        ),
        ..row(
            "licenses",
            "licenses",
            || json!({"payload": "{\"license\":1}"}),
        )
    },
    Row {
        is_in_core: false,
        change: ("value", || json!("w")),
        clash: &["key"],
        vary: |number| json!({"key": format!("other-{number}")}),
        empty: &[],
        wrong: (|| json!({"key": 5}), &[("key", "expected a string")]),
        ..row(
            "acme_storage",
            "acme_storage",
            || json!({"key": "k", "value": "v"}),
        )
    },
    Row {
        is_in_core: false,
        change: ("data", || json!("e")),
        key: Some("session_id"),
        clash: &["session_id"],
        vary: |number| json!({"session_id": format!("other-{number}")}),
        empty: &[("session_id", MISSING)],
        wrong: (
            || json!({"expires": "x"}),
            &[("expires", "expected an integer")],
        ),
        ..row(
            "sessions",
            "sessions",
            || json!({"session_id": "i", "data": "d"}),
        )
    },
];

fn other_key(number: usize) -> Value {
    let name = format!("other-{number}");
    json!({"name": name, "kid": name, "jwk": JWK.replace("\"k\",\"n", &format!("\"{name}\",\"n"))})
}

/// The certificate of an authority; the same for the same number.
fn authority(number: usize) -> String {
    static MADE: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(|| {
        let make = |number| {
            TestAuthority::new(&format!("authority {number}"))
                .pem()
                .to_owned()
        };
        (0..10).map(make).collect()
    });
    MADE[number].clone()
}
