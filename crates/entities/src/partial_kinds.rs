//! The types of partials and what each may hold.
//!
//! Types whose members follow a provider (models, vectors) take any members: the plugin that uses
//! the part judges them.

use schema::{Field, Schema};
use serde_json::Value;

/// All types.
pub(crate) const NAMES: [&str; 5] = ["redis-ce", "redis-ee", "vectordb", "model", "embeddings"];

/// The members of a type's configuration: `Some(None)` takes any; `None` is no type.
pub(crate) fn config(name: &str) -> Option<Option<Schema>> {
    Some(match name {
        "redis-ce" => Some(simple_redis()),
        "redis-ee" => Some(redis()),
        "vectordb" | "model" | "embeddings" => None,
        _ => return None,
    })
}

/// Where most plugins have what the type configures.
pub(crate) fn usual_path(name: &str) -> &'static str {
    match name {
        "vectordb" => "config.vectordb",
        "embeddings" => "config.embeddings",
        "model" => "config.llm",
        _ => "config.redis",
    }
}

fn simple_redis() -> Schema {
    let host = Field::host("host").describe("Name or address of the server.");
    Schema::record([
        host,
        port(),
        Field::timeout("timeout")
            .default(2000)
            .describe("Milliseconds to connect, send and receive."),
        username(),
        password("password").len_min(0),
        Field::integer("database")
            .default(0)
            .describe("Number of the database."),
        Field::boolean("ssl")
            .optional()
            .default(false)
            .describe("Whether TLS is used."),
        Field::boolean("ssl_verify")
            .optional()
            .default(false)
            .describe("Whether the server's certificate is verified."),
        Field::sni("server_name")
            .optional()
            .describe("Server name for TLS."),
    ])
}

fn redis() -> Schema {
    Schema::record([
        Field::host("host")
            .default("127.0.0.1")
            .describe("Name or address of the server."),
        port(),
        milliseconds("connect_timeout").describe("Milliseconds to connect."),
        milliseconds("send_timeout").describe("Milliseconds between two writes."),
        milliseconds("read_timeout").describe("Milliseconds between two reads."),
        username(),
        password("password"),
        Field::integer("database")
            .default(0)
            .describe("Number of the database."),
        Field::integer("keepalive_pool_size")
            .default(256)
            .between(1, 2_147_483_646)
            .describe("Idle connections kept."),
        Field::integer("keepalive_backlog")
            .between(0, 2_147_483_646)
            .describe("Connections that may wait for a free one."),
        Field::boolean("ssl")
            .optional()
            .default(false)
            .describe("Whether TLS is used."),
        Field::boolean("ssl_verify")
            .optional()
            .default(false)
            .describe("Whether the server's certificate is verified."),
        Field::sni("server_name")
            .optional()
            .describe("Server name for TLS."),
        Field::boolean("connection_is_proxied")
            .default(false)
            .describe("Whether a proxy stands before the server."),
        Field::string("redis_proxy_type")
            .one_of(["envoy_v1.31"])
            .describe("The proxy before the server."),
    ])
    .fields(sentinels())
    .fields(cluster())
}

fn sentinels() -> [Field; 5] {
    let node = Schema::record([
        Field::host("host")
            .required()
            .default("127.0.0.1")
            .describe("Name or address of a sentinel."),
        port(),
    ]);
    [
        Field::string("sentinel_master").describe("Name of the master that sentinels watch."),
        Field::string("sentinel_username")
            .referenceable()
            .describe("User at the sentinels."),
        password("sentinel_password"),
        Field::string("sentinel_role")
            .one_of(["master", "slave", "any"])
            .describe("Which server of the set is used."),
        Field::array("sentinel_nodes", Field::record("", node))
            .len_min(1)
            .describe("The sentinels."),
    ]
}

fn cluster() -> [Field; 2] {
    let node = Schema::record([
        Field::host("ip")
            .required()
            .default("127.0.0.1")
            .describe("Name or address of a node of the cluster."),
        port(),
    ]);
    [
        Field::array("cluster_nodes", Field::record("", node))
            .len_min(1)
            .describe("Nodes of the cluster to start from."),
        Field::integer("cluster_max_redirections")
            .default(5)
            .describe("How many times a redirection is followed."),
    ]
}

fn port() -> Field {
    Field::port("port")
        .default(6379)
        .describe("Port of the server.")
}

fn milliseconds(name: &'static str) -> Field {
    Field::timeout(name).default(2000)
}

fn username() -> Field {
    Field::string("username")
        .referenceable()
        .describe("User for access lists.")
}

fn password(name: &'static str) -> Field {
    Field::string(name)
        .encrypted()
        .referenceable()
        .describe("Password.")
}

/// The published schema document of a type.
pub(crate) fn form(name: &str) -> Option<Value> {
    let config = config(name)?.unwrap_or_default();
    Some(
        Schema::new("")
            .field(Field::record("config", config).required())
            .admin_form(),
    )
}
