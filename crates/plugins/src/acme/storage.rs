//! Where accounts, challenges and certificates are kept.
//!
//! Compat: names and values of what is kept are those of the reference, so that a storage that
//! several gateways share serves both.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Method;
use parking_lot::Mutex;
use plugin_api::Database;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::outcall::{Call, Trust, Url, Verify, call, escape};
use crate::redis::{Redis, Value as RedisValue};

/// The entity of a database.
const KIND: &str = "acme_storage";

/// Limit: largest answer of a key-value server, in bytes.
const ANSWER_MAX: usize = 1024 * 1024;

/// Limit: values that the node's memory keeps.
const MEMORY_MAX: usize = 10_000;

/// How long connections to a key-value server stay idle.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Memory of the node.
#[derive(Debug, Default)]
pub(super) struct Memory {
    values: Mutex<HashMap<String, String>>,
}

/// A storage.
#[derive(Clone, Debug)]
pub(super) enum Storage {
    /// Memory of the node.
    Memory(Arc<Memory>),
    /// Database of the node.
    Database(Arc<dyn Database>),
    /// Redis, with a text in front of every key.
    Redis(Redis, String),
    /// Consul or Vault.
    Server(Arc<Server>),
}

/// Which protocol a key-value server speaks.
#[derive(Debug)]
pub(super) enum Dialect {
    Consul,
    /// Vault's second version of its key-value engine.
    Vault(Login),
}

/// How a node proves itself to Vault.
#[derive(Debug)]
pub(super) enum Login {
    Token,
    /// With a file that holds the service account's token.
    Kubernetes {
        path: String,
        role: String,
        file: String,
    },
}

/// A server that keeps values by key.
pub(super) struct Server {
    pub(super) dialect: Dialect,
    /// Scheme, host and port.
    pub(super) origin: String,
    pub(super) path: String,
    pub(super) token: Option<String>,
    pub(super) verify: Verify,
    pub(super) timeout: Duration,
    pub(super) trust: Arc<Trust>,
}

impl std::fmt::Debug for Server {
    /// Leaves out the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// Why a storage did not do what was asked. Holds no value and no secret.
#[derive(Debug, thiserror::Error)]
#[error("the storage does not answer as it should: {0}")]
pub(super) struct StorageError(String);

fn failed(error: impl std::fmt::Display) -> StorageError {
    StorageError(error.to_string())
}

impl Storage {
    /// The value of a key.
    pub(super) async fn get(&self, key: &str) -> Result<Option<String>, StorageError> {
        match self {
            Self::Memory(memory) => Ok(memory.values.lock().get(key).cloned()),
            Self::Database(database) => {
                let row = database.find(KIND, "key", key.to_owned()).await;
                let row = row.map_err(failed)?.unwrap_or_default();
                Ok(row.get("value").and_then(Value::as_str).map(str::to_owned))
            }
            Self::Redis(redis, namespace) => {
                let command = ["GET".to_owned(), format!("{namespace}{key}")];
                match redis.command(&command).await.map_err(failed)? {
                    RedisValue::Text(bytes) => {
                        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
                    }
                    _ => Ok(None),
                }
            }
            Self::Server(server) => server.get(key).await,
        }
    }

    /// Keeps a value.
    pub(super) async fn set(&self, key: &str, value: &str) -> Result<(), StorageError> {
        match self {
            Self::Memory(memory) => {
                let mut values = memory.values.lock();
                if values.len() >= MEMORY_MAX && !values.contains_key(key) {
                    return Err(failed("the memory is full"));
                }
                values.insert(key.to_owned(), value.to_owned());
                Ok(())
            }
            Self::Database(database) => {
                let mut row = Map::new();
                row.insert("id".to_owned(), row_id(key).to_string().into());
                row.insert("key".to_owned(), key.into());
                row.insert("value".to_owned(), value.into());
                row.insert("created_at".to_owned(), clock::unix_seconds().into());
                database.put(KIND, row).await.map_err(failed)
            }
            Self::Redis(redis, namespace) => {
                let command = ["SET", &format!("{namespace}{key}"), value].map(str::to_owned);
                redis.command(&command).await.map(drop).map_err(failed)
            }
            Self::Server(server) => server.set(key, value).await,
        }
    }

    /// Forgets a value; one that is not there is fine.
    pub(super) async fn delete(&self, key: &str) -> Result<(), StorageError> {
        match self {
            Self::Memory(memory) => {
                memory.values.lock().remove(key);
                Ok(())
            }
            Self::Database(database) => database.delete(KIND, row_id(key)).await.map_err(failed),
            Self::Redis(redis, namespace) => {
                let command = ["DEL".to_owned(), format!("{namespace}{key}")];
                redis.command(&command).await.map(drop).map_err(failed)
            }
            Self::Server(server) => server.delete(key).await,
        }
    }
}

/// The same for a key on every node.
fn row_id(key: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, key.as_bytes())
}

