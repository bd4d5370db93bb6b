//! Finding the token that a request shows.

use plugin_api::Exchange;

use super::schema::Config;

/// The tokens of a request, each once.
pub(super) fn tokens(config: &Config, exchange: &Exchange<'_>) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut note = |token: &[u8]| {
        if !token.is_empty() && !found.iter().any(|known| known == token) {
            found.push(token.to_vec());
        }
    };
    for name in &config.uri_param_names {
        for value in exchange.query_values(name).flatten() {
            note(&value);
        }
    }
    for name in &config.cookie_names {
        if let Some(value) = cookie(name, exchange) {
            note(value);
        }
    }
    for name in &config.header_names {
        if let Some(value) = exchange.header(name).and_then(bearer) {
            note(value);
        }
    }
    found
}

/// The value of a cookie.
fn cookie<'e>(name: &str, exchange: &'e Exchange<'_>) -> Option<&'e [u8]> {
    exchange.header_values("cookie").find_map(|line| {
        line.split(|byte| *byte == b';').find_map(|pair| {
            let pair = pair.trim_ascii();
            let at = pair.iter().position(|byte| *byte == b'=')?;
            (&pair[..at] == name.as_bytes()).then(|| &pair[at + 1..])
        })
    })
}

/// What follows `Bearer` or `bearer`.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let at = value
        .windows(6)
        .position(|window| window == b"Bearer" || window == b"bearer")?;
    let rest = &value[at + 6..];
    rest.first()
        .is_some_and(u8::is_ascii_whitespace)
        .then(|| rest.trim_ascii())
}
