//! Who calls: keys, the machine's own, or those of a role.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use parking_lot::Mutex;
use serde_json::Value;

use super::sign::{Signed, sign};
use crate::outcall::{Answer, Call, Trust, Url, Verify, call, escape};

/// Milliseconds before the end of temporary keys at which new ones are fetched.
const MARGIN_MS: u64 = 60_000;

/// Milliseconds that temporary keys of untold end are used.
const UNTOLD_MS: u64 = 300_000;

/// Largest answer of a service that gives keys, in bytes.
const ANSWER_MAX: usize = 64 * 1024;

/// Where a machine finds its own metadata.
const METADATA: &str = "http://169.254.169.254";

/// Keys. Prints a placeholder.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
    /// Unix milliseconds.
    expires_ms: Option<u64>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Credentials {
    /// Keys that do not end.
    pub(crate) fn fixed(id: String, secret: String) -> Self {
        Self {
            id,
            secret,
            token: None,
            expires_ms: None,
        }
    }
}

/// How the machine's metadata is asked.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    pub(crate) base: String,
    /// Whether a session is opened first (version 2).
    pub(crate) has_session: bool,
}

impl Metadata {
    pub(crate) fn new(has_session: bool) -> Self {
        Self {
            base: METADATA.to_owned(),
            has_session,
        }
    }
}

/// Where keys come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Fixed(Credentials),
    Machine(Metadata),
}

/// A role to take on.
#[derive(Clone)]
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) session: String,
    /// Where it is taken on.
    pub(crate) endpoint: String,
    pub(crate) region: String,
}

/// Gives keys, fresh ones when the last are about to end.
pub(crate) struct Provider {
    source: Source,
    role: Option<Role>,
    timeout: Duration,
    kept: Mutex<Option<Credentials>>,
}

/// Why there are no keys; names no secret.
pub(crate) type Fault = String;

impl Provider {
    pub(crate) fn new(source: Source, role: Option<Role>, timeout: Duration) -> Self {
        Self {
            source,
            role,
            timeout,
            kept: Mutex::new(None),
        }
    }

    /// Keys that hold now.
    pub(crate) async fn credentials(
        &self,
        trust: &Trust,
        now_ms: u64,
    ) -> Result<Credentials, Fault> {
        if let (Source::Fixed(keys), None) = (&self.source, &self.role) {
            return Ok(keys.clone());
        }
        let kept = self.kept.lock().clone();
        let is_good = |keys: &Credentials| {
            keys.expires_ms
                .is_none_or(|end| end > now_ms.saturating_add(MARGIN_MS))
        };
        if let Some(keys) = kept.filter(is_good) {
            return Ok(keys);
        }
        let mut keys = match &self.source {
            Source::Fixed(keys) => keys.clone(),
            Source::Machine(metadata) => self.of_machine(metadata, trust, now_ms).await?,
        };
        if let Some(role) = &self.role {
            keys = self.of_role(role, &keys, trust, now_ms).await?;
        }
        *self.kept.lock() = Some(keys.clone());
        Ok(keys)
    }

    async fn ask(
        &self,
        url: &str,
        method: Method,
        headers: Vec<(String, String)>,
        trust: &Trust,
    ) -> Result<Answer, Fault> {
        let url = Url::parse(url).ok_or_else(|| "a malformed URL".to_owned())?;
        let answer = call(Call {
            url: &url,
            method,
            headers,
            body: Bytes::new(),
            verify: Verify::Yes,
            trust,
            timeout: self.timeout,
            keepalive: Duration::ZERO,
            proxy: None,
            max_answer: ANSWER_MAX,
        })
        .await
        .map_err(|error| error.to_string())?;
        match answer.status {
            200 => Ok(answer),
            status => Err(format!("the answer has status {status}")),
        }
    }

    async fn of_machine(
        &self,
        metadata: &Metadata,
        trust: &Trust,
        now_ms: u64,
    ) -> Result<Credentials, Fault> {
        let base = &metadata.base;
        let mut headers = Vec::new();
        if metadata.has_session {
            let life = (
                "X-aws-ec2-metadata-token-ttl-seconds".to_owned(),
                "60".to_owned(),
            );
            let url = format!("{base}/latest/api/token");
            let session = self.ask(&url, Method::PUT, vec![life], trust).await?;
            headers.push((
                "X-aws-ec2-metadata-token".to_owned(),
                String::from_utf8_lossy(&session.body).trim().to_owned(),
            ));
        }
        let base = format!("{base}/latest/meta-data/iam/security-credentials/");
        let name = self.ask(&base, Method::GET, headers.clone(), trust).await?;
        let name = String::from_utf8_lossy(&name.body);
        let name = name.lines().next().unwrap_or_default().trim().to_owned();
        let url = format!("{base}{}", escape(&name));
        let answer = self.ask(&url, Method::GET, headers, trust).await?;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let lacks = || "the machine's metadata names no keys".to_owned();
        let end = text("Expiration").and_then(|end| clock::parse_rfc3339_millis(&end));
        Ok(Credentials {
            id: text("AccessKeyId").ok_or_else(lacks)?,
            secret: text("SecretAccessKey").ok_or_else(lacks)?,
            token: text("Token"),
            expires_ms: end.or_else(|| now_ms.checked_add(UNTOLD_MS)),
        })
    }

    async fn of_role(
        &self,
        role: &Role,
        keys: &Credentials,
        trust: &Trust,
        now_ms: u64,
    ) -> Result<Credentials, Fault> {
        let base = role.endpoint.trim_end_matches('/');
        let text = format!(
            "{base}/?Action=AssumeRole&RoleArn={}&RoleSessionName={}&Version=2011-06-15",
            escape(&role.arn),
            escape(&role.session)
        );
        let url = Url::parse(&text).ok_or_else(|| "a malformed URL".to_owned())?;
        let mut headers = Vec::new();
        let what = Signed {
            method: &Method::GET,
            url: &url,
            body: b"",
            service: "sts",
            region: &role.region,
            now_ms,
        };
        sign(what, keys, &mut headers);
        let answer = self.ask(&text, Method::GET, headers, trust).await?;
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        let lacks = || "no keys were given for the role".to_owned();
        let end = element(&body, "Expiration").and_then(|end| clock::parse_rfc3339_millis(&end));
        Ok(Credentials {
            id: element(&body, "AccessKeyId").ok_or_else(lacks)?,
            secret: element(&body, "SecretAccessKey").ok_or_else(lacks)?,
            token: element(&body, "SessionToken"),
            expires_ms: end.or_else(|| now_ms.checked_add(UNTOLD_MS)),
        })
    }
}

/// The text of the first XML element of a name. Keys hold no character that XML escapes.
fn element(body: &str, name: &str) -> Option<String> {
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(text.trim().to_owned())
}
