//! How Redis is reached: the records that partials hold and that plugins repeat.
//!
//! Describes only; nothing here connects.

use schema::{Field, Schema};

/// One server, as plugins of the open-source line and partials of type `redis-ce` name it. The
/// reference's plugins call this record `redis`.
#[must_use]
pub fn simple_redis() -> Schema {
    Schema::record([
        Field::host("host").describe("Name or address of the server."),
        port(),
        Field::timeout("timeout")
            .default(2000)
            .describe("Milliseconds to connect, send and receive."),
        username(),
        password("password").len_min(0),
        database(),
    ])
    .fields(tls())
}

/// A server, a set watched by sentinels, or a cluster: what partials of type `redis-ee` hold.
pub(crate) fn redis() -> Schema {
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
        database(),
        Field::integer("keepalive_pool_size")
            .default(256)
            .between(1, 2_147_483_646)
            .describe("Idle connections kept."),
        Field::integer("keepalive_backlog")
            .between(0, 2_147_483_646)
            .describe("Connections that may wait for a free one."),
    ])
    .fields(tls())
    .fields(proxy())
    .fields(sentinels())
    .fields(cluster())
}

fn proxy() -> [Field; 2] {
    [
        Field::boolean("connection_is_proxied")
            .default(false)
            .describe("Whether a proxy stands before the server."),
        Field::string("redis_proxy_type")
            .one_of(["envoy_v1.31"])
            .describe("The proxy before the server."),
    ]
}

fn sentinels() -> [Field; 5] {
    [
        Field::string("sentinel_master").describe("Name of the master that sentinels watch."),
        Field::string("sentinel_username")
            .referenceable()
            .describe("User at the sentinels."),
        password("sentinel_password"),
        Field::string("sentinel_role")
            .one_of(["master", "slave", "any"])
            .describe("Which server of the set is used."),
        members("sentinel_nodes", "host", "Name or address of a sentinel.")
            .describe("The sentinels."),
    ]
}

fn cluster() -> [Field; 2] {
    [
        members(
            "cluster_nodes",
            "ip",
            "Name or address of a node of the cluster.",
        )
        .describe("Nodes of the cluster to start from."),
        Field::integer("cluster_max_redirections")
            .default(5)
            .describe("How many times a redirection is followed."),
    ]
}

/// A list of servers, whose address stands in the member `address`.
fn members(name: &'static str, address: &'static str, meaning: &'static str) -> Field {
    let server = Schema::record([
        Field::host(address)
            .required()
            .default("127.0.0.1")
            .describe(meaning),
        port(),
    ]);
    Field::array(name, Field::record("", server)).len_min(1)
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

fn database() -> Field {
    Field::integer("database")
        .default(0)
        .describe("Number of the database.")
}

fn tls() -> [Field; 3] {
    [
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
    ]
}
