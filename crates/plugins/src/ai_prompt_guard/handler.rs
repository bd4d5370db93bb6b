//! `ai-prompt-guard` at work.

use std::sync::Arc;

use plugin_api::{BuildContext, BuildError, Exchange, Handler, Needs, PluginInput, Reply, Step};
use regex::Regex;
use serde_json::Value;

use super::schema::Config;
use crate::ai;

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    _context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let compile = |field: &str, patterns: &[String]| {
        let one = |(at, pattern): (usize, &String)| {
            Regex::new(pattern).map_err(|error| BuildError::Config {
                field: format!("{field}[{}]", at + 1),
                reason: format!("is no pattern that this node understands: {error}"),
            })
        };
        patterns
            .iter()
            .enumerate()
            .map(one)
            .collect::<Result<Vec<_>, _>>()
    };
    Ok(Arc::new(AiPromptGuard {
        allow: compile("allow_patterns", &config.allow)?,
        deny: compile("deny_patterns", &config.deny)?,
        config,
    }))
}

struct AiPromptGuard {
    config: Config,
    allow: Vec<Regex>,
    deny: Vec<Regex>,
}

impl AiPromptGuard {
    fn check(&self, exchange: &Exchange<'_>) -> Result<(), Reply> {
        let body = ai::read(exchange, self.config.limit)?;
        let is_looked_at = |role: &String| self.config.looks_at_all_roles || role == "user";
        let prompts: Vec<String> = match (body.get("prompt"), ai::texts(&body, self.config.dialect))
        {
            (_, Some(texts)) => {
                let texts = texts.into_iter().filter(|(role, _)| is_looked_at(role));
                texts.map(|(_, text)| text).collect()
            }
            (Some(Value::String(prompt)), None) => vec![prompt.clone()],
            _ => {
                return Err(ai::error(
                    400,
                    "ai-prompt-guard only supports llm/v1/chat and llm/v1/completions requests",
                ));
            }
        };
        let prompt = match self.config.looks_at_last {
            true => prompts.last().cloned().unwrap_or_default(),
            false => prompts.join(" "),
        };
        let is_denied = self.deny.iter().any(|pattern| pattern.is_match(&prompt));
        let is_allowed =
            self.allow.is_empty() || self.allow.iter().any(|pattern| pattern.is_match(&prompt));
        // Compat: what was found is not told.
        match is_allowed && !is_denied {
            true => Ok(()),
            false => Err(ai::error(400, "bad request")),
        }
    }
}

impl Handler for AiPromptGuard {
    fn needs(&self) -> Needs {
        Needs::REQUEST_BODY
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        match self.check(exchange) {
            Ok(()) => Step::CONTINUE,
            Err(reply) => Step::respond(reply),
        }
    }
}
