//! What an instance is told.

use std::time::Duration;

use pki::KeyKind;
use plugin_api::{BuildContext, BuildError};
use schema::{DecodeError, Reader};
use serde_json::{Map, Value};

use super::storage::{Dialect, Login, Memory, Server, Storage};
use crate::outcall::{Trust, Verify};
use crate::redis::{Redis, Settings as RedisSettings};

/// How long a key-value server may take unless the configuration says so.
const SERVER_TIMEOUT: Duration = Duration::from_secs(2);

/// What an instance is told. Holds secrets.
pub(super) struct Config {
    pub(super) email: String,
    /// Address of the authority's directory.
    pub(super) api: String,
    /// Key id and secret of an account that exists outside.
    pub(super) outside: Option<(String, String)>,
    /// Key of the `keys` entity to use for the account: its key id and the name of its set.
    pub(super) account_key: Option<(String, Option<String>)>,
    pub(super) key_kind: KeyKind,
    /// Seconds before the end of a certificate from which on it is renewed.
    pub(super) renew_before: u64,
    pub(super) hosts: Hosts,
    /// Seconds to leave a host alone after a failure.
    pub(super) backoff: u64,
    pub(super) preferred_chain: Option<String>,
    pub(super) names_address: bool,
    pub(super) storage_name: String,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("api", &self.api)
            .finish_non_exhaustive()
    }
}

/// Which hosts get certificates.
#[derive(Clone, Debug, Default)]
pub(super) struct Hosts {
    any: bool,
    names: Vec<String>,
}

impl Hosts {
    /// Whether a host gets one.
    ///
    /// Compat: a `*` at the front stands for any text, dots included; nothing else has a meaning.
    pub(super) fn allow(&self, host: &str) -> bool {
        let takes = |name: &String| match name.strip_prefix('*') {
            Some(end) => host.ends_with(end),
            None => name == host,
        };
        self.any || self.names.iter().any(takes)
    }
}

/// The directory of an authority.
///
/// Compat: an address without `/directory` at its end gets it; but `/dir`, which other servers
/// have, is taken as it is.
fn directory(url: &str) -> String {
    match url.ends_with("/directory") || url.ends_with("/dir") {
        true => url.to_owned(),
        false => format!("{}/directory", url.trim_end_matches('/')),
    }
}

impl TryFrom<&Map<String, Value>> for Config {
    type Error = DecodeError;

    fn try_from(config: &Map<String, Value>) -> Result<Self, DecodeError> {
        let read = Reader::new("plugins", config);
        let default = "https://acme-v02.api.letsencrypt.org/directory";
        let api = read.text("api_uri")?;
        let key_kind = match (
            read.text("cert_type")?.as_deref(),
            read.integer("rsa_key_size")?,
        ) {
            (Some("ecc"), _) => KeyKind::Ecdsa,
            (_, Some(2048_u32)) => KeyKind::Rsa2048,
            (_, Some(3072)) => KeyKind::Rsa3072,
            _ => KeyKind::Rsa4096,
        };
        let account_key = match read.members("account_key")? {
            None => None,
            Some(record) => {
                let key = Reader::new("plugins", record);
                Some((key.required_text("key_id")?, key.text("key_set")?))
            }
        };
        let names = read.texts("domains")?;
        let seconds = |name, default: f64, unit: f64| {
            let given: Option<f64> = read.number(name)?;
            let given = Duration::try_from_secs_f64(given.unwrap_or(default) * unit);
            Ok::<_, DecodeError>(given.unwrap_or_default().as_secs())
        };
        Ok(Self {
            email: read.required_text("account_email")?,
            api: directory(api.as_deref().unwrap_or(default)),
            outside: read.text("eab_kid")?.zip(read.text("eab_hmac_key")?),
            account_key,
            key_kind,
            renew_before: seconds("renew_threshold_days", 14.0, 86_400.0)?,
            hosts: Hosts {
                any: read.boolean("allow_any_domain")?.unwrap_or(false),
                names: names.iter().map(|name| name.to_ascii_lowercase()).collect(),
            },
            backoff: seconds("fail_backoff_minutes", 5.0, 60.0)?,
            preferred_chain: read.text("preferred_chain")?,
            names_address: read.boolean("enable_ipv4_common_name")?.unwrap_or(true),
            storage_name: read.text("storage")?.unwrap_or_else(|| "shm".to_owned()),
        })
    }
}

