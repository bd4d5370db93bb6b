//! Listeners, TLS and headers.

use super::{Property, array, boolean, choice, number, string};

const SUITES: &[&str] = &["modern", "intermediate", "old", "fips", "custom"];
const TYPES: &[&str] = &[
    "text/plain",
    "text/html",
    "application/json",
    "application/xml",
];
const NO_DAEMON: &str = "Gatehouse stays in the foreground; let the service manager do this";

pub(super) const PROPERTIES: &[Property] = &[
    array(
        "proxy_listen",
        "0.0.0.0:8000 reuseport backlog=16384, 0.0.0.0:8443 http2 ssl reuseport backlog=16384",
        "Listeners of the proxy.",
    )
    .acted(),
    array("stream_listen", "off", "Listeners of layer 4.").acted(),
    array(
        "admin_listen",
        "127.0.0.1:8001 reuseport backlog=16384, 127.0.0.1:8444 http2 ssl reuseport backlog=16384",
        "Listeners of the Admin API.",
    )
    .acted(),
    array(
        "status_listen",
        "127.0.0.1:8007 reuseport backlog=16384",
        "Listeners of the status API.",
    )
    .acted(),
    string("nginx_user", "kong kong", "User and group of the workers.").never(NO_DAEMON),
    string(
        "nginx_worker_processes",
        "auto",
        "Number of threads that carry traffic; `auto` is one per processor.",
    )
    .acted(),
    boolean("nginx_daemon", "on", "Go to the background.").never(NO_DAEMON),
    string("mem_cache_size", "128m", "Size of each cache of entities.")
        .never("a configuration is held once, compiled, without a cache"),
    choice(
        "ssl_cipher_suite",
        SUITES,
        "intermediate",
        "Preset of TLS versions and cipher suites.",
    )
    .acted(),
    string(
        "ssl_ciphers",
        "",
        "The list for the preset `custom`: names of OpenSSL.",
    )
    .acted(),
    string(
        "ssl_protocols",
        "TLSv1.2 TLSv1.3",
        "TLS versions that clients may use; 1.2 and 1.3 are possible.",
    )
    .acted(),
    boolean(
        "ssl_prefer_server_ciphers",
        "on",
        "Whether the node's order of suites counts.",
    )
    .acted(),
    string(
        "ssl_dhparam",
        "",
        "Parameters of finite-field Diffie-Hellman.",
    )
    .never("only elliptic-curve and hybrid key exchange is offered"),
    boolean(
        "ssl_session_tickets",
        "on",
        "Resume TLS sessions with tickets.",
    )
    .acted(),
    string(
        "ssl_session_timeout",
        "1d",
        "How long a TLS session may be resumed; with tickets at most 12 hours.",
    )
    .acted(),
    string(
        "ssl_session_cache_size",
        "10m",
        "Size of the cache of TLS sessions, of each listener, where tickets are off.",
    )
    .acted(),
    array(
        "ssl_cert",
        "",
        "Default certificates of the proxy; self-signed ones are made when unset.",
    )
    .acted(),
    array("ssl_cert_key", "", "Their keys, in the same order.")
        .acted()
        .secret(),
    boolean(
        "client_ssl",
        "off",
        "Present a certificate to services by default.",
    )
    .acted(),
    string("client_ssl_cert", "", "That certificate.").acted(),
    string("client_ssl_cert_key", "", "Its key.")
        .acted()
        .secret(),
    array("admin_ssl_cert", "", "Certificates of the Admin API.").acted(),
    array("admin_ssl_cert_key", "", "Their keys, in the same order.")
        .acted()
        .secret(),
    array("status_ssl_cert", "", "Certificates of the status API.").acted(),
    array("status_ssl_cert_key", "", "Their keys, in the same order.")
        .acted()
        .secret(),
    array("debug_ssl_cert", "", "Certificates of the debug listener."),
    array("debug_ssl_cert_key", "", "Their keys.").secret(),
    array(
        "headers",
        "server_tokens, latency_tokens, X-Kong-Request-Id",
        "Headers added to answers; `off` adds none.",
    )
    .acted(),
    array(
        "headers_upstream",
        "X-Kong-Request-Id",
        "Headers added towards services; `off` adds none.",
    )
    .acted(),
    array(
        "trusted_ips",
        "",
        "Addresses and networks whose `X-Forwarded-*` headers are believed; `unix:` too.",
    )
    .acted(),
    string(
        "real_ip_header",
        "X-Real-IP",
        "Header that states the client's address behind trusted peers, or `proxy_protocol`.",
    )
    .acted(),
    boolean(
        "real_ip_recursive",
        "off",
        "Walk back through trusted addresses.",
    )
    .acted(),
    choice(
        "error_default_type",
        TYPES,
        "text/plain",
        "Type of error bodies when a client states no preference.",
    )
    .acted(),
    number(
        "upstream_keepalive_pool_size",
        "512",
        "Idle connections kept per destination and thread; 0 keeps none.",
    )
    .acted(),
    number(
        "upstream_keepalive_max_requests",
        "10000",
        "Requests per connection to a service; 0 means no limit.",
    )
    .acted(),
    number(
        "upstream_keepalive_idle_timeout",
        "60",
        "Seconds until an idle connection to a service closes; 0 never.",
    )
    .acted(),
    boolean(
        "allow_debug_header",
        "off",
        "Answer `Kong-Debug: 1` with the names of route and service.",
    )
    .acted(),
    array(
        "explain_trusted_ips",
        "",
        "Clients whose requests with `Gatehouse-Explain` are told why they went where they went; unset: \
         nobody, unless `explain_token` is set.",
    )
    .acted(),
    string(
        "explain_token",
        "",
        "What `Gatehouse-Explain` has to hold; with `explain_trusted_ips` both must fit.",
    )
    .acted()
    .secret(),
];
