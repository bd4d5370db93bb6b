//! The protocol (RFC 8555), as far as a certificate for one name by `http-01` needs it.
//!
//! Written here and not taken: accounts of the reference have RSA keys, which the client
//! libraries on this TLS stack do not take, and all calls of plugins go one way out.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::sign::{AccountKey, encoded};
use super::storage::{self, Storage, StorageError};
use crate::outcall::{Answer, Call, CallError, Trust, Url, Verify, call};

/// Limit: for one call.
const CALL_LIMIT: Duration = Duration::from_secs(30);

/// Limit: largest answer, in bytes.
const ANSWER_MAX: usize = 1024 * 1024;

/// Limit: attempts at a call whose nonce is refused.
const ATTEMPTS_MAX: usize = 8;

/// Limit: how often an authority is asked whether it is done.
const LOOKS_MAX: u32 = 60;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Why there is no certificate. Holds no key.
#[derive(Debug, thiserror::Error)]
pub(super) enum AcmeError {
    #[error(
        "the authority cannot be reached: {0}; check `config.api_uri`, and that \
         `lua_ssl_trusted_certificate` trusts its certificate"
    )]
    Call(#[from] CallError),
    #[error("the authority refused: {0}")]
    Refused(String),
    #[error("the authority's answer makes no sense: no `{0}`")]
    Odd(&'static str),
    #[error("the authority is not done in time")]
    Late,
    #[error("{0}")]
    Key(String),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What a certificate is to be.
pub(super) struct Wish<'a> {
    pub(super) host: &'a str,
    /// The request for it, DER.
    pub(super) request: &'a [u8],
    /// Common name of an issuer, if one of several chains is wanted.
    pub(super) preferred_chain: Option<&'a str>,
}

/// Who asks.
pub(super) struct Account<'a> {
    pub(super) email: &'a str,
    pub(super) key: &'a AccountKey,
    /// Key id and secret of an account that exists outside.
    pub(super) outside: Option<(&'a str, &'a str)>,
}

/// A conversation with an authority.
pub(super) struct Client<'a> {
    trust: &'a Trust,
    account: Account<'a>,
    directory: Value,
    nonce: Option<String>,
    /// The account's address.
    address: Option<String>,
}

impl<'a> Client<'a> {
    /// Begins one: reads the directory, and names the account, which is made if it is not there.
    pub(super) async fn begin(
        api: &str,
        account: Account<'a>,
        trust: &'a Trust,
    ) -> Result<Self, AcmeError> {
        let answer = ask(trust, Method::GET, api, None).await?;
        let mut client = Self {
            trust,
            account,
            directory: body(&refused(answer)?)?,
            nonce: None,
            address: None,
        };
        let url = client.place("newAccount")?;
        let mut wish = json!({
            "termsOfServiceAgreed": true,
            "contact": [format!("mailto:{}", client.account.email)],
        });
        if let Some((kid, secret)) = client.account.outside {
            let bound = client.account.key.bound(&url, kid, secret);
            wish["externalAccountBinding"] = bound.map_err(AcmeError::Key)?;
        }
        let answer = client.post(&url, &wish.to_string()).await?;
        let address = answer.header("location").map(str::to_owned);
        client.address = Some(address.ok_or(AcmeError::Odd("Location"))?);
        Ok(client)
    }

    /// Obtains a certificate, PEM with its chain. Challenges are answered out of the storage.
    pub(super) async fn order(
        &mut self,
        wish: &Wish<'_>,
        storage: &Storage,
    ) -> Result<String, AcmeError> {
        let is_address = wish.host.parse::<std::net::IpAddr>().is_ok();
        let kind = if is_address { "ip" } else { "dns" };
        let identifiers = json!({"identifiers": [{"type": kind, "value": wish.host}]});
        let url = self.place("newOrder")?;
        let answer = self.post(&url, &identifiers.to_string()).await?;
        let place = answer.header("location").map(str::to_owned);
        let place = place.ok_or(AcmeError::Odd("Location"))?;
        let order = body(&answer)?;
        for url in order["authorizations"].as_array().into_iter().flatten() {
            let url = url.as_str().ok_or(AcmeError::Odd("authorizations"))?;
            self.authorise(url, storage).await?;
        }
        let finalize = text(&order, "finalize")?;
        let request = json!({"csr": encoded(wish.request)});
        self.post(&finalize, &request.to_string()).await?;
        let order = self.until_valid(&place).await?;
        let certificate = text(&order, "certificate")?;
        self.download(&certificate, wish.preferred_chain).await
    }

    /// Proves that a name leads here.
    async fn authorise(&mut self, url: &str, storage: &Storage) -> Result<(), AcmeError> {
        let authorisation = body(&self.post(url, "").await?)?;
        if authorisation["status"] == "valid" {
            return Ok(());
        }
        let challenges = authorisation["challenges"].as_array();
        let mut challenges = challenges.into_iter().flatten();
        let challenge = challenges.find(|one| one["type"] == "http-01");
        let challenge = challenge.ok_or(AcmeError::Odd("http-01"))?;
        let token = text(challenge, "token")?;
        let key = storage::challenge(&token);
        storage.set(&key, &self.account.key.answer(&token)).await?;
        let proved = async {
            self.post(&text(challenge, "url")?, "{}").await?;
            self.until_valid(url).await
        };
        let proved = proved.await;
        storage.delete(&key).await?;
        proved.map(drop)
    }

