//! Upstreams: pools of targets behind one name.

mod describe;
mod health;
mod meanings;

use schema::{DecodeError, Map, Reader};
use uuid::Uuid;

use crate::kind::EntityKind;
use crate::reading;

pub use health::{
    ActiveCheck, ActiveHealthy, ActiveUnhealthy, Healthchecks, PassiveCheck, PassiveHealthy,
    PassiveUnhealthy,
};

/// An upstream as the data path sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Upstream {
    /// Id.
    pub id: Uuid,
    /// The name that services use as host.
    pub name: String,
    /// How a target is chosen.
    pub algorithm: Algorithm,
    /// What is hashed.
    pub hash_on: HashInput,
    /// What is hashed when that is absent.
    pub hash_fallback: HashInput,
    /// Header for `hash_on`.
    pub hash_on_header: Option<String>,
    /// Header for `hash_fallback`.
    pub hash_fallback_header: Option<String>,
    /// Cookie; made when absent.
    pub hash_on_cookie: Option<String>,
    /// Path of that cookie.
    pub hash_on_cookie_path: String,
    /// Query argument for `hash_on`.
    pub hash_on_query_arg: Option<String>,
    /// Query argument for `hash_fallback`.
    pub hash_fallback_query_arg: Option<String>,
    /// Capture for `hash_on`.
    pub hash_on_uri_capture: Option<String>,
    /// Capture for `hash_fallback`.
    pub hash_fallback_uri_capture: Option<String>,
    /// Cookie of sticky sessions.
    pub sticky_sessions_cookie: Option<String>,
    /// Path of that cookie.
    pub sticky_sessions_cookie_path: String,
    /// Size of the hash ring.
    pub slots: u32,
    /// How health is watched.
    pub healthchecks: Healthchecks,
    /// Host sent upstream instead of the target's.
    pub host_header: Option<String>,
    /// Certificate shown to targets when the service has none.
    pub client_certificate: Option<Uuid>,
    /// Whether the name of the SRV record is sent as host.
    pub use_srv_name: bool,
    /// Tags.
    pub tags: Vec<String>,
}

/// How a target is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// In turn, by weight.
    #[default]
    RoundRobin,
    /// By hash on a ring.
    ConsistentHashing,
    /// The one with the fewest open requests by weight.
    LeastConnections,
    /// The quickest.
    Latency,
    /// The one that a cookie of the client names; without it in turn, by weight.
    StickySessions,
}

/// What is hashed to choose a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashInput {
    /// Nothing.
    #[default]
    None,
    /// The consumer.
    Consumer,
    /// The client's address.
    Ip,
    /// A header.
    Header,
    /// A cookie.
    Cookie,
    /// The path.
    Path,
    /// A query argument.
    QueryArg,
    /// A capture of the route's path.
    UriCapture,
}

impl HashInput {
    fn of(text: Option<&str>) -> Self {
        match text {
            Some("consumer") => Self::Consumer,
            Some("ip") => Self::Ip,
            Some("header") => Self::Header,
            Some("cookie") => Self::Cookie,
            Some("path") => Self::Path,
            Some("query_arg") => Self::QueryArg,
            Some("uri_capture") => Self::UriCapture,
            _ => Self::None,
        }
    }
}

/// What an upstream is.
pub(crate) fn kind() -> EntityKind {
    let mut kind = EntityKind::new("upstreams", "upstream", "upstreams", describe::schema());
    kind.endpoint_key = Some("name");
    kind
}

impl TryFrom<&Map> for Upstream {
    type Error = DecodeError;

    fn try_from(body: &Map) -> Result<Self, DecodeError> {
        let read = Reader::new("upstreams", body);
        let algorithm = match read.text("algorithm")?.as_deref() {
            Some("consistent-hashing") => Algorithm::ConsistentHashing,
            Some("least-connections") => Algorithm::LeastConnections,
            Some("latency") => Algorithm::Latency,
            Some("sticky-sessions") => Algorithm::StickySessions,
            _ => Algorithm::RoundRobin,
        };
        Ok(Self {
            id: reading::id(&read)?,
            name: read.required_text("name")?,
            algorithm,
            hash_on: HashInput::of(read.text("hash_on")?.as_deref()),
            hash_fallback: HashInput::of(read.text("hash_fallback")?.as_deref()),
            hash_on_header: read.text("hash_on_header")?,
            hash_fallback_header: read.text("hash_fallback_header")?,
            hash_on_cookie: read.text("hash_on_cookie")?,
            hash_on_cookie_path: read
                .text("hash_on_cookie_path")?
                .unwrap_or_else(|| "/".to_owned()),
            hash_on_query_arg: read.text("hash_on_query_arg")?,
            hash_fallback_query_arg: read.text("hash_fallback_query_arg")?,
            hash_on_uri_capture: read.text("hash_on_uri_capture")?,
            hash_fallback_uri_capture: read.text("hash_fallback_uri_capture")?,
            sticky_sessions_cookie: read.text("sticky_sessions_cookie")?,
            sticky_sessions_cookie_path: read
                .text("sticky_sessions_cookie_path")?
                .unwrap_or_else(|| "/".to_owned()),
            slots: read.integer("slots")?.unwrap_or(10_000),
            healthchecks: Healthchecks::read(read.members("healthchecks")?)?,
            host_header: read.text("host_header")?,
            client_certificate: reading::foreign(&read, "client_certificate")?,
            use_srv_name: read.boolean("use_srv_name")?.unwrap_or(false),
            tags: read.texts("tags")?,
        })
    }
}
