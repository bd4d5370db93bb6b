//! Fills [`Settings`] from merged text.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::merge::Merged;
use super::reader::Reader;
use crate::secret::Secret;
use crate::settings::Settings;
use crate::values::{
    Choice as _, Cidr, CipherSuite, Database, DnsFamily, DnsSettings, Endpoint, HeaderBuffers,
    HeaderTokens, LogTarget, PortMap, Postgres, ProxyServer, RealIpHeader, Selection, Subsystem,
    TlsSuite, TlsVersions, Trust, UpstreamHeaders, parse_labels, parse_listeners, parse_size,
    parse_workers,
};

/// Port of an endpoint of a platform that names none.
const PLATFORM_PORT: u16 = 443;
/// Port of a control plane that names none.
const CONTROL_PLANE_PORT: u16 = 8005;
const DNS_PORT: u16 = 53;

pub(super) fn build(merged: Merged) -> (Settings, Merged) {
    let mut reader = Reader { merged };
    reader.check_kinds();
    let mut settings = Settings {
        shown: reader.shown(),
        ..Settings::default()
    };
    let dynamic = reader.dynamic().into_iter();
    settings.dynamic = dynamic
        .map(|(name, text)| (name, Secret::new(text)))
        .collect();
    general(&mut settings, &mut reader);
    listeners(&mut settings, &mut reader);
    cluster(&mut settings, &mut reader);
    certificates(&mut settings, &mut reader);
    proxying(&mut settings, &mut reader);
    limits(&mut settings, &mut reader);
    settings.dns = dns(&mut reader);
    (settings, reader.merged)
}

fn general(settings: &mut Settings, reader: &mut Reader) {
    settings.prefix = reader.path("prefix").unwrap_or_default();
    settings.role = reader.choice("role");
    database(settings, reader);
    settings.node_id = reader.parse("node_id", |text| {
        text.parse()
            .map(Some)
            .map_err(|_| "it must be a UUID; unset it to let the node keep its own".to_owned())
    });
    settings.log_level = reader.choice("log_level");
    settings.workers = reader.parse("nginx_worker_processes", parse_workers).max(1);
    settings.plugins = Selection::parse(&reader.list("plugins"));
    settings.vault_env_prefix = reader.string("vault_env_prefix").unwrap_or_default();
    let path = reader.string("lua_package_path").unwrap_or_default();
    let templates = path.split(';').map(str::trim);
    let templates = templates.filter(|template| template.contains('?'));
    settings.lua_package_path = templates.map(str::to_owned).collect();
    settings.vaults = Selection::parse(&reader.list("vaults"));
    tracing(settings, reader);
    settings.declarative_config = reader.path("declarative_config");
    settings.declarative_config_string = reader.secret("declarative_config_string");
    settings.db_update_frequency = reader.seconds("db_update_frequency");
    let prefix = settings.prefix.clone();
    let log = |name: &str| log_target(reader, name, &prefix);
    settings.proxy_access_log = log("proxy_access_log");
    settings.proxy_stream_access_log = log("proxy_stream_access_log");
    settings.proxy_error_log = log("proxy_error_log");
    settings.admin_access_log = log("admin_access_log");
    settings.admin_error_log = log("admin_error_log");
    settings.status_access_log = log("status_access_log");
    settings.status_error_log = log("status_error_log");
}

/// Compat: the names from before count where the new ones are not set.
fn tracing(settings: &mut Settings, reader: &mut Reader) {
    let name = |new: &'static str, old: &'static str, reader: &Reader| {
        let uses_old = !reader.merged.is_set(new) && reader.merged.is_set(old);
        if uses_old { old } else { new }
    };
    let names = name("tracing_instrumentations", "opentelemetry_tracing", reader);
    let names = reader.list(names);
    let is_off = names.iter().any(|name| name == "off");
    settings.tracing_instrumentations = if is_off { Vec::new() } else { names };
    let rate = name(
        "tracing_sampling_rate",
        "opentelemetry_tracing_sampling_rate",
        reader,
    );
    settings.tracing_sampling_rate = reader.parse(rate, |text| match text.parse::<f64>() {
        Ok(rate) if (0.0..=1.0).contains(&rate) => Ok(rate),
        _ => Err("it must be a number from 0 to 1".to_owned()),
    });
}

