//! Directives of nginx that have a meaning here. Others of the same prefixes have no effect.

use super::{Property, string};

const NO_SPOOL: &str = "bodies are streamed and never spooled";

pub(super) const PROPERTIES: &[Property] = &[
    string(
        "nginx_main_worker_rlimit_nofile",
        "auto",
        "Most open files; `auto` raises the limit as far as the system allows.",
    )
    .acted(),
    string(
        "nginx_events_worker_connections",
        "auto",
        "Most connections per thread; `auto` follows from the limit of open files.",
    )
    .acted(),
    string(
        "nginx_events_multi_accept",
        "on",
        "Accept several connections at once.",
    )
    .never("it is always so"),
    string(
        "nginx_http_client_header_buffer_size",
        "1k",
        "First buffer for a request head.",
    )
    .never("a head takes what it needs, up to `nginx_http_large_client_header_buffers`"),
    string(
        "nginx_http_large_client_header_buffers",
        "4 8k",
        "Number and size of the pieces that a request head may fill.",
    )
    .acted(),
    string(
        "nginx_http_client_max_body_size",
        "0",
        "Largest request body; 0 means no limit.",
    )
    .acted(),
    string(
        "nginx_admin_client_max_body_size",
        "10m",
        "The same for the Admin API.",
    )
    .acted(),
    string(
        "nginx_http_charset",
        "UTF-8",
        "Charset added to content types that have none.",
    ),
    string(
        "nginx_http_client_body_buffer_size",
        "8k",
        "Part of a body kept in memory before it is spooled.",
    )
    .never(NO_SPOOL),
    string(
        "nginx_admin_client_body_buffer_size",
        "10m",
        "The same for the Admin API.",
    )
    .never(NO_SPOOL),
    string(
        "nginx_http_lua_regex_match_limit",
        "100000",
        "Backtracking limit of regular expressions.",
    )
    .never("the engine needs linear time"),
    string(
        "nginx_http_lua_regex_cache_max_entries",
        "8192",
        "Compiled regular expressions kept.",
    )
    .never("all are compiled with the configuration"),
    string(
        "nginx_http_keepalive_requests",
        "10000",
        "Requests per client connection.",
    )
    .acted(),
    string(
        "nginx_http_keepalive_timeout",
        "75s",
        "How long an idle client connection stays open.",
    )
    .acted(),
    string(
        "nginx_http_client_header_timeout",
        "60s",
        "Time for a whole request head.",
    )
    .acted(),
    string(
        "nginx_http_client_body_timeout",
        "60s",
        "Time between two reads of a request body.",
    )
    .acted(),
    string(
        "nginx_http_send_timeout",
        "60s",
        "Time between two writes to a client.",
    )
    .acted(),
];
