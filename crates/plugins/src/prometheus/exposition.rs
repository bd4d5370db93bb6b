//! The text that Prometheus reads.

use std::fmt::{Display, Write};

use plugin_api::Shared;

use super::figures::{Figures, TargetState};
use super::histogram::Histogram;
use super::registry::{Place, Registry, SERIES_MAX, Totals};
use crate::outbox::lost_records;

/// Type of the body.
pub const CONTENT_TYPE: &str = "text/plain; charset=UTF-8";

/// Compat: the one workspace there is.
const WORKSPACE: &str = "default";

/// Bytes that a set of labels takes, roughly; only for the metric that tells how full the
/// registry is.
const SERIES_BYTES: usize = 256;

/// Whether any instance of this node shows the health of targets.
#[must_use]
pub fn shows_targets(shared: &Shared) -> bool {
    shared.get::<Registry>().shows_targets()
}

/// All metrics of a node, by name in alphabetical order.
///
/// Compat: names, labels and descriptions are those of the reference, so that dashboards made for
/// it show this node too.
#[must_use]
pub fn exposition(shared: &Shared, figures: &Figures) -> String {
    let registry = shared.get::<Registry>();
    let totals = registry.totals();
    let mut page = Page::default();
    page.models(&totals);
    page.bandwidth(&totals);
    page.link(figures);
    page.datastore(figures);
    page.requests(&totals);
    page.latencies("kong_kong_latency_ms", KONG, &totals, |times| &times.kong);
    page.memory(figures, &totals);
    page.server(figures, &totals);
    page.latencies("kong_request_latency_ms", REQUEST, &totals, |times| {
        &times.request
    });
    page.latencies("kong_upstream_latency_ms", UPSTREAM, &totals, |times| {
        &times.upstream
    });
    if registry.shows_targets() {
        page.targets(figures);
    }
    page.own(figures);
    page.losses();
    page.text
}

const KONG: &str = "Latency added by Kong and enabled plugins for each service/route in Kong";
const REQUEST: &str = "Total latency incurred during requests for each service/route in Kong";
const UPSTREAM: &str = "Latency added by upstream response for each service/route in Kong";

#[derive(Default)]
struct Page {
    text: String,
}

/// The labels of a place.
fn place(place: &Place) -> [(&'static str, &[u8]); 2] {
    [("service", &place.service), ("route", &place.route)]
}

/// The labels of a language model: provider, model and state of the cache. The others belong to
/// editions that cache by meaning.
fn model_labels<'a>(
    [provider, model, cache]: &'a [String; 3],
    token_type: Option<&'a str>,
) -> Vec<(&'static str, &'a [u8])> {
    let mut labels = vec![
        ("ai_provider", provider.as_bytes()),
        ("ai_model", model.as_bytes()),
        ("cache_status", cache.as_bytes()),
        ("vector_db", b"".as_slice()),
        ("embeddings_provider", b""),
        ("embeddings_model", b""),
    ];
    labels.extend(token_type.map(|kind| ("token_type", kind.as_bytes())));
    labels.push(("workspace", WORKSPACE.as_bytes()));
    labels
}