    /// Looks until an order or an authorisation is valid.
    async fn until_valid(&mut self, url: &str) -> Result<Value, AcmeError> {
        for _ in 0..LOOKS_MAX {
            let state = body(&self.post(url, "").await?)?;
            match state["status"].as_str() {
                Some("valid") => return Ok(state),
                Some("invalid" | "deactivated" | "expired" | "revoked") => {
                    return Err(AcmeError::Refused(problem(&state)));
                }
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
        Err(AcmeError::Late)
    }

    /// Fetches a certificate; of several chains the one whose last issuer is preferred.
    async fn download(&mut self, url: &str, preferred: Option<&str>) -> Result<String, AcmeError> {
        let answer = self.post(url, "").await?;
        let first = chain(&answer);
        let Some(preferred) = preferred.filter(|name| !is_issued_by(&first, name)) else {
            return Ok(first);
        };
        let links = answer.headers.get_all("link");
        let others: Vec<String> = links
            .iter()
            .filter_map(|link| alternate(link.to_str().ok()?))
            .collect();
        for url in others {
            let other = chain(&self.post(&url, "").await?);
            if is_issued_by(&other, preferred) {
                return Ok(other);
            }
        }
        Ok(first)
    }

    fn place(&self, name: &'static str) -> Result<String, AcmeError> {
        text(&self.directory, name)
    }

    /// Sends a signed message; an empty payload asks for what is there.
    async fn post(&mut self, url: &str, payload: &str) -> Result<Answer, AcmeError> {
        for _ in 0..ATTEMPTS_MAX {
            let nonce = self.nonce().await?;
            let account = self.address.as_deref();
            let key = self.account.key;
            let message = key.signed(url, &nonce, account, payload);
            let message = message.map_err(AcmeError::Key)?;
            let answer = ask(self.trust, Method::POST, url, Some(message)).await?;
            self.nonce = answer.header("replay-nonce").map(str::to_owned);
            let is_stale = answer.status == 400
                && body(&answer)
                    .is_ok_and(|body| body["type"] == "urn:ietf:params:acme:error:badNonce");
            if !is_stale {
                return refused(answer);
            }
        }
        Err(AcmeError::Refused("no nonce was taken".to_owned()))
    }

    async fn nonce(&mut self) -> Result<String, AcmeError> {
        if let Some(nonce) = self.nonce.take() {
            return Ok(nonce);
        }
        let url = self.place("newNonce")?;
        let answer = ask(self.trust, Method::HEAD, &url, None).await?;
        let nonce = answer.header("replay-nonce").map(str::to_owned);
        nonce.ok_or(AcmeError::Odd("Replay-Nonce"))
    }
}

async fn ask(
    trust: &Trust,
    method: Method,
    url: &str,
    message: Option<String>,
) -> Result<Answer, AcmeError> {
    let url = Url::parse(url).ok_or(AcmeError::Odd("URL"))?;
    let mut headers = vec![("User-Agent".to_owned(), "gatehouse".to_owned())];
    if message.is_some() {
        let kind = "application/jose+json".to_owned();
        headers.push(("Content-Type".to_owned(), kind));
    }
    let answer = call(Call {
        url: &url,
        method,
        headers,
        body: Bytes::from(message.unwrap_or_default()),
        verify: Verify::Yes,
        trust,
        timeout: CALL_LIMIT,
        keepalive: CALL_LIMIT,
        proxy: None,
        max_answer: ANSWER_MAX,
    });
    Ok(answer.await?)
}

fn refused(answer: Answer) -> Result<Answer, AcmeError> {
    match answer.status {
        200..=299 => Ok(answer),
        status => {
            let said = body(&answer).map(|body| problem(&body));
            Err(AcmeError::Refused(
                said.unwrap_or_else(|_| format!("status {status}")),
            ))
        }
    }
}

fn body(answer: &Answer) -> Result<Value, AcmeError> {
    serde_json::from_slice(&answer.body).map_err(|_| AcmeError::Odd("JSON"))
}

/// What a problem document, or the first of those inside, says.
fn problem(value: &Value) -> String {
    let challenges = value["challenges"].as_array().into_iter().flatten();
    let inner = challenges.map(|one| &one["error"]);
    let all = [value, &value["error"]].into_iter().chain(inner);
    let mut details = all.filter_map(|one| one["detail"].as_str());
    details.next().unwrap_or("it gave no reason").to_owned()
}

fn text(value: &Value, name: &'static str) -> Result<String, AcmeError> {
    let text = value[name].as_str().map(str::to_owned);
    text.ok_or(AcmeError::Odd(name))
}

fn chain(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

/// Whether the last certificate of a chain was issued by somebody of this common name.
fn is_issued_by(chain: &str, name: &str) -> bool {
    let certificates = pki::certificates_from_pem(chain.as_bytes());
    let last = certificates.ok().and_then(|mut all| all.pop());
    let last = last.and_then(|der| pki::PeerCertificate::from_der(&der).ok());
    last.is_some_and(|last| {
        let mut parts = last.issuer().split(',').map(str::trim);
        parts.any(|part| part.strip_prefix("CN=") == Some(name))
    })
}

/// The address of another chain: `<https://…>;rel="alternate"`.
fn alternate(link: &str) -> Option<String> {
    let (url, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    rest.contains("alternate").then(|| url.to_owned())
}
