//! Questions to name servers.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use conf::DnsSettings;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
    ServerOrderingStrategy,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError as Said, NetError};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{TokioResolver, system_conf};

use super::answer::{DnsError, Found};

/// Limit: addresses of a name; more are not used.
pub(crate) const FOUND_MAX: usize = 256;

/// Limit: how long a question may take, with all attempts at all servers.
const QUESTION_LIMIT: Duration = Duration::from_secs(10);

/// Records of a kind, and how many seconds they live.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Records {
    pub(crate) found: Vec<Found>,
    pub(crate) ttl: u32,
}

/// A service record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) port: u16,
    pub(crate) weight: u16,
}

/// Asks the name servers of the settings, or those of the system.
pub(super) struct Asker {
    resolver: Option<TokioResolver>,
}

impl Asker {
    /// Reads the system's settings; `patience` replaces how long one attempt at a server waits.
    pub(super) fn new(settings: &DnsSettings, patience: Option<Duration>) -> Self {
        let (mut config, mut options) = system_conf::read_system_conf()
            .unwrap_or_else(|_| (ResolverConfig::default(), ResolverOpts::default()));
        if !settings.resolvers.is_empty() {
            config.name_servers = servers(&settings.resolvers);
        }
        // What is kept and for how long is decided elsewhere.
        options.cache_size = 0;
        options.timeout = patience.unwrap_or(options.timeout);
        options.use_hosts_file = ResolveHosts::Never;
        options.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
        let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let resolver = builder.with_options(options).build();
        Self {
            resolver: resolver
                .inspect_err(|error| tracing::error!(%error, "names cannot be resolved"))
                .ok(),
        }
    }

    /// The addresses of a name, of one family.
    pub(super) async fn addresses(&self, name: &str, is_v6: bool) -> Result<Records, DnsError> {
        let kind = if is_v6 {
            RecordType::AAAA
        } else {
            RecordType::A
        };
        addresses_of(self.ask(name, kind).await?, is_v6)
    }

    /// The service records of a name with the best priority, and how long they live.
    pub(super) async fn services(&self, name: &str) -> Result<(Vec<Service>, u32), DnsError> {
        services_of(self.ask(name, RecordType::SRV).await?)
    }

    async fn ask(&self, name: &str, kind: RecordType) -> Result<Vec<(RData, u32)>, DnsError> {
        let Some(resolver) = &self.resolver else {
            return Err(DnsError::NoAnswer("no name server can be used".to_owned()));
        };
        let asked = Name::from_str_relaxed(name)
            .map_err(|_| DnsError::BadName(name.chars().take(255).collect()))?;
        let answered = tokio::time::timeout(QUESTION_LIMIT, resolver.lookup(asked, kind)).await;
        match answered {
            Ok(Ok(lookup)) => Ok(lookup
                .answers()
                .iter()
                .map(|record| (record.data.clone(), record.ttl))
                .collect()),
            Ok(Err(error)) => Err(fault(&error)),
            Err(_) => Err(no_answer()),
        }
    }
}

/// The addresses of one family in an answer; aliases on the way count for their lifetime.
pub(crate) fn addresses_of(
    records: impl IntoIterator<Item = (RData, u32)>,
    is_v6: bool,
) -> Result<Records, DnsError> {
    let mut found = Vec::new();
    let mut ttl = u32::MAX;
    for (data, lives) in records {
        let ip: IpAddr = match data {
            RData::A(address) if !is_v6 => address.0.into(),
            RData::AAAA(address) if is_v6 => address.0.into(),
            RData::CNAME(_) => {
                ttl = ttl.min(lives);
                continue;
            }
            _ => continue,
        };
        ttl = ttl.min(lives);
        let plain = Found::plain(ip);
        if found.len() < FOUND_MAX && !found.contains(&plain) {
            found.push(plain);
        }
    }
    if found.is_empty() {
        return Err(DnsError::Empty);
    }
    Ok(Records { found, ttl })
}

/// The service records of the best priority in an answer, and how long they live.
///
/// Compat: other priorities are not used; a weight of 0 counts as 1.
pub(crate) fn services_of(
    records: impl IntoIterator<Item = (RData, u32)>,
) -> Result<(Vec<Service>, u32), DnsError> {
    let mut by_priority: HashMap<u16, Vec<Service>> = HashMap::new();
    let mut ttl = u32::MAX;
    for (data, lives) in records {
        let RData::SRV(record) = data else { continue };
        ttl = ttl.min(lives);
        let group = by_priority.entry(record.priority).or_default();
        let target = record.target.to_ascii();
        // A lone dot says that there is no such service (RFC 2782).
        if group.len() < FOUND_MAX && target != "." {
            group.push(Service {
                name: target.trim_end_matches('.').to_ascii_lowercase(),
                port: record.port,
                weight: record.weight.max(1),
            });
        }
    }
    let best = by_priority
        .into_iter()
        .min_by_key(|(priority, _)| *priority);
    match best {
        Some((_, services)) if !services.is_empty() => Ok((services, ttl)),
        _ => Err(DnsError::Empty),
    }
}

fn no_answer() -> DnsError {
    DnsError::NoAnswer("no name server answered in time".to_owned())
}

fn servers(addresses: &[SocketAddr]) -> Vec<NameServerConfig> {
    let server = |address: &SocketAddr| {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
        let connections = connections.map(|mut connection| {
            connection.port = address.port();
            connection
        });
        NameServerConfig::new(address.ip(), true, connections.to_vec())
    };
    addresses.iter().map(server).collect()
}

fn fault(error: &NetError) -> DnsError {
    let code = match error {
        NetError::Dns(Said::NoRecordsFound(none)) => u16::from(none.response_code),
        NetError::Dns(Said::ResponseCode(code)) => u16::from(*code),
        NetError::Timeout => return no_answer(),
        other => return DnsError::NoAnswer(format!("no name server answered: {other}")),
    };
    match code {
        0 => DnsError::Empty,
        3 => DnsError::NoSuchName,
        code => DnsError::Server { code },
    }
}
