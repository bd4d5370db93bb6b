//! The authorization endpoint: the web application tells that somebody agreed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use plugin_api::{CredentialSlot, Exchange, Reply};
use serde_json::{Map, Value, json};

use super::answer::{self, Fault, Problem};
use super::exchange::{is_safe, must_prove, redirect_uri, scope, unsafe_problem};
use super::issue::{Agreement, Grant, Issuer};
use super::parameters::Parameters;
use super::schema::Config;
use super::token::Application;
use crate::auth;

/// Length of the hash under a code challenge, in bytes.
const CHALLENGE_LENGTH: usize = 32;

/// What the application gets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Code,
    Token,
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
    let plain = |problem: &Problem| answer::endpoint(400, &problem.body(state));
    if !is_safe(config, exchange) {
        return plain(&unsafe_problem());
    }
    let user = match consent(config, &parameters) {
        Ok(user) => user,
        Err(problem) => return plain(&problem),
    };
    let found = parameters.get("client_id").and_then(|id| {
        exchange
            .lookups
            .credential(applications, id.as_bytes(), exchange.now_ms)
    });
    let Some(application) = found.and_then(auth::prepared::<Application>) else {
        return plain(&Problem::bad_client());
    };
    let fallback = application.redirect_uris.first();
    let back = match redirect_uri(application, &parameters) {
        Ok(back) => back,
        Err(problem) => {
            let back = fallback.map(String::as_str);
            return back_with_problem(back, &problem, state);
        }
    };
    let asked = match Asked::read(config, application, &parameters) {
        Ok(asked) => asked,
        Err(problem) => return back_with_problem(back, &problem, state),
    };
    let (Some(issuer), Some(back)) = (issuer, back) else {
        return Reply::failure();
    };
    match asked.grant(issuer, application, user, (back, state)).await {
        Ok(uri) => answer::endpoint(200, &json!({ "redirect_uri": uri })),
        Err(Fault::Problem(problem)) => back_with_problem(Some(back), &problem, state),
        Err(Fault::Failure) => Reply::failure(),
    }
}

/// Who agreed, if the web application proves itself.
fn consent<'p>(config: &Config, parameters: &'p Parameters) -> Result<&'p str, Problem> {
    let shown = parameters.get("provision_key").unwrap_or_default();
    if !config.provision_key.is(shown) {
        return Err(Problem::new(
            "invalid_provision_key",
            "Invalid provision_key",
        ));
    }
    let user = parameters.get("authenticated_userid");
    user.filter(|user| !user.trim().is_empty()).ok_or_else(|| {
        Problem::new(
            "invalid_authenticated_userid",
            "Missing authenticated_userid parameter",
        )
    })
}

fn back_with_problem(back: Option<&str>, problem: &Problem, state: Option<&str>) -> Reply {
    let body = problem.body(state);
    match (back, &body) {
        (Some(back), Value::Object(parameters)) => {
            let uri = answer::redirect(back, parameters, false);
            answer::endpoint(400, &json!({ "redirect_uri": uri }))
        }
        _ => answer::endpoint(400, &body),
    }
}

/// What is asked for.
struct Asked<'p> {
    wanted: Wanted,
    scope: Option<String>,
    challenge: Option<&'p str>,
}

impl<'p> Asked<'p> {
    fn read(
        config: &Config,
        application: &Application,
        parameters: &'p Parameters,
    ) -> Result<Self, Problem> {
        // Compat: what is wrong with the scope outranks what is wrong with the kind of answer.
        let scope = scope(config, parameters)?;
        let wanted = match parameters.get("response_type") {
            Some("code") if config.enable_authorization_code => Wanted::Code,
            Some("token") if config.enable_implicit_grant => Wanted::Token,
            _ => {
                return Err(Problem::new(
                    "unsupported_response_type",
                    "Invalid response_type",
                ));
            }
        };
        let challenge = match wanted {
            Wanted::Code => challenge(config, application, parameters)?,
            Wanted::Token => None,
        };
        Ok(Self {
            wanted,
            scope,
            challenge,
        })
    }

    /// The URI that people are sent back to.
    async fn grant(
        &self,
        issuer: &Issuer<'_>,
        application: &Application,
        user: &str,
        (back, state): (&str, Option<&str>),
    ) -> Result<String, Fault> {
        let scope = self.scope.as_deref();
        let mut parameters = match self.wanted {
            Wanted::Code => {
                let agreement = Agreement {
                    user,
                    scope,
                    challenge: self.challenge,
                };
                let code = issuer.code(application, agreement).await?;
                Map::from_iter([("code".to_owned(), Value::from(code))])
            }
            Wanted::Token => {
                let grant = Grant {
                    user: Some(user),
                    scope,
                    ..Grant::default()
                };
                issuer.token(application, grant).await?
            }
        };
        if let Some(state) = state {
            parameters.insert("state".to_owned(), state.into());
        }
        let is_fragment = self.wanted == Wanted::Token;
        Ok(answer::redirect(back, &parameters, is_fragment))
    }
}

/// What the exchange of the code must prove to know.
fn challenge<'p>(
    config: &Config,
    application: &Application,
    parameters: &'p Parameters,
) -> Result<Option<&'p str>, Problem> {
    let bad = |text: &str| Err(Problem::new("invalid_request", text));
    let Some(challenge) = parameters.get("code_challenge") else {
        let kind = match application.is_public {
            true => "public",
            false => "confidential",
        };
        return match must_prove(config, application) {
            true => bad(&format!("code_challenge is required for {kind} clients")),
            false => Ok(None),
        };
    };
    if config.pkce == "none" {
        return Ok(None);
    }
    if parameters.get("code_challenge_method") != Some("S256") {
        return bad("code_challenge_method is not supported, must be S256");
    }
    match URL_SAFE_NO_PAD.decode(challenge) {
        Ok(hash) if hash.len() == CHALLENGE_LENGTH => Ok(Some(challenge)),
        _ => bad("code_challenge is invalid"),
    }
}
