//! What the members of upstreams mean, in words.

/// By dotted path.
pub(super) const MEANINGS: [(&str, &str); 48] = [
    ("name", "Host name by which services call the upstream."),
    ("algorithm", "How a target is picked."),
    ("hash_on", "What is hashed to pick a target."),
    ("hash_fallback", "What is hashed when that is missing."),
    ("hash_on_header", "Header to hash."),
    ("hash_fallback_header", "Header to hash instead."),
    (
        "hash_on_cookie",
        "Cookie to hash; set when a request has none.",
    ),
    ("hash_on_cookie_path", "Path of that cookie."),
    ("hash_on_query_arg", "Query argument to hash."),
    ("hash_fallback_query_arg", "Query argument to hash instead."),
    (
        "hash_on_uri_capture",
        "Capture of the path of the route to hash.",
    ),
    ("hash_fallback_uri_capture", "Capture to hash instead."),
    ("slots", "How many places the ring of hashes has."),
    ("healthchecks", "How bad targets are found out."),
    ("healthchecks.active", "Probes that the node sends."),
    ("healthchecks.active.type", "How a target is probed."),
    (
        "healthchecks.active.timeout",
        "Seconds after which a probe has failed.",
    ),
    (
        "healthchecks.active.concurrency",
        "How many targets are probed at once.",
    ),
    ("healthchecks.active.http_path", "Path of probes."),
    ("healthchecks.active.https_sni", "Server name of probes."),
    (
        "healthchecks.active.https_verify_certificate",
        "Whether probes verify certificates.",
    ),
    ("healthchecks.active.headers", "Headers of probes."),
    (
        "healthchecks.active.healthy",
        "When a target is good again.",
    ),
    (
        "healthchecks.active.healthy.http_statuses",
        "Statuses that count as good.",
    ),
    (
        "healthchecks.active.healthy.successes",
        "How many good probes in a row it takes; 0 never.",
    ),
    (
        "healthchecks.active.healthy.interval",
        "Seconds between probes of good targets; 0 sends none.",
    ),
    ("healthchecks.active.unhealthy", "When a target is bad."),
    (
        "healthchecks.active.unhealthy.timeouts",
        "How many probes without an answer it takes; 0 never.",
    ),
    (
        "healthchecks.active.unhealthy.interval",
        "Seconds between probes of bad targets; 0 sends none.",
    ),
    (
        "healthchecks.active.unhealthy.http_statuses",
        "Statuses that count as bad.",
    ),
    (
        "healthchecks.active.unhealthy.http_failures",
        "How many bad statuses it takes; 0 never.",
    ),
    (
        "healthchecks.active.unhealthy.tcp_failures",
        "How many failed connections it takes; 0 never.",
    ),
    ("healthchecks.passive", "What requests of clients tell."),
    (
        "healthchecks.passive.type",
        "What is looked at; `tcp` looks at connections only.",
    ),
    (
        "healthchecks.passive.healthy",
        "When a target is good again.",
    ),
    (
        "healthchecks.passive.healthy.successes",
        "How many good answers in a row it takes; 0 never.",
    ),
    (
        "healthchecks.passive.healthy.http_statuses",
        "Statuses that count as good.",
    ),
    ("healthchecks.passive.unhealthy", "When a target is bad."),
    (
        "healthchecks.passive.unhealthy.timeouts",
        "How many answers that never came it takes; 0 never.",
    ),
    (
        "healthchecks.passive.unhealthy.http_statuses",
        "Statuses that count as bad.",
    ),
    (
        "healthchecks.passive.unhealthy.http_failures",
        "How many bad statuses it takes; 0 never.",
    ),
    (
        "healthchecks.passive.unhealthy.tcp_failures",
        "How many failed connections it takes; 0 never.",
    ),
    (
        "healthchecks.threshold",
        "Percentage of the weight that must be good for the upstream to be used at all; 0 is off.",
    ),
    (
        "sticky_sessions_cookie",
        "Cookie that keeps a client at its target; needed with `sticky-sessions`.",
    ),
    (
        "sticky_sessions_cookie_path",
        "Path of that cookie; `/` if left out.",
    ),
    ("host_header", "Host that the targets see."),
    (
        "client_certificate",
        "The certificate that is shown to targets.",
    ),
    (
        "use_srv_name",
        "Whether targets see the name of their SRV record as Host.",
    ),
];
