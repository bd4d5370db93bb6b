//! Which origins may read answers.

use bytes::Bytes;
use plugin_api::BuildError;
use regex::Regex;

/// The prepared list of origins.
#[derive(Debug)]
pub(super) enum Origins {
    /// Everybody.
    All,
    /// This one is named, whoever asks.
    Constant(Bytes),
    /// Those that match one of these.
    Listed(Vec<Pattern>),
}

/// One entry of the list.
#[derive(Debug)]
pub(super) enum Pattern {
    /// Everybody.
    All,
    /// This origin.
    Plain(String),
    /// Origins that match as a whole.
    Whole(Regex),
    /// Origins whose host matches as a whole.
    Host(Regex),
}

impl Origins {
    /// Prepares the list.
    pub(super) fn prepare(list: &[String]) -> Result<Self, BuildError> {
        match list {
            [] => Ok(Self::All),
            [one] if one == "*" => Ok(Self::All),
            // Compat: a single plain origin is told to everybody.
            [one] if is_plain(one) => Ok(Self::Constant(Bytes::from(one.clone()))),
            list => {
                let patterns: Result<_, _> = list.iter().map(|one| Pattern::prepare(one)).collect();
                patterns.map(Self::Listed)
            }
        }
    }
}

impl Pattern {
    fn prepare(text: &str) -> Result<Self, BuildError> {
        if text == "*" {
            return Ok(Self::All);
        }
        if is_plain(text) {
            return Ok(Self::Plain(Origin::parse(text).whole));
        }
        let regex = Regex::new(&format!("^(?:{text})$")).map_err(|error| BuildError::Config {
            field: "origins".to_owned(),
            reason: format!("`{text}` is no regular expression: {error}"),
        })?;
        Ok(match text.contains(':') {
            true => Self::Whole(regex),
            false => Self::Host(regex),
        })
    }

    /// Whether an origin matches.
    pub(super) fn matches(&self, origin: &Origin) -> bool {
        match self {
            Self::All => true,
            Self::Plain(text) => *text == origin.whole,
            Self::Whole(regex) => regex.is_match(&origin.whole),
            Self::Host(regex) => regex.is_match(&origin.host),
        }
    }
}

/// An origin in normal form: without the usual port of its scheme.
#[derive(Debug)]
pub(super) struct Origin {
    whole: String,
    host: String,
}

impl Origin {
    /// Reads an `Origin`; what is no URL is taken as it is.
    pub(super) fn parse(text: &str) -> Self {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Self {
                whole: text.to_owned(),
                host: text.to_owned(),
            };
        };
        let authority = rest.split('/').next().unwrap_or_default();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
            _ => (authority, ""),
        };
        let is_usual = matches!((scheme, port), (_, "") | ("http", "80") | ("https", "443"));
        let whole = match is_usual {
            true => format!("{scheme}://{host}"),
            false => format!("{scheme}://{host}:{port}"),
        };
        Self {
            whole,
            host: host.to_owned(),
        }
    }
}

/// Whether the text has nothing but what an origin has.
fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._:/".contains(&byte))
}
