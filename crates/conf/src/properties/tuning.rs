//! Router, limits, outgoing TLS.

use super::{Property, array, boolean, choice, number, string};

const FLAVORS: &[&str] = &["traditional", "traditional_compatible", "expressions"];
const SANDBOX: &str =
    "Lua code always runs in the sandbox that docs/guides/lua-plugins.md describes";

pub(super) const PROPERTIES: &[Property] = &[
    string(
        "vault_env_prefix",
        "",
        "Beginning of the variables that `{vault://env/…}` reads.",
    )
    .acted(),
    choice(
        "worker_consistency",
        &["eventual", "strict"],
        "eventual",
        "When a new configuration counts.",
    )
    .never("a new configuration is swapped in at once, compiled beside the traffic"),
    number(
        "worker_state_update_frequency",
        "5",
        "Seconds between two checks for changes.",
    )
    .never("a new configuration is swapped in at once, compiled beside the traffic"),
    choice(
        "router_flavor",
        FLAVORS,
        "traditional_compatible",
        "How routes are matched.",
    )
    .acted(),
    number(
        "lua_max_req_headers",
        "100",
        "Request headers that plugins see, 1 to 1000.",
    ),
    number(
        "lua_max_resp_headers",
        "100",
        "Headers of answers that plugins see, 1 to 1000.",
    ),
    number(
        "lua_max_uri_args",
        "100",
        "Query arguments that plugins see, 1 to 1000.",
    ),
    number(
        "lua_max_post_args",
        "100",
        "Form arguments that plugins see, 1 to 1000.",
    ),
    array(
        "lua_ssl_trusted_certificate",
        "system",
        "Authorities for outgoing TLS: `system`, paths, PEM or base64 of PEM.",
    )
    .acted(),
    number(
        "lua_ssl_verify_depth",
        "1",
        "Longest chain for outgoing TLS.",
    )
    .never("chains of any sensible length are verified"),
    string(
        "lua_ssl_protocols",
        "TLSv1.2 TLSv1.3",
        "TLS versions for outgoing connections.",
    )
    .acted(),
    string(
        "lua_package_path",
        "./?.lua;./?/init.lua;",
        "Where modules of plugins in Lua are looked for, by patterns separated by `;`.",
    )
    .acted(),
    string("lua_package_cpath", "", "Where native Lua modules lie.")
        .never("no native code is loaded into the node"),
    number(
        "lua_socket_pool_size",
        "256",
        "Idle connections of plugins.",
    ),
    choice(
        "untrusted_lua",
        &["off", "on", "sandbox", "strict", "lax"],
        "sandbox",
        "What Lua code in plugins may do.",
    )
    .never(SANDBOX),
    array(
        "untrusted_lua_sandbox_requires",
        "",
        "Modules that such code may load.",
    )
    .never(SANDBOX),
    array(
        "untrusted_lua_sandbox_environment",
        "",
        "Variables that such code may see.",
    )
    .never(SANDBOX),
    string("openresty_path", "", "Where OpenResty lies.")
        .never("Gatehouse does not run on OpenResty"),
    string(
        "node_id",
        "",
        "A fixed id of the node (UUID); it keeps its own when unset.",
    )
    .acted(),
    boolean(
        "kic",
        "off",
        "The node is configured by an ingress controller.",
    ),
    array(
        "host_ports",
        "",
        "Ports of the host that lead to the node's ports.",
    ),
    number(
        "worker_events_max_payload",
        "65535",
        "Largest event between workers.",
    )
    .never("threads share one configuration"),
];
