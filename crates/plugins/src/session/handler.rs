//! `session` at work.

use std::sync::Arc;

use bytes::Bytes;
use plugin_api::{
    BuildContext, BuildError, CredentialEntry, Exchange, Handler, Needs, PluginInput, Reply,
    ReplyBody, ResponseView, Step, Verdict, query_parameter,
};
use serde_json::Value;
use uuid::Uuid;

use super::cookie;
use super::keeping::Keeper;
use super::schema::{Config, Fact};
use super::seal::{Id, Sealer, State};
use crate::auth;

/// Prepares an instance.
pub(super) fn build(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let config = Config::try_from(input.config)?;
    let refused = |field: &str, reason: &str| BuildError::Config {
        field: field.to_owned(),
        reason: reason.to_owned(),
    };
    let sealer = Sealer::new(&config.secret);
    let sealer = sealer.ok_or_else(|| refused("secret", "no key can be made of it"))?;
    let keeper = match (config.is_kept, &context.node.database) {
        (false, _) => None,
        (true, Some(database)) => Some(Keeper::new(Arc::clone(database))),
        (true, None) => {
            let reason = "this node has no database; use the storage `cookie`";
            return Err(refused("storage", reason));
        }
    };
    Ok(Arc::new(Session {
        id: input.id,
        config,
        sealer,
        keeper,
    }))
}

struct Session {
    id: Uuid,
    config: Config,
    sealer: Sealer,
    keeper: Option<Keeper>,
}

/// The session of a request, until its answer.
struct Open {
    by: Uuid,
    id: Id,
    state: State,
    /// Whether the browser needs a new cookie.
    is_due: bool,
    /// Whether it came in the cookie that outlives the browser.
    is_remembered: bool,
    /// Whether the browser is to forget it.
    is_over: bool,
}

impl Session {
    fn has_ended(&self, state: &State, now: u64, is_remembered: bool) -> bool {
        let config = &self.config;
        let is_past =
            |start: u64, seconds: u64| seconds > 0 && now >= start.saturating_add(seconds);
        if is_remembered {
            return is_past(state.rolled, config.remember_rolling)
                || is_past(state.created, config.remember_absolute);
        }
        is_past(state.seen, config.idling)
            || is_past(state.rolled, config.rolling)
            || is_past(state.created, config.absolute)
    }

    /// What a request's cookies say, before a database is asked.
    fn shown(&self, exchange: &Exchange<'_>) -> Vec<(Id, Option<State>, bool)> {
        let config = &self.config;
        let open = |name: &str, is_remembered: bool| {
            let values = cookie::values(exchange, name);
            let opened = values
                .iter()
                .filter_map(|token| self.sealer.open(name, token));
            opened
                .map(|(id, state)| (id, state, is_remembered))
                .collect::<Vec<_>>()
        };
        let mut shown = open(&config.cookie_name, false);
        if config.remembers {
            shown.extend(open(&config.remember_name, true));
        }
        shown
    }

    /// The session of the request, if one of its cookies is good.
    async fn find(&self, shown: Vec<(Id, Option<State>, bool)>, now: u64) -> Option<Open> {
        for (id, state, is_remembered) in shown {
            let state = match (&self.keeper, state) {
                (None, state) => state,
                (Some(keeper), _) => match keeper.find(&self.sealer, &id, now).await {
                    Ok(state) => state,
                    Err(error) => {
                        tracing::debug!(%error, "a session could not be read");
                        None
                    }
                },
            };
            let Some(state) = state else { continue };
            if state.audience != self.config.audience || self.has_ended(&state, now, is_remembered)
            {
                continue;
            }
            return Some(Open {
                by: self.id,
                id,
                state,
                is_due: is_remembered,
                is_remembered,
                is_over: false,
            });
        }
        None
    }

    /// Whether the request asks to sign out.
    fn signs_out(&self, exchange: &Exchange<'_>) -> bool {
        let config = &self.config;
        let method = exchange.method();
        if !config
            .logout_methods
            .iter()
            .any(|one| one.as_bytes() == method)
        {
            return false;
        }
        let by_query = query_parameter(exchange.query(), &config.logout_query).is_some();
        by_query || (config.reads_body && body_names(exchange, &config.logout_post))
    }