/// The storage that a configuration names.
pub(super) fn storage(
    name: &str,
    config: &Map<String, Value>,
    context: &mut BuildContext<'_>,
) -> Result<Storage, BuildError> {
    let read = Reader::new("plugins", config);
    let records = read.members("storage_config")?.cloned().unwrap_or_default();
    let records = Reader::new("plugins", &records);
    let refused = |reason: &str| BuildError::Config {
        field: "storage".to_owned(),
        reason: reason.to_owned(),
    };
    match name {
        "shm" => Ok(match &context.node.database {
            // A certificate must outlive the process: authorities give few.
            Some(database) => Storage::Database(database.clone()),
            None => {
                let notice = "storage `shm` is memory: certificates are obtained anew after a \
                              restart, and each node obtains its own";
                context.notices.push(notice.to_owned());
                Storage::Memory(context.shared.get::<Memory>())
            }
        }),
        "kong" => {
            let database = context.node.database.clone();
            let database = database.ok_or_else(|| refused("this node has no database"))?;
            Ok(Storage::Database(database))
        }
        "redis" => {
            let settings = RedisSettings::read(&records)?;
            let settings = settings.ok_or_else(|| refused("needs `storage_config.redis.host`"))?;
            let record = records.members("redis")?.cloned().unwrap_or_default();
            let record = Reader::new("plugins", &record);
            let extra = record
                .members("extra_options")?
                .cloned()
                .unwrap_or_default();
            let namespace = Reader::new("plugins", &extra).text("namespace")?;
            let redis = Redis::new(settings, context.shared.get::<Trust>());
            Ok(Storage::Redis(redis, namespace.unwrap_or_default()))
        }
        name => {
            let name = if name == "vault" { "vault" } else { "consul" };
            let record = records.members(name)?.cloned().unwrap_or_default();
            let trust = context.shared.get::<Trust>();
            let server = server(name, &Reader::new("plugins", &record), trust)?;
            let server = server.ok_or_else(|| refused("needs a `host` in its settings"))?;
            Ok(Storage::Server(server.into()))
        }
    }
}

fn server(
    name: &str,
    read: &Reader<'_>,
    trust: std::sync::Arc<Trust>,
) -> Result<Option<Server>, DecodeError> {
    let Some(host) = read.text("host")? else {
        return Ok(None);
    };
    let is_vault = name == "vault";
    let (port, path) = match is_vault {
        true => (8200, "secret/acme"),
        false => (8500, "acme"),
    };
    let scheme = match read.boolean("https")? {
        Some(true) => "https",
        _ => "http",
    };
    let port: u16 = read.integer("port")?.unwrap_or(port);
    let timeout: Option<f64> = read.number("timeout")?;
    let verifies = !is_vault || read.boolean("tls_verify")?.unwrap_or(true);
    let login = match read.text("auth_method")?.as_deref() {
        Some("kubernetes") if is_vault => Login::Kubernetes {
            path: read
                .text("auth_path")?
                .unwrap_or_else(|| "auth/kubernetes".to_owned()),
            role: read.text("auth_role")?.unwrap_or_default(),
            file: read.text("jwt_path")?.unwrap_or_else(|| {
                "/var/run/secrets/kubernetes.io/serviceaccount/token".to_owned()
            }),
        },
        _ => Login::Token,
    };
    Ok(Some(Server {
        dialect: match is_vault {
            true => Dialect::Vault(login),
            false => Dialect::Consul,
        },
        origin: format!("{scheme}://{host}:{port}"),
        path: read.text("kv_path")?.unwrap_or_else(|| path.to_owned()),
        token: read.text("token")?,
        verify: if verifies { Verify::Yes } else { Verify::No },
        timeout: timeout
            .and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok())
            .unwrap_or(SERVER_TIMEOUT),
        trust,
    }))
}
