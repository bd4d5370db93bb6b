//! Reading and writing cookies.

use plugin_api::Exchange;

use super::schema::Config;

/// Limit: cookies of a name that are looked at.
const CANDIDATES_MAX: usize = 4;

/// What makes a browser forget a cookie.
const GONE: &str = "; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0";

/// The values of the cookies of a name, in the order in which they came.
pub(super) fn values(exchange: &Exchange<'_>, name: &str) -> Vec<String> {
    let lines = exchange.header_values("cookie");
    let lines = lines.filter_map(|line| std::str::from_utf8(line).ok());
    let pairs = lines.flat_map(|line| line.split(';'));
    let pairs = pairs.filter_map(|pair| pair.split_once('='));
    let own = pairs.filter(|(key, _)| key.trim() == name);
    own.map(|(_, value)| value.trim().trim_matches('"').to_owned())
        .take(CANDIDATES_MAX)
        .collect()
}

/// What follows the value: where the cookie goes and who sees it.
fn attributes(config: &Config) -> String {
    let mut text = format!("; Path={}", config.cookie_path);
    if let Some(domain) = &config.cookie_domain {
        text.push_str(&format!("; Domain={domain}"));
    }
    if config.same_site != "Default" {
        text.push_str(&format!("; SameSite={}", config.same_site));
    }
    if config.is_secure {
        text.push_str("; Secure");
    }
    if config.is_http_only {
        text.push_str("; HttpOnly");
    }
    text
}

/// A cookie that ends with the browser.
pub(super) fn of_browser(config: &Config, name: &str, token: &str) -> String {
    format!("{name}={token}{}", attributes(config))
}

/// A cookie that stays for a number of seconds.
pub(super) fn lasting(
    config: &Config,
    name: &str,
    token: &str,
    (now, seconds): (u64, u64),
) -> String {
    let end = clock::http_date(now.saturating_add(seconds));
    format!(
        "{name}={token}{}; Expires={end}; Max-Age={seconds}",
        attributes(config)
    )
}

/// A cookie that makes the browser forget it.
pub(super) fn gone(config: &Config, name: &str) -> String {
    format!("{name}={}{GONE}", attributes(config))
}
