//! The token endpoint: applications ask for tokens.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use plugin_api::{CredentialSlot, Exchange, Reply};
use schema::Reader;
use serde_json::{Map, Value};

use super::answer::{self, Fault, Problem};
use super::exchange::{is_safe, must_prove, redirect_uri, scope, unsafe_problem};
use super::issue::{Grant, Issuer};
use super::parameters::Parameters;
use super::schema::Config;
use super::token::{Application, Token, foreign, id};
use crate::auth;

/// What an application says of itself.
struct Shown {
    client_id: String,
    secret: Option<String>,
    /// Whether it came in a header.
    is_in_header: bool,
}

/// Answers a request to the endpoint.
pub(super) async fn answer(
    config: &Config,
    applications: CredentialSlot,
    issuer: Option<&Issuer<'_>>,
    exchange: &Exchange<'_>,
) -> Reply {
    let parameters = Parameters::of(exchange);
    let state = parameters.get("state");
    if !is_safe(config, exchange) {
        return answer::endpoint(400, &unsafe_problem().body(state));
    }
    let shown = shown(config, &parameters, exchange);
    let is_in_header = shown.as_ref().is_some_and(|shown| shown.is_in_header);
    let application = shown.as_ref().and_then(|shown| {
        let name = shown.client_id.as_bytes();
        let lookups = exchange.lookups;
        let found = lookups.credential(applications, name, exchange.now_ms)?;
        auth::prepared::<Application>(found)
    });
    let secret = shown.as_ref().and_then(|shown| shown.secret.as_deref());
    let is_known = match application {
        Some(application) => is_proved(application, secret).await,
        None => false,
    };
    let Some(application) = application.filter(|_| is_known) else {
        let body = Problem::bad_client().body(state);
        let status = if is_in_header { 401 } else { 400 };
        let reply = answer::endpoint(status, &body);
        return match is_in_header {
            true => reply.header("www-authenticate", "Basic realm=\"OAuth2.0\""),
            false => reply,
        };
    };
    let request = Request {
        config,
        parameters: &parameters,
        application,
        issuer,
    };
    match request.token().await {
        Ok(mut token) => {
            if let Some(state) = state {
                token.insert("state".to_owned(), state.into());
            }
            answer::endpoint(200, &Value::Object(token))
        }
        Err(Fault::Problem(problem)) => answer::endpoint(400, &problem.body(state)),
        Err(Fault::Failure) => Reply::failure(),
    }
}

fn shown(config: &Config, parameters: &Parameters, exchange: &Exchange<'_>) -> Option<Shown> {
    let client_id = parameters.get("client_id").map(str::to_owned);
    let secret = parameters.get("client_secret").map(str::to_owned);
    if let (Some(client_id), Some(secret)) = (&client_id, &secret) {
        return Some(Shown {
            client_id: client_id.clone(),
            secret: Some(secret.clone()),
            is_in_header: false,
        });
    }
    if let Some(header) = exchange.header(&config.auth_header_name) {
        let text = std::str::from_utf8(header).unwrap_or_default();
        let (scheme, rest) = text.split_once(' ').unwrap_or_default();
        let pair = scheme
            .eq_ignore_ascii_case("basic")
            .then(|| STANDARD.decode(rest.trim()).ok())
            .flatten()
            .and_then(|pair| String::from_utf8(pair).ok());
        if let Some((name, secret)) = pair.as_deref().and_then(|pair| pair.split_once(':')) {
            return Some(Shown {
                client_id: name.to_owned(),
                secret: Some(secret.to_owned()),
                is_in_header: true,
            });
        }
    }
    Some(Shown {
        client_id: client_id?,
        secret,
        is_in_header: false,
    })
}

/// Whether an application is what it says. One that can keep no secret must show none.
async fn is_proved(application: &Application, shown: Option<&str>) -> bool {
    match (application.is_public, &application.secret, shown) {
        (true, _, shown) => shown.is_none_or(str::is_empty),
        (false, Some(secret), Some(shown)) => secret.verify(shown).await,
        (false, ..) => false,
    }
}

/// A request of an application that is known.
struct Request<'a> {
    config: &'a Config,
    parameters: &'a Parameters,
    application: &'a Application,
    issuer: Option<&'a Issuer<'a>>,
}

