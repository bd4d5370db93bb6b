//! Which instance of which plugin applies where, decided once for each combination of route and
//! service.
//!
//! Compat: the most specific scope wins, in the order route and service and consumer, route and
//! consumer, service and consumer, route and service, consumer, route, service, everything; one
//! instance of a plugin runs per request. A group of consumers comes after a consumer in as many
//! scopes and before what has fewer.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use declarative::Config;
use entities::{Plugin, Protocol};
use plugin_api::{
    Bound, Build, BuildContext, BuildError, Chain, ConsumerMap, Definition, Entry, LookupsBuilder,
    Phases, PluginInput, Scopes,
};
use plugins::Brought;
use uuid::Uuid;

use super::compile::{Report, Row, rows};
use super::fails_closed::FailsClosed;
use super::groups::Groups;
use super::setup::Compile;
use super::vaults::{Vaults, holds_reference};

/// All instances of a configuration, and the chains made of them so far.
pub(super) struct Chains {
    /// By priority and name of the plugin.
    plugins: BTreeMap<&'static str, Instances>,
    /// Routes and services that have instances of their own; all others share chains.
    scoped_routes: HashSet<Uuid>,
    scoped_services: HashSet<Uuid>,
    made: HashMap<Scope, Arc<Chain>>,
}

/// Route and service that an instance is attached to.
type Scope = (Option<Uuid>, Option<Uuid>);

/// The instances of one plugin.
struct Instances {
    definition: &'static Definition,
    defaults: HashMap<Scope, Bound>,
    consumers: HashMap<Scope, Arc<ConsumerMap>>,
    /// Those of groups, by member.
    groups: HashMap<Scope, Arc<ConsumerMap>>,
}

/// What is known of a configuration before its plugins are built.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) lookups: &'a LookupsBuilder,
    pub(super) groups: &'a Groups,
    pub(super) vaults: &'a Vaults,
}

