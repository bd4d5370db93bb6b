//! All settings that something acts on, as types. Fields bear the names of their properties
//! (without `nginx_http_` and the like, where a shorter name is clear).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use uuid::Uuid;

use crate::load::vault;
use crate::values::{
    Cidr, CipherSuite, ClusterMtls, Database, DnsSettings, Endpoint, ErrorType, HeaderBuffers,
    HeaderTokens, Listen, LogLevel, LogTarget, Ocsp, PortMap, Postgres, ProxyServer, RealIpHeader,
    Role, RouterFlavor, Selection, TlsSuite, TlsVersions, Trust, UpstreamHeaders,
};
use crate::{ConfError, LoadOptions, Notice, Secret};

/// The settings of a node. Get them from [`Settings::load`].
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `prefix`: the folder of everything that the node writes.
    pub prefix: PathBuf,
    /// `role`.
    pub role: Role,
    /// `database`, decided when it is unset: `postgres` when any `pg_*` is set, else `sqlite`.
    pub database: Database,
    /// Whether somebody set `database`.
    pub is_database_set: bool,
    /// `database_key`: the key that seals secrets in the database; the node's own when unset.
    pub database_key: Option<PathBuf>,
    /// `pg_*`, used with `database = postgres`.
    pub postgres: Postgres,
    /// `node_id`: a fixed id; otherwise the node keeps its own in `<prefix>/kong.id`.
    pub node_id: Option<Uuid>,
    /// `log_level`.
    pub log_level: LogLevel,
    /// `nginx_worker_processes`, `auto` counted out: number of data-path threads, at least 1.
    pub workers: usize,
    /// `plugins`: which plugins may be configured.
    pub plugins: Selection,
    /// `lua_package_path`: where modules of plugins in Lua are looked for; each has a `?`.
    pub lua_package_path: Vec<String>,
    /// `vault_env_prefix`: beginning of the variables that the vault `env` reads.
    pub vault_env_prefix: String,
    /// `vaults`: which kinds of vaults references may use.
    pub vaults: Selection,
    /// `tracing_instrumentations`: names of what becomes spans; empty means off.
    pub tracing_instrumentations: Vec<String>,
    /// `tracing_sampling_rate`: share of requests that are traced, 0 to 1.
    pub tracing_sampling_rate: f64,

    /// `proxy_listen`; empty means off.
    pub proxy_listen: Vec<Listen>,
    /// `stream_listen`; empty means off.
    pub stream_listen: Vec<Listen>,
    /// `admin_listen`; empty means off.
    pub admin_listen: Vec<Listen>,
    /// `status_listen`; empty means off.
    pub status_listen: Vec<Listen>,
    /// `cluster_listen` (role `control_plane` only); empty means off.
    pub cluster_listen: Vec<Listen>,
    /// `port_maps`: the port that clients see for a port listened on.
    pub port_maps: Vec<PortMap>,

    /// `proxy_access_log`.
    pub proxy_access_log: LogTarget,
    /// `proxy_stream_access_log`.
    pub proxy_stream_access_log: LogTarget,
    /// `proxy_error_log`.
    pub proxy_error_log: LogTarget,
    /// `admin_access_log`.
    pub admin_access_log: LogTarget,
    /// `admin_error_log`.
    pub admin_error_log: LogTarget,
    /// `status_access_log`.
    pub status_access_log: LogTarget,
    /// `status_error_log`.
    pub status_error_log: LogTarget,

    /// `cluster_mtls`.
    pub cluster_mtls: ClusterMtls,
    /// `cluster_cert`: path, PEM or base64 of PEM (`pki::pem_or_path_or_base64`).
    pub cluster_cert: Option<String>,
    /// `cluster_cert_key`: the same forms.
    pub cluster_cert_key: Option<Secret>,
    /// `cluster_ca_cert`: the same forms.
    pub cluster_ca_cert: Option<String>,
    /// `cluster_server_name`: SNI and verified name in pki mode.
    pub cluster_server_name: Option<String>,
    /// `cluster_control_plane`.
    pub cluster_control_plane: Endpoint,
    /// `cluster_telemetry_endpoint`.
    pub cluster_telemetry_endpoint: Option<Endpoint>,
    /// `cluster_telemetry_server_name`.
    pub cluster_telemetry_server_name: Option<String>,
    /// `cluster_max_payload`: largest WebSocket message accepted, in bytes.
    pub cluster_max_payload: usize,
    /// `cluster_dp_labels`, in the order given, at most ten.
    pub cluster_dp_labels: Vec<(String, String)>,
    /// `cluster_data_plane_purge_delay`.
    pub cluster_data_plane_purge_delay: Duration,
    /// `cluster_ocsp`.
    pub cluster_ocsp: Ocsp,
    /// `cluster_use_proxy`: reach the control plane through `proxy_server`.
    pub cluster_use_proxy: bool,
    /// `proxy_server`.
    pub proxy_server: Option<ProxyServer>,
    /// `proxy_server_ssl_verify`: verify the certificate of an `https` proxy.
    pub proxy_server_ssl_verify: bool,
    /// `konnect_mode`.
    pub konnect_mode: bool,
    /// `incremental_sync`.
    pub incremental_sync: bool,
    /// `analytics_flush_interval`: how often telemetry is sent.
    pub analytics_flush_interval: Duration,
    /// `analytics_buffer_size_limit`: most telemetry records kept while the platform is away.
    pub analytics_buffer_size_limit: usize,
    /// `db_update_frequency`: spacing of configuration pushes.
    pub db_update_frequency: Duration,

    /// `declarative_config`: the file of a DB-less node.
    pub declarative_config: Option<PathBuf>,
    /// `declarative_config_string`: the same, inline.
    pub declarative_config_string: Option<Secret>,

    /// `ssl_cert`: default certificates of the proxy listeners.
    pub ssl_cert: Vec<String>,
    /// `ssl_cert_key`: their keys, in the same order.
    pub ssl_cert_key: Vec<Secret>,
    /// `admin_ssl_cert`.
    pub admin_ssl_cert: Vec<String>,
    /// `admin_ssl_cert_key`.
    pub admin_ssl_cert_key: Vec<Secret>,
    /// `admin_gui_url`: origins (`https://host:port`) whose scripts may call the Admin API; empty
    /// lets every origin.
    pub admin_gui_origins: Vec<String>,
    /// `status_ssl_cert`.
    pub status_ssl_cert: Vec<String>,
    /// `status_ssl_cert_key`.
    pub status_ssl_cert_key: Vec<Secret>,
    /// `ssl_cipher_suite`.
    pub ssl_cipher_suite: CipherSuite,
    /// `ssl_protocols`: versions that clients may use.
    pub ssl_protocols: TlsVersions,
    /// `ssl_cipher_suite` and `ssl_ciphers`: suites of TLS 1.2, the preferred first; never empty.
    pub ssl_suites: Vec<TlsSuite>,
    /// `ssl_prefer_server_ciphers`: whether that order counts, not the client's.
    pub ssl_prefer_server_ciphers: bool,
    /// `ssl_session_cache_size`: memory for sessions that are kept here, in bytes.
    pub ssl_session_cache_size: u64,
    /// `ssl_session_tickets`.
    pub ssl_session_tickets: bool,
    /// `ssl_session_timeout`.
    pub ssl_session_timeout: Duration,
    /// `client_ssl`: present a certificate to services by default.
    pub client_ssl: bool,
    /// `client_ssl_cert`.
    pub client_ssl_cert: Option<String>,
    /// `client_ssl_cert_key`.
    pub client_ssl_cert_key: Option<Secret>,
    /// `lua_ssl_trusted_certificate`: authorities for outgoing TLS.
    pub lua_ssl_trusted_certificate: Vec<Trust>,
    /// `lua_ssl_verify_depth`.
    pub lua_ssl_verify_depth: u32,
    /// `lua_ssl_protocols`.
    pub lua_ssl_protocols: TlsVersions,
    /// `tls_certificate_verify`: verify services' certificates unless a service says otherwise.
    pub tls_certificate_verify: bool,

    /// `headers`: what the node adds to answers.
    pub headers: HeaderTokens,
    /// `headers_upstream`: what the node adds towards services.
    pub headers_upstream: UpstreamHeaders,
    /// `trusted_ips`: peers whose `X-Forwarded-*` are believed.
    pub trusted_ips: Vec<Cidr>,
    /// Whether `trusted_ips` names `unix:`.
    pub is_unix_trusted: bool,
    /// `real_ip_header`.
    pub real_ip_header: RealIpHeader,
    /// `real_ip_recursive`.
    pub real_ip_recursive: bool,
    /// `error_default_type`.
    pub error_default_type: ErrorType,
    /// `error_template_html`.
    pub error_template_html: Option<PathBuf>,
    /// `error_template_json`.
    pub error_template_json: Option<PathBuf>,
    /// `error_template_xml`.
    pub error_template_xml: Option<PathBuf>,
    /// `error_template_plain`.
    pub error_template_plain: Option<PathBuf>,
    /// `allow_debug_header`.
    pub allow_debug_header: bool,
    /// `explain_trusted_ips`: who may ask why with `Gatehouse-Explain`.
    pub explain_trusted_ips: Vec<Cidr>,
    /// `explain_token`: what they have to show.
    pub explain_token: Option<Secret>,
    /// `router_flavor`.
    pub router_flavor: RouterFlavor,

    /// `upstream_keepalive_pool_size`: idle connections kept per destination and thread; 0 keeps none.
    pub upstream_keepalive_pool_size: usize,
    /// `upstream_keepalive_max_requests`: requests per connection; 0 means no limit.
    pub upstream_keepalive_max_requests: u64,
    /// `upstream_keepalive_idle_timeout`; `None` keeps idle connections for ever.
    pub upstream_keepalive_idle_timeout: Option<Duration>,

    /// `nginx_http_client_max_body_size`; `None` means no limit (`0`).
    pub client_max_body_size: Option<u64>,
    /// `nginx_admin_client_max_body_size`; `None` means no limit.
    pub admin_client_max_body_size: Option<u64>,
    /// `nginx_http_client_body_buffer_size`, in bytes.
    pub client_body_buffer_size: u64,
    /// `nginx_http_client_header_buffer_size`, in bytes.
    pub client_header_buffer_size: u64,
    /// `nginx_http_large_client_header_buffers`.
    pub large_client_header_buffers: HeaderBuffers,
    /// `nginx_http_client_header_timeout`: from the first byte of a head to its end.
    pub client_header_timeout: Duration,
    /// `nginx_http_client_body_timeout`: between two reads of a body.
    pub client_body_timeout: Duration,
    /// `nginx_http_send_timeout`: between two writes to a client.
    pub send_timeout: Duration,
    /// `nginx_http_keepalive_timeout`: idle client connections; zero closes after each answer.
    pub keepalive_timeout: Duration,
    /// `nginx_http_keepalive_requests`: requests per client connection.
    pub keepalive_requests: u64,
    /// `nginx_events_worker_connections`; `None` is `auto`.
    pub worker_connections: Option<usize>,
    /// `nginx_main_worker_rlimit_nofile`; `None` is `auto`.
    pub worker_rlimit_nofile: Option<u64>,

    /// `lua_max_req_headers`: request headers that plugins see, 1 to 1000.
    pub lua_max_req_headers: u32,
    /// `lua_max_resp_headers`: the same for answers.
    pub lua_max_resp_headers: u32,
    /// `lua_max_uri_args`: query arguments that plugins see.
    pub lua_max_uri_args: u32,
    /// `lua_max_post_args`: form arguments that plugins see.
    pub lua_max_post_args: u32,

    /// `dns_*`, or `resolver_*` with `new_dns_client`.
    pub dns: DnsSettings,

    /// The environment of the process, which the vault `env` reads while entities come into use.
    pub environment: BTreeMap<String, Secret>,

    /// The merged text of every property that is set, by name, secrets as a placeholder.
    pub(crate) shown: BTreeMap<String, String>,
    /// Dynamic properties (`nginx_*`, `vault_*`, `pluginserver_*`) that no field holds; some are
    /// secret.
    pub(crate) dynamic: BTreeMap<String, Secret>,
}