    /// Uses the session that was found; `Some` is the answer to give instead of going on.
    fn apply(&self, exchange: &mut Exchange<'_>, open: Option<Open>) -> Option<Reply> {
        let mut open = open?;
        let now = exchange.now_ms / 1000;
        if self.signs_out(exchange) {
            self.forget(&open.id);
            open.is_over = true;
            exchange.locals.insert(open);
            return Some(Reply::with_body(200, ReplyBody::Empty));
        }
        let lookups = exchange.lookups;
        let consumer = Uuid::parse_str(&open.state.consumer).ok();
        let consumer = consumer.and_then(|id| lookups.consumer(id));
        let Some(consumer) = consumer else {
            // Compat: a session of a consumer that is no more ends.
            self.forget(&open.id);
            open.is_over = true;
            exchange.locals.insert(open);
            return None;
        };
        let credential = Bytes::from(open.state.credential.clone());
        let entry = CredentialEntry {
            id: Uuid::parse_str(&open.state.credential).unwrap_or_default(),
            id_text: credential.clone(),
            consumer: Arc::clone(consumer),
            expires_at_ms: None,
            prepared: None,
        };
        auth::set_consumer(exchange, &entry, credential);
        self.refresh(&mut open, now);
        self.tell_service(exchange, &open, now);
        exchange.locals.insert(open);
        None
    }

    /// Renews a session whose time is three quarters over, and notes now and then that it is used.
    fn refresh(&self, open: &mut Open, now: u64) {
        let config = &self.config;
        let rolling = if open.is_remembered {
            0
        } else {
            config.rolling
        };
        let is_old = rolling > 0 && now.saturating_sub(open.state.rolled) * 4 > rolling * 3;
        if is_old || open.is_remembered {
            if let Some(keeper) = &self.keeper {
                // For a while the old cookie is still good, for requests under way.
                let end = now.saturating_add(config.stale);
                keeper.put(&self.sealer, &open.id, &open.state, end);
            }
            open.id = clock::random_bytes();
            open.state.rolled = now;
            open.state.seen = now;
            open.is_due = true;
        } else if config.idling > 0 && now.saturating_sub(open.state.seen) * 4 > config.idling {
            open.state.seen = now;
            open.is_due = true;
        }
    }

    fn forget(&self, id: &Id) {
        if let Some(keeper) = &self.keeper {
            keeper.remove(id);
        }
    }

    /// Seconds until the session ends, for one reason or for any.
    fn left(&self, fact: Fact, state: &State, now: u64) -> Option<u64> {
        let config = &self.config;
        let until = |start: u64, seconds: u64| {
            (seconds > 0).then(|| start.saturating_add(seconds).saturating_sub(now))
        };
        let idling = until(state.seen, config.idling);
        let rolling = until(state.rolled, config.rolling);
        let absolute = until(state.created, config.absolute);
        match fact {
            Fact::IdlingTimeout => idling,
            Fact::RollingTimeout => rolling,
            Fact::AbsoluteTimeout => absolute,
            _ => [idling, rolling, absolute].into_iter().flatten().min(),
        }
    }

    /// What a header says about the session.
    fn told(&self, fact: Fact, open: &Open, now: u64) -> Option<(&'static str, String)> {
        let name = fact.header();
        Some(match fact {
            Fact::Id => {
                use base64::Engine;
                let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
                (name, engine.encode(open.id))
            }
            Fact::Audience => (name, open.state.audience.clone()),
            Fact::Subject => (name, open.state.subject.clone()),
            _ => (name, self.left(fact, &open.state, now)?.to_string()),
        })
    }

    fn tell_service(&self, exchange: &mut Exchange<'_>, open: &Open, now: u64) {
        for fact in &self.config.request_facts {
            match self.told(*fact, open, now) {
                Some((name, value)) => exchange.request.headers.set(name, value),
                None => exchange.request.headers.remove(fact.header()),
            }
        }
    }

