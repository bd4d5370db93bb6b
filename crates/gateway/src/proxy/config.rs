//! The settings of the data path, turned into what it needs at hand: byte strings, microseconds.

use conf::{Cidr, HeaderTokens, RealIpHeader, Settings};

use super::errors::Form;
use super::explaining::Permitted;
use super::templates::Templates;
use crate::http1::HeadLimits;
use crate::net::PoolLimits;

/// What the engine reads while requests run. One per core.
#[derive(Clone, Debug)]
pub(crate) struct ProxyConfig {
    /// Name and version of this product, as in `Via` and `Server`.
    pub(crate) product: String,
    /// `Via: 1.1 …` with CR LF, for answers and for requests without one.
    pub(crate) via_line: Vec<u8>,
    /// The end of a request line, `Via` and `Host: `, as most requests to services have them.
    pub(crate) request_front: Vec<u8>,
    /// `Via` and `X-Kong-Request-Id: `, as most answers have them.
    pub(crate) answer_end: Vec<u8>,
    /// `Server: …` with CR LF.
    pub(crate) server_line: Vec<u8>,
    pub(crate) headers: HeaderTokens,
    pub(crate) sends_request_id: bool,
    pub(crate) allows_debug: bool,
    /// Who is told why; usually nobody.
    pub(crate) explain: Option<Permitted>,
    pub(crate) trusted: Vec<Cidr>,
    /// Lower-case name of the field that replaces the client's address.
    pub(crate) real_ip_header: Option<Vec<u8>>,
    pub(crate) is_real_ip_recursive: bool,
    pub(crate) error_form: Form,
    pub(crate) templates: Templates,
    pub(crate) max_body: Option<u64>,
    pub(crate) head_limits: HeadLimits,
    /// Timeouts in microseconds.
    pub(crate) header_timeout: u64,
    pub(crate) body_timeout: u64,
    pub(crate) send_timeout: u64,
    pub(crate) keepalive_timeout: u64,
    pub(crate) keepalive_requests: u64,
    pub(crate) pool: PoolLimits,
    /// Most client connections of a core.
    pub(crate) max_connections: usize,
}

impl ProxyConfig {
    /// Takes over what concerns the data path.
    pub(crate) fn new(settings: &Settings, product: &str, templates: &Templates) -> Self {
        let buffers = &settings.large_client_header_buffers;
        let line = usize::try_from(buffers.size_bytes).unwrap_or(8192);
        Self {
            product: product.to_owned(),
            via_line: format!("Via: 1.1 {product}\r\n").into_bytes(),
            request_front: format!(" HTTP/1.1\r\nVia: 1.1 {product}\r\nHost: ").into_bytes(),
            answer_end: format!("Via: 1.1 {product}\r\nX-Kong-Request-Id: ").into_bytes(),
            server_line: format!("Server: {product}\r\n").into_bytes(),
            headers: settings.headers,
            sends_request_id: settings.headers_upstream.request_id,
            allows_debug: settings.allow_debug_header,
            explain: Permitted::of(settings),
            trusted: settings.trusted_ips.clone(),
            real_ip_header: match &settings.real_ip_header {
                RealIpHeader::Header(name) => Some(name.to_ascii_lowercase().into_bytes()),
                RealIpHeader::ProxyProtocol => None,
            },
            is_real_ip_recursive: settings.real_ip_recursive,
            error_form: Form::of_setting(settings.error_default_type),
            templates: templates.clone(),
            max_body: settings.client_max_body_size,
            head_limits: HeadLimits {
                line,
                head: line.saturating_mul(usize::try_from(buffers.count).unwrap_or(4)),
            },
            header_timeout: micros(settings.client_header_timeout),
            body_timeout: micros(settings.client_body_timeout),
            send_timeout: micros(settings.send_timeout),
            keepalive_timeout: micros(settings.keepalive_timeout),
            keepalive_requests: settings.keepalive_requests,
            pool: PoolLimits {
                size: settings.upstream_keepalive_pool_size,
                max_requests: match settings.upstream_keepalive_max_requests {
                    0 => u32::MAX,
                    limit => u32::try_from(limit).unwrap_or(u32::MAX),
                },
                idle_timeout: settings
                    .upstream_keepalive_idle_timeout
                    .map_or(u64::MAX / 4, micros),
            },
            max_connections: settings
                .worker_connections
                .unwrap_or(super::listener::MAX_CONNECTIONS),
        }
    }

    /// Whether a peer's forwarded fields are believed.
    pub(crate) fn trusts(&self, ip: std::net::IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(ip))
    }
}

fn micros(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX / 4)
}
