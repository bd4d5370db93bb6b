//! `ai-prompt-decorator` at work.

use std::sync::Arc;

use plugin_api::{BuildContext, BuildError, Exchange, Handler, Needs, PluginInput, Reply, Step};
use serde_json::{Value, json};

use super::schema::Config;
use crate::ai::{self, Dialect};

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    _context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    Ok(Arc::new(AiPromptDecorator { config }))
}

struct AiPromptDecorator {
    config: Config,
}

impl AiPromptDecorator {
    fn decorate(&self, exchange: &mut Exchange<'_>) -> Result<(), Reply> {
        let mut body = ai::read(exchange, self.config.limit)?;
        let dialect = self.config.dialect;
        let Some(Value::Array(messages)) = body.get_mut(dialect.messages()) else {
            let text = "ai-prompt-decorator only supports llm/v1/chat requests";
            return Err(ai::error(400, text));
        };
        let mut systems = Vec::new();
        let mut made = |list: &[(String, String)]| {
            let mut out = Vec::new();
            for (role, text) in list {
                // Providers' own dialects keep what the system says apart.
                match (dialect, role.as_str()) {
                    (Dialect::Bedrock | Dialect::Gemini, "system") => {
                        systems.push(json!({ "text": text }));
                    }
                    _ => out.push(dialect.message(role, text)),
                }
            }
            out
        };
        let before = made(&self.config.before);
        let after = made(&self.config.after);
        messages.splice(..0, before);
        messages.extend(after);
        if !systems.is_empty() {
            let parts = match dialect {
                Dialect::Gemini => {
                    let instruction = body
                        .entry("system_instruction")
                        .or_insert_with(|| json!({"parts": []}));
                    instruction.get_mut("parts")
                }
                _ => Some(body.entry("system").or_insert_with(|| json!([]))),
            };
            if let Some(Value::Array(parts)) = parts {
                parts.splice(..0, systems);
            }
        }
        ai::write(exchange, body);
        Ok(())
    }
}

impl Handler for AiPromptDecorator {
    fn needs(&self) -> Needs {
        Needs::REQUEST_BODY
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        match self.decorate(exchange) {
            Ok(()) => Step::CONTINUE,
            Err(reply) => Step::respond(reply),
        }
    }
}
