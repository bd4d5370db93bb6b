//! Nodes and control planes.

use super::{Property, array, boolean, choice, number, string};

const ROLES: &[&str] = &["traditional", "control_plane", "data_plane"];
const MTLS: &[&str] = &["shared", "pki", "pki_check_cn"];
const OCSP: &[&str] = &["off", "on", "optional"];
const PLATFORM_SIDE: &str =
    "it belongs to a control plane; `gatehouse platform` has its own arguments";

pub(super) const PROPERTIES: &[Property] = &[
    choice(
        "role",
        ROLES,
        "traditional",
        "What the node is: on its own, or configured by a control plane.",
    )
    .acted(),
    choice(
        "cluster_mtls",
        MTLS,
        "shared",
        "How node and control plane prove themselves: one shared certificate, or an authority.",
    )
    .acted(),
    string(
        "cluster_cert",
        "",
        "Certificate of the node: path, PEM or base64 of PEM.",
    )
    .acted(),
    string(
        "cluster_cert_key",
        "",
        "Its key: path, PEM or base64 of PEM.",
    )
    .acted()
    .secret(),
    string(
        "cluster_ca_cert",
        "",
        "Authorities that vouch for the control plane, besides `lua_ssl_trusted_certificate`.",
    )
    .acted(),
    string(
        "cluster_server_name",
        "",
        "Name sent and verified in pki mode; the host of `cluster_control_plane` when unset.",
    )
    .acted(),
    string(
        "cluster_control_plane",
        "127.0.0.1:8005",
        "Control plane: `host:port`, possibly with a path.",
    )
    .acted(),
    number(
        "cluster_max_payload",
        "16777216",
        "Largest configuration message accepted, in bytes; at least 4194304.",
    )
    .acted(),
    array(
        "cluster_dp_labels",
        "",
        "Labels of the node, at most ten: `key:value`.",
    )
    .acted(),
    array(
        "cluster_listen",
        "0.0.0.0:8005",
        "Listener of a control plane.",
    )
    .never(PLATFORM_SIDE),
    number(
        "cluster_data_plane_purge_delay",
        "1209600",
        "Seconds until an unseen node is forgotten; at least 60.",
    )
    .never(PLATFORM_SIDE),
    choice(
        "cluster_ocsp",
        OCSP,
        "off",
        "Ask whether certificates were revoked.",
    )
    .never(PLATFORM_SIDE),
    boolean(
        "cluster_use_proxy",
        "off",
        "Reach the control plane through `proxy_server`.",
    )
    .acted(),
    boolean(
        "cluster_rpc",
        "off",
        "Remote procedure calls of the control plane.",
    ),
    boolean(
        "cluster_rpc_sync",
        "off",
        "Incremental synchronisation over remote procedure calls.",
    ),
    boolean("cluster_cjson", "off", "JSON library of the reference.")
        .never("it chooses a library that is not here"),
];

pub(super) const KONNECT: &[Property] = &[
    boolean(
        "konnect_mode",
        "off",
        "The control plane is a platform: send error reports and telemetry.",
    )
    .acted(),
    string(
        "cluster_telemetry_endpoint",
        "",
        "Where telemetry goes: `host:port`.",
    )
    .acted(),
    string(
        "cluster_telemetry_server_name",
        "",
        "Name sent and verified there; the host of the endpoint when unset.",
    )
    .acted(),
    string(
        "cluster_telemetry_listen",
        "0.0.0.0:8006",
        "Listener of a control plane for telemetry.",
    )
    .never(PLATFORM_SIDE),
    array(
        "cluster_allowed_common_names",
        "",
        "Common names that `pki_check_cn` accepts.",
    )
    .never(PLATFORM_SIDE),
    boolean(
        "incremental_sync",
        "off",
        "Ask for changes only instead of whole configurations.",
    ),
    number(
        "analytics_flush_interval",
        "1",
        "Seconds between two messages of telemetry.",
    )
    .acted(),
    number(
        "analytics_buffer_size_limit",
        "100000",
        "Most telemetry records kept while the platform is away.",
    ),
    boolean("analytics_debug", "off", "Log what telemetry contains."),
    boolean("vitals", "off", "Older telemetry.")
        .never("telemetry goes to `cluster_telemetry_endpoint`"),
];