impl Chains {
    /// Builds every enabled instance that is for such traffic.
    pub(super) fn compile(
        config: &Config,
        node: &Compile,
        wanted: Wanted,
        known: Known<'_>,
        report: &mut Report,
    ) -> Self {
        let mut chains = Self {
            plugins: BTreeMap::new(),
            scoped_routes: HashSet::new(),
            scoped_services: HashSet::new(),
            made: HashMap::new(),
        };
        let mut consumers: HashMap<(&'static str, Scope), ConsumerMap> = HashMap::new();
        let mut grouped: HashMap<(&'static str, Scope), HashMap<Uuid, Bound>> = HashMap::new();
        let brought = node.shared.get::<plugins::Installed>().get();
        for row in rows(config, "plugins") {
            let Some(mut plugin) = report.read::<Plugin>(row) else {
                continue;
            };
            if !plugin.enabled || !plugin.protocols.iter().any(|p| wanted.includes(*p)) {
                continue;
            }
            let Some(definition) = find(&brought, &plugin.name) else {
                let text = format!("plugin `{}` is not part of this node", plugin.name);
                report.problem(row, "name", text);
                continue;
            };
            let is_stream = wanted == Wanted::Stream;
            if !allows(definition, &plugin)
                || (is_stream && !acts_on_streams(definition, &plugin, report))
            {
                continue;
            }
            resolve(known.vaults, (&brought, definition), &mut plugin, report);
            let bound = match definition.build {
                Some(make) => build(make, &plugin, row, node, known.lookups, report),
                None => Some(without_handler(&plugin, node, report)),
            };
            let Some(bound) = bound else { continue };
            let scope = (plugin.route, plugin.service);
            chains.scoped_routes.extend(plugin.route);
            chains.scoped_services.extend(plugin.service);
            let instances = chains.plugins.entry(definition.name).or_insert(Instances {
                definition,
                defaults: HashMap::new(),
                consumers: HashMap::new(),
                groups: HashMap::new(),
            });
            if let Some(group) = plugin.consumer_group {
                let map = grouped.entry((definition.name, scope)).or_default();
                map.insert(group, bound);
                continue;
            }
            match plugin.consumer {
                None => {
                    instances.defaults.insert(scope, bound);
                }
                Some(consumer) => {
                    let map = consumers.entry((definition.name, scope)).or_default();
                    map.insert(consumer, bound);
                }
            }
        }
        for ((name, scope), map) in consumers {
            if let Some(instances) = chains.plugins.get_mut(name) {
                instances.consumers.insert(scope, Arc::new(map));
            }
        }
        for ((name, scope), map) in grouped {
            if let Some(instances) = chains.plugins.get_mut(name) {
                instances
                    .groups
                    .insert(scope, Arc::new(known.groups.spread(&map)));
            }
        }
        chains
    }

    /// The chain of a route and its service.
    pub(super) fn of(&mut self, route: Uuid, service: Option<Uuid>) -> Arc<Chain> {
        let route = Some(route).filter(|route| self.scoped_routes.contains(route));
        let service = service.filter(|service| self.scoped_services.contains(service));
        let key = (route, service);
        if let Some(chain) = self.made.get(&key) {
            return Arc::clone(chain);
        }
        let entries = self.plugins.values().map(|plugin| plugin.entry(key));
        let chain = Arc::new(Chain::new(entries.collect()));
        self.made.insert(key, Arc::clone(&chain));
        chain
    }

    /// The instances that apply to everything.
    pub(super) fn globals(&self) -> Arc<Chain> {
        let everything = (None, None);
        let entries = self.plugins.values().map(|plugin| {
            let default = plugin.defaults.get(&everything).cloned();
            Entry::new(plugin.definition, Vec::new(), default)
        });
        Arc::new(Chain::new(entries.collect()))
    }
}

impl Instances {
    fn entry(&self, (route, service): Scope) -> Entry {
        let mut scopes: Vec<Scope> = vec![(route, service)];
        for wider in [(route, None), (None, service), (None, None)] {
            if !scopes.contains(&wider) {
                scopes.push(wider);
            }
        }
        let default = scopes
            .iter()
            .find_map(|scope| Some((*scope, self.defaults.get(scope)?)));
        let is_outranked = |scope: &Scope| {
            // Route and service together outrank a consumer alone.
            let both = (route, service);
            *scope == (None, None)
                && route.is_some()
                && service.is_some()
                && default.is_some_and(|(found, _)| found == both)
        };
        let is_one = |scope: &&&Scope| scope.0.is_some() != scope.1.is_some();
        let (single, others): (Vec<&Scope>, Vec<&Scope>) =
            scopes.iter().partition(|scope| is_one(&scope));
        // Both scopes, then one of them for consumers before groups, then none.
        let at = others.iter().position(|scope| **scope == (None, None));
        let (whole, bare) = others.split_at(at.unwrap_or(others.len()));
        let levels = [whole, &single[..], bare];
        let consumers = levels
            .into_iter()
            .flat_map(|level| {
                let kept = level.iter().filter(|scope| !is_outranked(scope));
                let kept: Vec<&Scope> = kept.copied().collect();
                let of = |maps: &HashMap<Scope, Arc<ConsumerMap>>| {
                    let found = kept.iter().filter_map(|scope| maps.get(*scope).cloned());
                    found.collect::<Vec<_>>()
                };
                [of(&self.consumers), of(&self.groups)].concat()
            })
            .collect();
        let default = default.map(|(_, bound)| bound.clone());
        Entry::new(self.definition, consumers, default)
    }
}

/// The plugin of a name, bundled or brought along.
fn find(brought: &Brought, name: &str) -> Option<&'static Definition> {
    plugins::definition(name).or_else(|| brought.definition(name))
}

/// Replaces the references to vaults in a configuration.
fn resolve(
    vaults: &Vaults,
    (brought, definition): (&Brought, &Definition),
    plugin: &mut Plugin,
    report: &mut Report,
) {
    if !holds_reference(&plugin.config) {
        return;
    }
    let schema = brought.schema(&plugin.name).cloned();
    let schema = schema.unwrap_or_else(definition.schema);
    let mut faults = Vec::new();
    vaults.resolve(&schema, &mut plugin.config, "config.", &mut faults);
    let about = |text: &String| format!("plugin `{}` (`{}`): {text}", plugin.name, plugin.id);
    report.notices.extend(faults.iter().map(about));
}

fn build(
    make: Build,
    plugin: &Plugin,
    row: Row<'_>,
    node: &Compile,
    lookups: &LookupsBuilder,
    report: &mut Report,
) -> Option<Bound> {
    let input = PluginInput {
        id: plugin.id,
        name: &plugin.name,
        config: &plugin.config,
        route: plugin.route,
        service: plugin.service,
        consumer: plugin.consumer,
        consumer_group: plugin.consumer_group,
    };
    let mut context = BuildContext {
        shared: &node.shared,
        lookups,
        node: &node.node,
        notices: Vec::new(),
    };
    let built = make(&input, &mut context);
    let about = |text: &String| format!("plugin `{}` (`{}`): {text}", plugin.name, plugin.id);
    report.notices.extend(context.notices.iter().map(about));
    match built {
        Ok(handler) => Some(Bound {
            id: plugin.id,
            scopes: scopes(plugin),
            handler,
        }),
        Err(BuildError::Config { field, reason }) => {
            report.problem(row, &format!("config.{field}"), reason);
            None
        }
        Err(error) => {
            report.problem(row, "", error.to_string());
            None
        }
    }
}

/// What stands in for a plugin of which this node knows only the configuration.
fn without_handler(plugin: &Plugin, node: &Compile, report: &mut Report) -> Bound {
    report.notices.push(format!(
        "plugin `{}` (`{}`): this node cannot run it; the requests it applies to are answered 503",
        plugin.name, plugin.id
    ));
    Bound {
        id: plugin.id,
        scopes: scopes(plugin),
        handler: Arc::new(FailsClosed::new(&node.shared)),
    }
}

/// What an instance is attached to.
fn scopes(plugin: &Plugin) -> Scopes {
    let held = [
        (plugin.route, Scopes::ROUTE),
        (plugin.service, Scopes::SERVICE),
        (plugin.consumer, Scopes::CONSUMER),
        (plugin.consumer_group, Scopes::CONSUMER_GROUP),
    ];
    let held = held.iter().filter(|(id, _)| id.is_some());
    held.fold(Scopes::NONE, |all, (_, scope)| all | *scope)
}

/// Compat: an instance in a scope that its plugin does not know is never looked up.
fn allows(definition: &Definition, plugin: &Plugin) -> bool {
    let scopes = definition.scopes;
    (plugin.route.is_none() || scopes.contains(Scopes::ROUTE))
        && (plugin.service.is_none() || scopes.contains(Scopes::SERVICE))
        && (plugin.consumer.is_none() || scopes.contains(Scopes::CONSUMER))
        && (plugin.consumer_group.is_none()
            || (plugins::takes_groups(definition) && plugin.consumer.is_none()))
}

/// Which traffic plugins are wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Http,
    Stream,
}

impl Wanted {
    fn includes(self, protocol: Protocol) -> bool {
        is_http(protocol) == (self == Self::Http)
    }
}

/// Whether a plugin has a say about streams. One that a node cannot run has: it refuses them.
fn acts_on_streams(definition: &Definition, plugin: &Plugin, report: &mut Report) -> bool {
    let acts = definition.build.is_none() || definition.phases.contains(Phases::PREREAD);
    if !acts && (plugin.route.is_some() || plugin.service.is_some()) {
        report.notices.push(format!(
            "plugin `{}` (`{}`): has no effect on streams (tcp, tls, udp); the access log and the \
             counters of layer 4 show them",
            plugin.name, plugin.id
        ));
    }
    acts
}

/// Whether a protocol is one of requests.
pub(super) fn is_http(protocol: Protocol) -> bool {
    matches!(
        protocol,
        Protocol::Grpc | Protocol::Grpcs | Protocol::Http | Protocol::Https
    )
}
