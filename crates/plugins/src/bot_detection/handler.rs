//! `bot-detection` at work.

use std::sync::Arc;

use plugin_api::{BuildContext, BuildError, Exchange, Handler, PluginInput, Reply, Step};
use regex::bytes::RegexSet;

use super::robots;
use super::schema::Config;

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    Ok(Arc::new(BotDetection {
        allow: patterns("allow", &config.allow)?,
        deny: patterns("deny", &config.deny)?,
        robots: context.shared.get(),
    }))
}

fn patterns(field: &str, list: &[String]) -> Result<RegexSet, BuildError> {
    RegexSet::new(list).map_err(|error| BuildError::Config {
        field: field.to_owned(),
        reason: format!("one of the patterns is no regular expression: {error}"),
    })
}

/// The known robots, compiled once a node.
#[derive(Debug)]
struct Robots(RegexSet);

impl Default for Robots {
    fn default() -> Self {
        Self(RegexSet::new(robots::NAMES).expect("the names are constants of the program"))
    }
}

struct BotDetection {
    allow: RegexSet,
    deny: RegexSet,
    robots: Arc<Robots>,
}

impl BotDetection {
    fn refuses(&self, agent: &[u8]) -> bool {
        !self.allow.is_match(agent) && (self.deny.is_match(agent) || self.robots.0.is_match(agent))
    }
}

impl Handler for BotDetection {
    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let mut agents = exchange.header_values("user-agent");
        let Some(agent) = agents.next() else {
            return Step::CONTINUE;
        };
        if agents.next().is_some() {
            let reply = Reply::message(400, "Only one User-Agent header allowed");
            return Step::respond(reply);
        }
        if self.refuses(agent) {
            return Step::respond(Reply::message(403, "Forbidden"));
        }
        Step::CONTINUE
    }
}