impl Server {
    async fn get(&self, key: &str) -> Result<Option<String>, StorageError> {
        let path = match self.dialect {
            Dialect::Consul => format!("{}?raw", self.place("", key)),
            Dialect::Vault(_) => self.place("data", key),
        };
        let (status, body) = self.ask(Method::GET, &path, Bytes::new()).await?;
        if status == 404 {
            return Ok(None);
        }
        expect(status)?;
        let text = match self.dialect {
            Dialect::Consul => Some(String::from_utf8_lossy(&body).into_owned()),
            Dialect::Vault(_) => {
                let body: Value = serde_json::from_slice(&body).map_err(failed)?;
                body.pointer("/data/data/value")
                    .and_then(Value::as_str)
                    .map(str::to_owned)
            }
        };
        Ok(text)
    }

    async fn set(&self, key: &str, value: &str) -> Result<(), StorageError> {
        let (method, path, body) = match self.dialect {
            Dialect::Consul => (Method::PUT, self.place("", key), value.to_owned()),
            Dialect::Vault(_) => {
                let body = json!({ "data": { "value": value } });
                (Method::POST, self.place("data", key), body.to_string())
            }
        };
        let (status, _) = self.ask(method, &path, body.into()).await?;
        expect(status)
    }

    async fn delete(&self, key: &str) -> Result<(), StorageError> {
        let path = self.place("metadata", key);
        let (status, _) = self.ask(Method::DELETE, &path, Bytes::new()).await?;
        match status {
            404 => Ok(()),
            status => expect(status),
        }
    }

    /// Where a key lies; Vault tells values from what it knows of them by a part of the path.
    fn place(&self, part: &str, key: &str) -> String {
        let key = escape(key);
        let path = self.path.trim_matches('/');
        match self.dialect {
            Dialect::Consul => format!("/v1/kv/{path}/{key}"),
            Dialect::Vault(_) => {
                let (engine, folder) = path.split_once('/').unwrap_or((path, ""));
                let folder = folder.trim_matches('/');
                let slash = if folder.is_empty() { "" } else { "/" };
                format!("/v1/{engine}/{part}/{folder}{slash}{key}")
            }
        }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(u16, Bytes), StorageError> {
        let headers = match (&self.dialect, &self.token) {
            (Dialect::Consul, Some(token)) => vec![("X-Consul-Token", token.clone())],
            (Dialect::Vault(Login::Kubernetes { path, role, file }), _) => {
                vec![("X-Vault-Token", self.log_in(path, role, file).await?)]
            }
            (Dialect::Vault(Login::Token), Some(token)) => {
                vec![("X-Vault-Token", token.clone())]
            }
            (_, None) => Vec::new(),
        };
        self.send(method, path, headers, body).await
    }

    async fn log_in(&self, path: &str, role: &str, file: &str) -> Result<String, StorageError> {
        let proof = tokio::fs::read_to_string(file).await.map_err(failed)?;
        let body = json!({ "role": role, "jwt": proof.trim() }).to_string();
        let path = format!("/v1/{}/login", path.trim_matches('/'));
        let sent = self.send(Method::POST, &path, Vec::new(), body.into());
        let (status, body) = sent.await?;
        expect(status)?;
        let body: Value = serde_json::from_slice(&body).map_err(failed)?;
        let token = body.pointer("/auth/client_token").and_then(Value::as_str);
        token
            .map(str::to_owned)
            .ok_or_else(|| failed("it gave no token"))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: Vec<(&str, String)>,
        body: Bytes,
    ) -> Result<(u16, Bytes), StorageError> {
        let url = Url::parse(&format!("{}{path}", self.origin));
        let url = url.ok_or_else(|| failed("its address is none"))?;
        let headers = headers.into_iter();
        let answer = call(Call {
            url: &url,
            method,
            headers: headers
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            body,
            verify: self.verify,
            trust: &self.trust,
            timeout: self.timeout,
            keepalive: KEEPALIVE,
            proxy: None,
            max_answer: ANSWER_MAX,
        })
        .await
        .map_err(failed)?;
        Ok((answer.status, answer.body))
    }
}

fn expect(status: u16) -> Result<(), StorageError> {
    match status {
        200..=299 => Ok(()),
        status => Err(failed(format_args!("status {status}"))),
    }
}

/// The key of an account.
pub(super) fn account(api: &str, email: &str) -> String {
    format!("kong_acme:account:{api}:{}", STANDARD.encode(email))
}

/// The key of a certificate with its private key.
pub(super) fn certificate(host: &str) -> String {
    format!("kong_acme:cert_key:{host}")
}

/// The key of what is to be renewed.
pub(super) fn renewal(host: &str) -> String {
    format!("kong_acme:renew_config:{host}")
}

/// The key of the time until which a host is left alone.
pub(super) fn backoff(host: &str) -> String {
    format!("kong_acme:fail_backoff:{host}")
}

/// The key of the note that somebody obtains a certificate.
pub(super) fn lock(host: &str) -> String {
    format!("kong_acme:update_lock:{host}")
}

/// The key of the answer to a challenge.
pub(super) fn challenge(token: &str) -> String {
    format!("{token}#http-01")
}