    /// The session of a caller whom another plugin has just proved.
    fn begin(&self, exchange: &Exchange<'_>) -> Option<Open> {
        let credential = exchange.identity.credential.as_ref()?;
        let consumer = exchange.identity.consumer.as_ref()?;
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        let subject = consumer.username.as_ref().or(consumer.custom_id.as_ref());
        let now = exchange.now_ms / 1000;
        Some(Open {
            by: self.id,
            id: clock::random_bytes(),
            state: State {
                audience: self.config.audience.clone(),
                subject: text(subject.unwrap_or(&consumer.id_text)),
                consumer: text(&consumer.id_text),
                credential: text(&credential.id_text),
                created: now,
                rolled: now,
                seen: now,
            },
            is_due: true,
            is_remembered: false,
            is_over: false,
        })
    }

    /// Gives the browser its cookies.
    fn save(&self, open: &Open, now: u64, response: &mut ResponseView<'_>) {
        let config = &self.config;
        if let Some(keeper) = &self.keeper {
            let lasts = if config.remembers {
                config.remember_absolute
            } else {
                config.absolute
            };
            let lasts = if lasts == 0 {
                config.rolling.max(config.idling)
            } else {
                lasts
            };
            let expires = open.state.created.saturating_add(lasts);
            keeper.put(&self.sealer, &open.id, &open.state, expires);
        }
        let state = Some(&open.state).filter(|_| self.keeper.is_none());
        let name = &config.cookie_name;
        if let Some(token) = self.sealer.seal(name, &open.id, state) {
            let line = cookie::of_browser(config, name, &token);
            response.headers.add("Set-Cookie", line);
        }
        if config.remembers {
            let name = &config.remember_name;
            if let Some(token) = self.sealer.seal(name, &open.id, state) {
                let lasts = (now, config.remember_rolling);
                let line = cookie::lasting(config, name, &token, lasts);
                response.headers.add("Set-Cookie", line);
            }
        }
    }

    /// Takes the cookies from the browser.
    fn end(&self, response: &mut ResponseView<'_>) {
        let config = &self.config;
        let line = cookie::gone(config, &config.cookie_name);
        response.headers.add("Set-Cookie", line);
        if config.remembers {
            let line = cookie::gone(config, &config.remember_name);
            response.headers.add("Set-Cookie", line);
        }
    }
}

/// Whether a form or a JSON object has a member of this name.
fn body_names(exchange: &Exchange<'_>, name: &str) -> bool {
    let body = exchange.body.unwrap_or_default();
    let kind = exchange.header("content-type").unwrap_or_default();
    if kind.starts_with(b"application/json") {
        let value: Option<Value> = serde_json::from_slice(body).ok();
        return value.is_some_and(|value| value.get(name).is_some());
    }
    kind.starts_with(b"application/x-www-form-urlencoded") && query_parameter(body, name).is_some()
}

impl Handler for Session {
    fn needs(&self) -> Needs {
        if self.config.reads_body {
            Needs::REQUEST_BODY
        } else {
            Needs::NONE
        }
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let shown = self.shown(exchange);
        if shown.is_empty() {
            return Step::CONTINUE;
        }
        let now = exchange.now_ms / 1000;
        Step::Wait(Box::pin(async move {
            let open = self.find(shown, now).await;
            match self.apply(exchange, open) {
                None => Verdict::Continue,
                Some(reply) => Verdict::Respond(Box::new(reply)),
            }
        }))
    }

    fn header_filter(&self, exchange: &mut Exchange<'_>, response: &mut ResponseView<'_>) {
        let now = exchange.now_ms / 1000;
        let own = exchange
            .locals
            .get::<Open>()
            .filter(|open| open.by == self.id);
        if own.is_some_and(|open| open.is_over) {
            return self.end(response);
        }
        // Another plugin may have proved somebody else since.
        let fresh = self.begin(exchange).filter(|fresh| {
            own.is_none_or(|open| {
                open.state.consumer != fresh.state.consumer
                    || open.state.credential != fresh.state.credential
            })
        });
        let Some(open) = fresh.as_ref().or(own) else {
            return;
        };
        if open.is_due {
            self.save(open, now, response);
        }
        for fact in &self.config.response_facts {
            match self.told(*fact, open, now) {
                Some((name, value)) => response.headers.set(name, value),
                None => response.headers.remove(fact.header()),
            }
        }
    }
}