impl Page {
    /// Begins a metric.
    fn begin(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// A sample with its labels.
    fn sample(&mut self, name: &str, labels: &[(&str, &[u8])], value: impl Display) {
        self.text.push_str(name);
        for (at, (label, value)) in labels.iter().enumerate() {
            self.text.push(if at == 0 { '{' } else { ',' });
            let _ = write!(self.text, "{label}=\"{}\"", escaped(value));
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }

    fn histogram(&mut self, name: &str, labels: &[(&str, &[u8])], times: &Histogram) {
        let bucket = format!("{name}_bucket");
        for (bound, count) in times.buckets() {
            let bound = bound.map_or_else(|| "+Inf".to_owned(), |bound| bound.to_string());
            let labels = [labels, &[("le", bound.as_bytes())]].concat();
            self.sample(&bucket, &labels, count);
        }
        self.sample(&format!("{name}_count"), labels, times.count());
        self.sample(&format!("{name}_sum"), labels, times.sum());
    }

    fn models(&mut self, totals: &Totals) {
        let all = &totals.models;
        if all.is_empty() {
            return;
        }
        let name = "kong_ai_llm_cost_total";
        self.begin(name, "counter", "Cost of calls of language models");
        for (key, models) in all {
            self.sample(name, &model_labels(key, None), models.cost);
        }
        let name = "kong_ai_llm_provider_latency_ms";
        self.begin(name, "histogram", "Time until language models answered");
        for (key, models) in all {
            let labels = model_labels(key, None);
            self.histogram(name, &labels, &models.latency);
        }
        let name = "kong_ai_llm_requests_total";
        self.begin(name, "counter", "Calls of language models");
        for (key, models) in all {
            self.sample(name, &model_labels(key, None), models.requests);
        }
        let name = "kong_ai_llm_tokens_total";
        self.begin(name, "counter", "Tokens of calls of language models");
        for (key, models) in all {
            let kinds = ["prompt_tokens", "completion_tokens", "total_tokens"];
            for (kind, count) in kinds.into_iter().zip(models.tokens) {
                self.sample(name, &model_labels(key, Some(kind)), count);
            }
        }
    }

    fn bandwidth(&mut self, totals: &Totals) {
        if totals.bandwidth.is_empty() {
            return;
        }
        let name = "kong_bandwidth_bytes";
        let help = "Total bandwidth (ingress/egress) throughput in bytes";
        self.begin(name, "counter", help);
        for ((where_to, consumer), bytes) in &totals.bandwidth {
            for (direction, bytes) in ["ingress", "egress"].into_iter().zip(bytes) {
                let [service, route] = place(where_to);
                let labels = [
                    service,
                    route,
                    ("direction", direction.as_bytes()),
                    ("workspace", WORKSPACE.as_bytes()),
                    ("consumer", consumer),
                ];
                self.sample(name, &labels, bytes);
            }
        }
    }

    fn link(&mut self, figures: &Figures) {
        let Some(link) = figures.control_plane else {
            return;
        };
        let name = "kong_control_plane_connected";
        self.begin(
            name,
            "gauge",
            "Whether the link to the control plane stands",
        );
        self.sample(name, &[], u8::from(link.is_connected));
        if let Some(expires) = link.certificate_expires {
            let name = "kong_data_plane_cluster_cert_expiry_timestamp";
            let help = "Second at which the node's certificate ends";
            self.begin(name, "gauge", help);
            self.sample(name, &[], expires);
        }
    }

    fn datastore(&mut self, figures: &Figures) {
        let name = "kong_datastore_reachable";
        let help = "Datastore reachable from Kong, 0 is unreachable";
        self.begin(name, "gauge", help);
        self.sample(name, &[], u8::from(figures.is_database_reachable));
    }

    fn requests(&mut self, totals: &Totals) {
        if totals.requests.is_empty() {
            return;
        }
        let name = "kong_http_requests_total";
        let help = "HTTP status codes per consumer/service/route in Kong";
        self.begin(name, "counter", help);
        for (key, count) in &totals.requests {
            let [service, route] = place(&key.place);
            let source: &[u8] = if key.is_of_service {
                b"service"
            } else {
                b"kong"
            };
            let code = key.code.to_string();
            let labels = [
                service,
                route,
                ("code", code.as_bytes()),
                ("source", source),
                ("workspace", WORKSPACE.as_bytes()),
                ("consumer", &key.consumer),
            ];
            self.sample(name, &labels, count);
        }
    }

    fn latencies(
        &mut self,
        name: &str,
        help: &str,
        totals: &Totals,
        of: impl Fn(&super::registry::Latencies) -> &Histogram,
    ) {
        let is_seen = |times: &super::registry::Latencies| of(times).count() > 0;
        if !totals.latencies.values().any(is_seen) {
            return;
        }
        self.begin(name, "histogram", help);
        for (where_to, times) in totals.latencies.iter().filter(|(_, times)| is_seen(times)) {
            let [service, route] = place(where_to);
            let labels = [service, route, ("workspace", WORKSPACE.as_bytes())];
            self.histogram(name, &labels, of(times));
        }
    }

    /// Compat: the registry stands for the shared zone that the reference counts in, the process
    /// for its Lua machines.
    fn memory(&mut self, figures: &Figures, totals: &Totals) {
        let node = figures.node_id.to_string();
        let zone = [
            ("node_id", node.as_bytes()),
            ("shared_dict", b"prometheus_metrics".as_slice()),
            ("kong_subsystem", b"http".as_slice()),
        ];
        let name = "kong_memory_lua_shared_dict_bytes";
        self.begin(name, "gauge", "Allocated slabs in bytes in a shared_dict");
        self.sample(name, &zone, totals.series * SERIES_BYTES);
        let name = "kong_memory_lua_shared_dict_total_bytes";
        self.begin(name, "gauge", "Total capacity in bytes of a shared_dict");
        self.sample(name, &zone, SERIES_MAX * SERIES_BYTES);
        let name = "kong_memory_workers_lua_vms_bytes";
        let process = std::process::id().to_string();
        let labels = [
            ("node_id", node.as_bytes()),
            ("pid", process.as_bytes()),
            ("kong_subsystem", b"http".as_slice()),
        ];
        self.begin(name, "gauge", "Allocated bytes in worker Lua VM");
        self.sample(name, &labels, figures.memory);
    }

    fn server(&mut self, figures: &Figures, totals: &Totals) {
        let node = figures.node_id.to_string();
        let subsystem = [
            ("node_id", node.as_bytes()),
            ("subsystem", b"http".as_slice()),
        ];
        let name = "kong_nginx_connections_total";
        self.begin(name, "gauge", "Number of connections by subsystem");
        let states = [
            ("accepted", figures.accepted),
            ("active", figures.active),
            ("handled", figures.handled),
            ("reading", figures.reading),
            ("total", figures.requests),
            ("waiting", figures.waiting),
            ("writing", figures.writing),
        ];
        for (state, count) in states {
            let labels = [subsystem.as_slice(), &[("state", state.as_bytes())]].concat();
            self.sample(name, &labels, count);
        }
        let name = "kong_nginx_metric_errors_total";
        self.begin(name, "counter", "Number of nginx-lua-prometheus errors");
        self.sample(name, &[], totals.errors);
        let name = "kong_nginx_requests_total";
        self.begin(name, "gauge", "Number of requests total");
        self.sample(name, &subsystem, figures.requests);
        let name = "kong_nginx_timers";
        self.begin(name, "gauge", "Number of nginx timers");
        for state in ["pending", "running"] {
            self.sample(name, &[("state", state.as_bytes())], 0);
        }
        let name = "kong_node_info";
        self.begin(name, "gauge", "Kong Node metadata information");
        let labels = [
            ("node_id", node.as_bytes()),
            ("version", figures.version.as_bytes()),
        ];
        self.sample(name, &labels, 1);
    }

    fn targets(&mut self, figures: &Figures) {
        let name = "kong_upstream_target_health";
        let help = "How each address of a target does: 1 for the state it is in, 0 for the others";
        self.begin(name, "gauge", help);
        for target in &figures.targets {
            for (state, text) in TargetState::ALL {
                let labels = [
                    ("upstream", target.upstream.as_bytes()),
                    ("target", target.target.as_bytes()),
                    ("address", target.address.as_bytes()),
                    ("state", text.as_bytes()),
                    ("subsystem", b"http".as_slice()),
                ];
                self.sample(name, &labels, u8::from(state == target.state));
            }
        }
    }

    /// Compat: what the reference does not have is there once there is something to tell.
    fn own(&mut self, figures: &Figures) {
        for (name, help, count) in figures.own.iter().filter(|(.., count)| *count > 0) {
            let name = format!("gatehouse_{name}_total");
            self.begin(&name, "counter", help);
            self.sample(&name, &[], count);
        }
    }

    /// An addition of ours, there only once something was lost.
    fn losses(&mut self) {
        let lost = lost_records();
        if lost.is_empty() {
            return;
        }
        let name = "gatehouse_plugin_records_lost_total";
        let help = "Records of plugins that waited too long or could not be delivered";
        self.begin(name, "counter", help);
        for (plugin, count) in lost {
            self.sample(name, &[("plugin", plugin.as_bytes())], count);
        }
    }
}

/// A value of a label on its line and between its quotation marks.
fn escaped(value: &[u8]) -> String {
    let value = String::from_utf8_lossy(value);
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
