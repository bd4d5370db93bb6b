//! `acl` at work.

use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{BuildContext, BuildError, Exchange, Handler, PluginInput, Reply, Step};

use super::schema::Config;

/// Header that tells the service the groups.
const GROUPS: &str = "X-Consumer-Groups";

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    _context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    Ok(Arc::new(Acl { config }))
}

struct Acl {
    config: Config,
}

/// What is decided about a caller.
enum Decision {
    Pass,
    /// Nobody has proved who calls.
    Unknown,
    Forbidden,
}

impl Acl {
    fn decide(&self, groups: &[Bytes], has_credential: bool) -> Decision {
        if groups.is_empty() {
            return match (self.config.allows, has_credential) {
                (false, _) => Decision::Pass,
                (true, true) => Decision::Forbidden,
                (true, false) => Decision::Unknown,
            };
        }
        let is_listed = |group: &Bytes| {
            let listed = &self.config.groups;
            listed.iter().any(|name| name.as_bytes() == group.as_ref())
        };
        match groups.iter().any(is_listed) == self.config.allows {
            true => Decision::Pass,
            false => Decision::Forbidden,
        }
    }
}

impl Handler for Acl {
    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let lookups = exchange.lookups;
        let Some(consumer) = &exchange.identity.consumer else {
            return Step::respond(Reply::message(401, "Unauthorized"));
        };
        let groups = lookups.acl_groups(consumer.id);
        match self.decide(groups, exchange.identity.credential.is_some()) {
            Decision::Pass => {}
            Decision::Unknown => return Step::respond(Reply::message(401, "Unauthorized")),
            Decision::Forbidden => {
                let message = "You cannot consume this service";
                return Step::respond(Reply::message(403, message));
            }
        }
        // Compat: also no groups are told, as an empty list; hidden groups are not touched.
        if !self.config.hide_groups_header {
            let list = groups.join(&b", "[..]);
            exchange.request.headers.set(GROUPS, list);
        }
        Step::CONTINUE
    }
}