impl Request<'_> {
    async fn token(&self) -> Result<Map<String, Value>, Fault> {
        let grant = self.parameters.get("grant_type");
        redirect_uri(self.application, self.parameters)?;
        match grant {
            Some("authorization_code") => self.by_code().await,
            Some("client_credentials") if self.config.enable_client_credentials => {
                self.by_itself().await
            }
            Some("password") if self.config.enable_password_grant => self.by_password().await,
            Some("refresh_token") => self.by_refresh_token().await,
            _ => Err(Problem::new("unsupported_grant_type", "Invalid grant_type").into()),
        }
    }

    fn issuer(&self) -> Result<&Issuer<'_>, Fault> {
        self.issuer.ok_or(Fault::Failure)
    }

    async fn by_code(&self) -> Result<Map<String, Value>, Fault> {
        let bad = || Fault::from(Problem::new("invalid_request", "Invalid code"));
        let code = self.parameters.get("code").ok_or_else(bad)?;
        // Without a database there are no codes.
        let issuer = self.issuer.ok_or_else(bad)?;
        let row = issuer.find(super::CODES, "code", code).await?;
        let row = row.ok_or_else(bad)?;
        let read = Reader::new(super::CODES, &row);
        let is_own = foreign(&read, "credential") == Some(self.application.id)
            && foreign(&read, "service").is_none_or(|service| Some(service) == issuer.service)
            && foreign(&read, "plugin").is_none_or(|plugin| plugin == issuer.plugin);
        let id = id(&read, "id").filter(|_| is_own).ok_or_else(bad)?;
        let text = |name| read.text(name).ok().flatten();
        self.prove(text("challenge").as_deref())?;
        // Of several who exchange a code one gets a token.
        if !issuer.take(super::CODES, id).await? {
            return Err(bad());
        }
        let (user, scope) = (text("authenticated_userid"), text("scope"));
        let grant = Grant {
            user: user.as_deref(),
            scope: scope.as_deref(),
            is_renewable: true,
            ..Grant::default()
        };
        issuer.token(self.application, grant).await
    }

    /// Whether the application knows what the code was asked for with.
    fn prove(&self, challenge: Option<&str>) -> Result<(), Problem> {
        let bad = |text: &str| Err(Problem::new("invalid_request", text));
        if self.config.pkce == "none" {
            return Ok(());
        }
        let verifier = self.parameters.get("code_verifier");
        let Some(challenge) = challenge else {
            return match must_prove(self.config, self.application) {
                true => Err(Problem::new("invalid_grant", "Invalid code")),
                false => Ok(()),
            };
        };
        let Some(verifier) = verifier else {
            return bad("code_verifier is required for PKCE authorization requests");
        };
        if !(43..=128).contains(&verifier.len()) {
            return bad("code_verifier must be between 43 and 128 characters");
        }
        let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        match hash == challenge {
            true => Ok(()),
            false => Err(Problem::new("invalid_grant", "Invalid code_verifier")),
        }
    }

    async fn by_itself(&self) -> Result<Map<String, Value>, Fault> {
        let user = self.parameters.get("authenticated_userid");
        if user.is_some() {
            self.check_provision_key()?;
        }
        let scope = scope(self.config, self.parameters)?;
        let grant = Grant {
            user,
            scope: scope.as_deref(),
            ..Grant::default()
        };
        self.issuer()?.token(self.application, grant).await
    }

    fn check_provision_key(&self) -> Result<(), Problem> {
        let shown = self.parameters.get("provision_key").unwrap_or_default();
        match self.config.provision_key.is(shown) {
            true => Ok(()),
            false => Err(Problem::new(
                "invalid_provision_key",
                "Invalid provision_key",
            )),
        }
    }

    async fn by_password(&self) -> Result<Map<String, Value>, Fault> {
        self.check_provision_key()?;
        let user = self.parameters.get("authenticated_userid");
        let user = user.filter(|user| !user.trim().is_empty()).ok_or_else(|| {
            Problem::new(
                "invalid_authenticated_userid",
                "Missing authenticated_userid parameter",
            )
        })?;
        let scope = scope(self.config, self.parameters)?;
        let grant = Grant {
            user: Some(user),
            scope: scope.as_deref(),
            is_renewable: true,
            ..Grant::default()
        };
        self.issuer()?.token(self.application, grant).await
    }

    async fn by_refresh_token(&self) -> Result<Map<String, Value>, Fault> {
        let bad = || Fault::from(Problem::new("invalid_request", "Invalid refresh_token"));
        let shown = self.parameters.get("refresh_token").ok_or_else(bad)?;
        let issuer = self.issuer.ok_or_else(bad)?;
        let row = issuer.find(super::TOKENS, "refresh_token", shown).await?;
        let token = row.as_ref().and_then(Token::read).ok_or_else(bad)?;
        if token.service.is_some_and(|own| Some(own) != issuer.service) {
            return Err(bad());
        }
        if token.application != self.application.id {
            return Err(Problem::bad_client().into());
        }
        let had: Vec<&str> = token
            .scope
            .iter()
            .flat_map(|s| s.split_whitespace())
            .collect();
        let asked = self.parameters.get("scope").unwrap_or_default();
        if asked.split_whitespace().any(|word| !had.contains(&word)) {
            return Err(Problem::new("invalid_scope", "Scope mismatch").into());
        }
        let grant = Grant {
            user: token.user.as_deref(),
            scope: token.scope.as_deref(),
            is_renewable: true,
            renews: Some(&token),
            refresh_token: Some(shown),
        };
        issuer.token(self.application, grant).await
    }
}