fn database(settings: &mut Settings, reader: &mut Reader) {
    settings.is_database_set = reader.merged.is_set("database");
    let has_server = reader.merged.values.keys().any(|n| n.starts_with("pg_"));
    settings.database = match (settings.is_database_set, has_server) {
        (true, _) => reader.choice("database"),
        (false, true) => Database::Postgres,
        (false, false) => Database::Sqlite,
    };
    settings.database_key = reader.path("database_key");
    let port = reader.number("pg_port", 1, u16::MAX.into());
    settings.postgres = Postgres {
        host: reader.string("pg_host").unwrap_or_default(),
        port: u16::try_from(port).unwrap_or_default(),
        user: reader.string("pg_user").unwrap_or_default(),
        password: reader.secret("pg_password"),
        database: reader.string("pg_database").unwrap_or_default(),
        schema: reader.string("pg_schema"),
        ssl: reader.boolean("pg_ssl"),
        ssl_required: reader.boolean("pg_ssl_required"),
        ssl_verify: reader.boolean("pg_ssl_verify"),
        timeout: Duration::from_millis(reader.number("pg_timeout", 1, u32::MAX.into())),
        pool_size: reader
            .text("pg_pool_size")
            .is_some()
            .then(|| reader.count("pg_pool_size", 1)),
        keepalive_timeout: reader
            .text("pg_keepalive_timeout")
            .is_some()
            .then(|| Duration::from_millis(reader.number("pg_keepalive_timeout", 1, u64::MAX))),
    };
}

fn log_target(reader: &Reader, name: &str, prefix: &Path) -> LogTarget {
    reader
        .text(name)
        .map_or(LogTarget::Off, |text| LogTarget::parse(text, prefix))
}

fn listeners(settings: &mut Settings, reader: &mut Reader) {
    let mut http =
        |name: &str| reader.parse_list(name, |entries| parse_listeners(entries, Subsystem::Http));
    settings.proxy_listen = http("proxy_listen");
    settings.admin_listen = http("admin_listen");
    settings.status_listen = http("status_listen");
    settings.cluster_listen = http("cluster_listen");
    let stream = |entries: &[String]| parse_listeners(entries, Subsystem::Stream);
    settings.stream_listen = reader.parse_list("stream_listen", stream);
    settings.admin_gui_origins = reader.parse_list("admin_gui_url", origins);
    settings.port_maps = reader.parse_list("port_maps", |entries| {
        entries.iter().map(|entry| PortMap::parse(entry)).collect()
    });
}

/// Scheme, host and port of addresses.
fn origins(entries: &[String]) -> Result<Vec<String>, String> {
    let origin = |entry: &String| {
        let rest = entry
            .strip_prefix("https://")
            .or_else(|| entry.strip_prefix("http://"));
        let authority = rest.and_then(|rest| rest.split('/').next());
        match (rest, authority.filter(|authority| !authority.is_empty())) {
            (Some(rest), Some(authority)) => {
                let scheme = entry.len() - rest.len();
                Ok(entry[..scheme + authority.len()].to_owned())
            }
            _ => Err(format!("`{entry}` is not of the form https://host:port")),
        }
    };
    entries.iter().map(origin).collect()
}

fn cluster(settings: &mut Settings, reader: &mut Reader) {
    settings.cluster_mtls = reader.choice("cluster_mtls");
    settings.cluster_cert = reader.string("cluster_cert");
    settings.cluster_cert_key = reader.secret("cluster_cert_key");
    settings.cluster_ca_cert = reader.string("cluster_ca_cert");
    settings.cluster_server_name = reader.string("cluster_server_name");
    settings.cluster_control_plane = reader.parse("cluster_control_plane", |text| {
        Endpoint::parse(text, CONTROL_PLANE_PORT)
    });
    settings.cluster_telemetry_endpoint = reader.parse("cluster_telemetry_endpoint", |text| {
        Endpoint::parse(text, PLATFORM_PORT).map(Some)
    });
    settings.cluster_telemetry_server_name = reader.string("cluster_telemetry_server_name");
    settings.cluster_max_payload = reader.count("cluster_max_payload", 4_194_304);
    let delay = reader.number("cluster_data_plane_purge_delay", 60, u64::MAX);
    settings.cluster_data_plane_purge_delay = Duration::from_secs(delay);
    settings.cluster_ocsp = reader.choice("cluster_ocsp");
    settings.cluster_use_proxy = reader.boolean("cluster_use_proxy");
    settings.proxy_server = reader.parse("proxy_server", |text| ProxyServer::parse(text).map(Some));
    settings.proxy_server_ssl_verify = reader.boolean("proxy_server_ssl_verify");
    settings.konnect_mode = reader.boolean("konnect_mode");
    settings.incremental_sync = reader.boolean("incremental_sync");
    settings.analytics_flush_interval = reader.seconds("analytics_flush_interval");
    settings.analytics_buffer_size_limit = reader.count("analytics_buffer_size_limit", 1);
    match parse_labels(&reader.list("cluster_dp_labels")) {
        Ok(labels) => settings.cluster_dp_labels = labels,
        Err(mistakes) => {
            for mistake in mistakes {
                reader.mistake("cluster_dp_labels", mistake);
            }
        }
    }
}

