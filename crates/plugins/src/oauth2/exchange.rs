//! What both endpoints ask of a request.

use plugin_api::{Exchange, Scheme};

use super::answer::Problem;
use super::parameters::Parameters;
use super::schema::Config;
use super::token::Application;

/// Whether nobody on the way could read what was sent.
///
/// Compat: with `accept_http_if_already_terminated` a trusted peer may say so.
pub(super) fn is_safe(config: &Config, exchange: &Exchange<'_>) -> bool {
    if exchange.client.scheme == Scheme::Https {
        return true;
    }
    let mut told = exchange.head.values("x-forwarded-proto");
    config.accept_http_if_already_terminated
        && exchange.client.is_peer_trusted
        && told
            .next()
            .is_some_and(|value| value.eq_ignore_ascii_case(b"https"))
        && told.next().is_none()
}

/// What is said where it is not.
pub(super) fn unsafe_problem() -> Problem {
    Problem::new("access_denied", "You must use HTTPS")
}

/// The scope that is asked for, if it may be.
pub(super) fn scope(config: &Config, parameters: &Parameters) -> Result<Option<String>, Problem> {
    match (parameters.get("scope"), &config.scopes) {
        (Some(asked), Some(known)) => {
            let words: Vec<&str> = asked.split_whitespace().collect();
            match words
                .iter()
                .find(|word| !known.iter().any(|one| one == *word))
            {
                Some(word) => Err(Problem::new(
                    "invalid_scope",
                    format!("\"{word}\" is an invalid scope"),
                )),
                None => Ok(Some(words.join(" ")).filter(|scope| !scope.is_empty())),
            }
        }
        (None, _) if config.mandatory_scope => {
            Err(Problem::new("invalid_scope", "You must specify a scope"))
        }
        _ => Ok(None),
    }
}

/// Where the application wants people sent back to, if it may.
pub(super) fn redirect_uri<'a>(
    application: &'a Application,
    parameters: &'a Parameters,
) -> Result<Option<&'a str>, Problem> {
    let known = &application.redirect_uris;
    match parameters.get("redirect_uri") {
        None => Ok(known.first().map(String::as_str)),
        Some(asked) if known.iter().any(|uri| uri == asked) => Ok(Some(asked)),
        Some(_) => Err(Problem::new(
            "invalid_request",
            "Invalid redirect_uri that does not match with any redirect_uri created with the \
             application",
        )),
    }
}

/// Whether an application must prove that a code was meant for it.
pub(super) fn must_prove(config: &Config, application: &Application) -> bool {
    match config.pkce.as_str() {
        "none" => false,
        "strict" => true,
        _ => application.is_public,
    }
}