impl Settings {
    /// Reads the file, the environment given and the overrides, and checks everything.
    ///
    /// # Errors
    ///
    /// All mistakes at once, each naming the property, its value and what to do.
    pub fn load(options: &LoadOptions) -> Result<(Self, Vec<Notice>), Vec<ConfError>> {
        crate::load::load(options)
    }

    /// The settings without file, environment or overrides.
    ///
    /// # Panics
    ///
    /// Never: the built-in defaults are valid, which a test proves.
    #[must_use]
    pub fn builtin() -> Self {
        let loaded = Self::load(&LoadOptions::default());
        loaded.expect("the built-in defaults are valid").0
    }

    /// The text of every property that is set or has a default, by name. Secrets show a
    /// placeholder.
    #[must_use]
    pub fn shown(&self) -> &BTreeMap<String, String> {
        &self.shown
    }

    /// The value of a dynamic property such as `vault_hcv_token`.
    #[must_use]
    pub fn dynamic(&self, name: &str) -> Option<&str> {
        self.dynamic.get(name).map(Secret::expose)
    }

    /// What a reference to the vault `env` stands for, `{vault://env/name}` or `env/name`.
    ///
    /// # Errors
    ///
    /// Why it cannot be resolved. Says names, never values.
    pub fn secret(&self, reference: &str) -> Result<String, String> {
        let reference = vault::inner(reference).unwrap_or(reference);
        let find = |name: &str| self.environment.get(name).map(Secret::expose);
        vault::look_up(reference, &self.vault_env_prefix, find)
    }

    /// Whether `gatehouse node` can run with these settings.
    ///
    /// # Errors
    ///
    /// What a node of this product cannot be: a control plane.
    pub fn check_runnable(&self) -> Result<(), Vec<ConfError>> {
        crate::load::check_runnable(self)
    }
}