fn certificates(settings: &mut Settings, reader: &mut Reader) {
    settings.ssl_cert = reader.list("ssl_cert");
    settings.ssl_cert_key = reader.secrets("ssl_cert_key");
    settings.admin_ssl_cert = reader.list("admin_ssl_cert");
    settings.admin_ssl_cert_key = reader.secrets("admin_ssl_cert_key");
    settings.status_ssl_cert = reader.list("status_ssl_cert");
    settings.status_ssl_cert_key = reader.secrets("status_ssl_cert_key");
    settings.ssl_cipher_suite = reader.choice("ssl_cipher_suite");
    settings.ssl_protocols = reader.parse("ssl_protocols", TlsVersions::parse);
    settings.ssl_suites = TlsSuite::all();
    apply_suite(settings, reader);
    settings.ssl_prefer_server_ciphers = reader.boolean("ssl_prefer_server_ciphers");
    settings.ssl_session_cache_size = reader.size("ssl_session_cache_size");
    settings.ssl_session_tickets = reader.boolean("ssl_session_tickets");
    settings.ssl_session_timeout = reader.duration("ssl_session_timeout");
    settings.client_ssl = reader.boolean("client_ssl");
    settings.client_ssl_cert = reader.string("client_ssl_cert");
    settings.client_ssl_cert_key = reader.secret("client_ssl_cert_key");
    settings.lua_ssl_protocols = reader.parse("lua_ssl_protocols", TlsVersions::parse);
    settings.lua_ssl_verify_depth = reader.small("lua_ssl_verify_depth", 0, 100);
    settings.tls_certificate_verify = reader.boolean("tls_certificate_verify");
    settings.lua_ssl_trusted_certificate = reader
        .list("lua_ssl_trusted_certificate")
        .into_iter()
        .map(|entry| {
            if entry == "system" {
                Trust::System
            } else {
                Trust::Bundle(entry)
            }
        })
        .collect();
}

/// `Compat:` a preset decides about versions too.
fn apply_suite(settings: &mut Settings, reader: &mut Reader) {
    match settings.ssl_cipher_suite {
        CipherSuite::Intermediate => {}
        CipherSuite::Old => {
            let message = "`old` counts as `intermediate`: older versions are not offered";
            reader.doubt("ssl_cipher_suite", message.to_owned());
        }
        CipherSuite::Fips => settings.ssl_suites = TlsSuite::fips(),
        CipherSuite::Custom => custom_suites(settings, reader),
        CipherSuite::Modern => {
            settings.ssl_protocols = TlsVersions {
                tls12: false,
                tls13: true,
            };
        }
    }
}

/// The list of `ssl_ciphers`: what is not known is said, and something has to be.
fn custom_suites(settings: &mut Settings, reader: &mut Reader) {
    let text = reader.string("ssl_ciphers").unwrap_or_default();
    let (suites, unknown) = TlsSuite::parse_list(&text);
    if suites.is_empty() {
        let message = "names no suite that can be offered; \
                       `ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256` does";
        return reader.mistake("ssl_ciphers", message);
    }
    if !unknown.is_empty() {
        let message = format!("`{}` are not offered", unknown.join("`, `"));
        reader.doubt("ssl_ciphers", message);
    }
    settings.ssl_suites = suites;
}

fn proxying(settings: &mut Settings, reader: &mut Reader) {
    settings.headers = reader.parse_list("headers", HeaderTokens::parse);
    settings.headers_upstream = reader.parse_list("headers_upstream", UpstreamHeaders::parse);
    let trusted = reader.list("trusted_ips");
    settings.is_unix_trusted = trusted.iter().any(|entry| entry == "unix:");
    settings.trusted_ips = reader.parse_list("trusted_ips", |entries| {
        entries
            .iter()
            .filter(|entry| *entry != "unix:")
            .map(|entry| Cidr::parse(entry))
            .collect()
    });
    settings.real_ip_header = reader.parse("real_ip_header", RealIpHeader::parse);
    settings.real_ip_recursive = reader.boolean("real_ip_recursive");
    settings.error_default_type = reader.choice("error_default_type");
    let template = |name: &str| reader.text(name).map(PathBuf::from);
    settings.error_template_html = template("error_template_html");
    settings.error_template_json = template("error_template_json");
    settings.error_template_xml = template("error_template_xml");
    settings.error_template_plain = template("error_template_plain");
    settings.allow_debug_header = reader.boolean("allow_debug_header");
    settings.explain_trusted_ips = reader.parse_list("explain_trusted_ips", |entries| {
        entries.iter().map(|entry| Cidr::parse(entry)).collect()
    });
    settings.explain_token = reader.secret("explain_token");
    settings.router_flavor = reader.choice("router_flavor");
    settings.upstream_keepalive_pool_size = reader.count("upstream_keepalive_pool_size", 0);
    settings.upstream_keepalive_max_requests =
        reader.number("upstream_keepalive_max_requests", 0, u64::MAX);
    settings.upstream_keepalive_idle_timeout =
        Some(reader.seconds("upstream_keepalive_idle_timeout")).filter(|time| !time.is_zero());
}

