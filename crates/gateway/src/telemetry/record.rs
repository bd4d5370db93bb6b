//! One answered request, as the engine notes it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use uuid::Uuid;
use wire::telemetry::{Latencies, Record, Source};

use super::text::Text;

/// One answered request: plain values and at most one reference count, so that noting it costs
/// a copy.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestRecord {
    /// When the first byte of the request was read, in milliseconds since the Unix epoch.
    pub started_at_ms: u64,
    /// The request id.
    pub request_id: [u8; 32],
    /// Method; cut after 16 bytes.
    pub method: Text<16>,
    /// Host without port; cut after 64 bytes.
    pub host: Text<64>,
    /// Path without query string; cut after 96 bytes.
    pub path: Text<96>,
    /// Status sent to the client; 0 when the connection ended before one.
    pub status: u16,
    /// Status of the upstream; 0 when none answered.
    pub upstream_status: u16,
    /// The service.
    pub service: Option<Uuid>,
    /// The route.
    pub route: Option<Uuid>,
    /// The consumer.
    pub consumer: Option<Uuid>,
    /// From the first byte of the request to the last byte of the answer, in microseconds.
    pub total_us: u64,
    /// Waiting for the upstream, in microseconds.
    pub upstream_us: u64,
    /// The gateway's own part before the upstream was asked, in microseconds.
    pub gateway_us: u64,
    /// Bytes of the request, head and body.
    pub request_bytes: u64,
    /// Bytes of the answer, head and body.
    pub response_bytes: u64,
    /// The client.
    pub client_ip: IpAddr,
    /// `host:port` of the upstream used last; shared with the snapshot or the pool.
    pub target: Option<Arc<str>>,
    /// Who made the answer.
    pub source: Source,
}

impl Default for RequestRecord {
    fn default() -> Self {
        Self {
            started_at_ms: 0,
            request_id: [b'0'; 32],
            method: Text::EMPTY,
            host: Text::EMPTY,
            path: Text::EMPTY,
            status: 0,
            upstream_status: 0,
            service: None,
            route: None,
            consumer: None,
            total_us: 0,
            upstream_us: 0,
            gateway_us: 0,
            request_bytes: 0,
            response_bytes: 0,
            client_ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            target: None,
            source: Source::Gateway,
        }
    }
}

impl From<RequestRecord> for Record {
    fn from(noted: RequestRecord) -> Self {
        let path = (!noted.path.is_empty()).then(|| noted.path.to_text());
        Self {
            started_at_ms: noted.started_at_ms,
            request_id: String::from_utf8_lossy(&noted.request_id).into_owned(),
            method: noted.method.to_text(),
            host: noted.host.to_text(),
            path,
            status: noted.status,
            upstream_status: Some(noted.upstream_status).filter(|status| *status != 0),
            service: noted.service,
            route: noted.route,
            consumer: noted.consumer,
            latencies: Latencies {
                total_us: noted.total_us,
                upstream_us: noted.upstream_us,
                gateway_us: noted.gateway_us,
            },
            request_bytes: noted.request_bytes,
            response_bytes: noted.response_bytes,
            client_ip: Some(noted.client_ip),
            target: noted.target.as_deref().map(str::to_owned),
            source: noted.source,
        }
    }
}
