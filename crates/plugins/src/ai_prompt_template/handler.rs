//! `ai-prompt-template` at work.

use std::sync::Arc;

use plugin_api::{BuildContext, BuildError, Exchange, Handler, Needs, PluginInput, Reply, Step};
use serde_json::{Map, Value};

use super::schema::Config;
use crate::{ai, record};

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    _context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    Ok(Arc::new(AiPromptTemplate { config }))
}

struct AiPromptTemplate {
    config: Config,
}

/// The name in `{template://name}`.
fn named(value: Option<&Value>) -> Option<&str> {
    let text = value?.as_str()?;
    text.strip_prefix("{template://")?.strip_suffix('}')
}

/// The template with its placeholders filled; the names of those that nothing was said for.
fn render(template: &str, properties: &Map<String, Value>) -> Result<String, Vec<String>> {
    let mut out = String::with_capacity(template.len());
    let mut lacking = Vec::new();
    let mut rest = template;
    while let Some((text, behind)) = rest.split_once("{{") {
        out.push_str(text);
        let Some((name, behind)) = behind.split_once("}}") else {
            out.push_str("{{");
            rest = behind;
            continue;
        };
        rest = behind;
        match properties.get(name.trim()) {
            None | Some(Value::Null) => lacking.push(name.trim().to_owned()),
            Some(value) => {
                let text = match value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                // What is filled in stays inside the text of the template.
                let quoted = Value::String(text).to_string();
                let inner = quoted.get(1..quoted.len().saturating_sub(1));
                out.push_str(inner.unwrap_or_default());
            }
        }
    }
    out.push_str(rest);
    match lacking.is_empty() {
        true => Ok(out),
        false => Err(lacking),
    }
}

impl AiPromptTemplate {
    fn fill(&self, exchange: &mut Exchange<'_>) -> Result<(), Reply> {
        let mut body = ai::read(exchange, self.config.limit)?;
        if self.config.logs_original {
            let original = Value::Object(body.clone()).to_string();
            record::add_named(
                exchange.locals,
                "ai.payload.original_request".to_owned(),
                original.into(),
            );
        }
        let (member, name) = match (named(body.get("messages")), named(body.get("prompt"))) {
            (Some(_), Some(_)) => {
                let text = "cannot run 'messages' and 'prompt' templates at the same time";
                return Err(ai::error(400, text));
            }
            (Some(name), None) => ("messages", name.to_owned()),
            (None, Some(name)) => ("prompt", name.to_owned()),
            (None, None) if self.config.allows_others => return Ok(()),
            (None, None) => {
                let text = "this LLM route only supports templated requests";
                return Err(ai::error(400, text));
            }
        };
        let template = self.config.templates.iter().find(|(own, _)| *own == name);
        let Some((_, template)) = template else {
            let text = format!("could not find template name [{name}]");
            return Err(ai::error(400, &text));
        };
        let properties = match body.shift_remove("properties") {
            Some(Value::Object(properties)) => properties,
            _ => Map::new(),
        };
        let text = render(template, &properties).map_err(|lacking| {
            let text = format!("missing template parameters: [{}]", lacking.join(", "));
            ai::error(400, &text)
        })?;
        let filled: Map<String, Value> = serde_json::from_str(&text)
            .map_err(|_| ai::error(500, "the template does not make a JSON object"))?;
        body.shift_remove(member);
        body.extend(filled);
        ai::write(exchange, body);
        Ok(())
    }
}

impl Handler for AiPromptTemplate {
    fn needs(&self) -> Needs {
        Needs::REQUEST_BODY
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        match self.fill(exchange) {
            Ok(()) => Step::CONTINUE,
            Err(reply) => Step::respond(reply),
        }
    }
}