fn limits(settings: &mut Settings, reader: &mut Reader) {
    settings.client_max_body_size = reader.limit("nginx_http_client_max_body_size");
    settings.admin_client_max_body_size = reader.limit("nginx_admin_client_max_body_size");
    settings.client_body_buffer_size = reader.size("nginx_http_client_body_buffer_size");
    settings.client_header_buffer_size = reader.size("nginx_http_client_header_buffer_size");
    settings.large_client_header_buffers = reader.parse(
        "nginx_http_large_client_header_buffers",
        HeaderBuffers::parse,
    );
    settings.client_header_timeout = reader.duration("nginx_http_client_header_timeout");
    settings.client_body_timeout = reader.duration("nginx_http_client_body_timeout");
    settings.send_timeout = reader.duration("nginx_http_send_timeout");
    // nginx allows a second time here, for a header that tells the client.
    settings.keepalive_timeout = reader.parse("nginx_http_keepalive_timeout", |text| {
        crate::values::parse_duration(text.split(' ').next().unwrap_or_default())
    });
    settings.keepalive_requests = reader.size("nginx_http_keepalive_requests");
    settings.worker_connections = reader
        .parse("nginx_events_worker_connections", auto_or_size)
        .map(|count| usize::try_from(count).unwrap_or(usize::MAX));
    settings.worker_rlimit_nofile = reader.parse("nginx_main_worker_rlimit_nofile", auto_or_size);
    settings.lua_max_req_headers = reader.small("lua_max_req_headers", 1, 1000);
    settings.lua_max_resp_headers = reader.small("lua_max_resp_headers", 1, 1000);
    settings.lua_max_uri_args = reader.small("lua_max_uri_args", 1, 1000);
    settings.lua_max_post_args = reader.small("lua_max_post_args", 1, 1000);
}

fn auto_or_size(text: &str) -> Result<Option<u64>, String> {
    if text == "auto" {
        Ok(None)
    } else {
        parse_size(text).map(Some)
    }
}

fn dns(reader: &mut Reader) -> DnsSettings {
    if reader.boolean("new_dns_client") {
        DnsSettings {
            resolvers: reader.parse_list("resolver_address", resolvers),
            hosts_file: reader.path("resolver_hosts_file").unwrap_or_default(),
            order: reader.parse_list("resolver_family", families),
            asks_services_by_form: true,
            valid_ttl: reader.seconds_if_set("resolver_valid_ttl"),
            stale_ttl: reader.seconds("resolver_stale_ttl"),
            error_ttl: reader.seconds("resolver_error_ttl"),
            not_found_ttl: reader.seconds("resolver_error_ttl"),
            cache_size: reader.count("resolver_lru_cache_size", 1),
        }
    } else {
        DnsSettings {
            resolvers: reader.parse_list("dns_resolver", resolvers),
            hosts_file: reader.path("dns_hostsfile").unwrap_or_default(),
            order: reader.parse_list("dns_order", families),
            asks_services_by_form: false,
            valid_ttl: reader.seconds_if_set("dns_valid_ttl"),
            stale_ttl: reader.seconds("dns_stale_ttl"),
            error_ttl: reader.seconds("dns_error_ttl"),
            not_found_ttl: reader.seconds("dns_not_found_ttl"),
            cache_size: reader.count("dns_cache_size", 1),
        }
    }
}

fn resolvers(entries: &[String]) -> Result<Vec<SocketAddr>, String> {
    let parse = |entry: &String| {
        let bare = entry
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let address = bare.unwrap_or(entry).parse::<IpAddr>();
        let address = address.map(|ip| SocketAddr::new(ip, DNS_PORT));
        address
            .or_else(|_| entry.parse())
            .map_err(|_| format!("`{entry}` is not an address, or an address and port"))
    };
    entries.iter().map(parse).collect()
}

fn families(entries: &[String]) -> Result<Vec<DnsFamily>, String> {
    let parse = |entry: &String| {
        DnsFamily::parse(&entry.to_ascii_uppercase())
            .ok_or_else(|| format!("`{entry}` is not one of LAST, SRV, A, AAAA, CNAME"))
    };
    entries.iter().map(parse).collect()
}
