//! From routes to entries: splits, reads every condition, and gives each entry its place.

use std::{cmp::Reverse, sync::Arc};

use entities::{Protocol, Route};
use expressions::{Expression, Subsystem};
use uuid::{Uuid, uuid};

use crate::{
    condition::{Test, anchors},
    entry::{Conditions, Entry, OrderKey, PathRule},
    error::{CompileError, RouteProblem},
    flavor::Flavor,
    order::{Attributes, CategoryKey, Weights, computed_priority},
    patterns::{self, Interner},
    router::RouteInput,
    rules::{AddressRule, HeaderRule, HeaderTest, HostRule, MethodNames, MethodSet, SniRule},
    stream::StreamEntry,
};

/// Name space of the ids that the parts of a split route get.
const SPLIT_SPACE: Uuid = uuid!("7f145bf9-0dce-4f91-98eb-debbce4b9f6b");

/// Makes the entries of all routes.
pub(crate) struct Compiler<'e> {
    pub(crate) flavor: Flavor,
    pub(crate) patterns: Interner<'e>,
    pub(crate) methods: MethodNames,
    pub(crate) entries: Vec<Entry>,
    pub(crate) streams: Vec<StreamEntry>,
    pub(crate) errors: Vec<CompileError>,
}

impl<'e> Compiler<'e> {
    pub(crate) fn new(flavor: Flavor, patterns: Interner<'e>) -> Self {
        Self {
            flavor,
            patterns,
            methods: MethodNames::default(),
            entries: Vec::new(),
            streams: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Adds one route; what is wrong with it goes to `errors`.
    pub(crate) fn add(&mut self, position: usize, input: &RouteInput<'_>) {
        let route = input.route;
        let mut problems = Vec::new();
        if is_stream(&route.protocols) {
            let ends = [
                addresses("sources", &route.sources, &mut problems),
                addresses("destinations", &route.destinations, &mut problems),
            ];
            let mut entry = StreamEntry::new(position, route, self.flavor, ends);
            if let Some(text) = self.expression_of(route) {
                let conditions = self.conditions(text, Subsystem::Stream, &mut problems);
                let key = OrderKey::Computed(Reverse((expression_priority(route), route.id)));
                entry = conditions.map(|own| StreamEntry::of_expression(position, route, key, own));
            }
            self.streams.extend(entry);
        } else {
            self.add_http(position, route, &mut problems);
        }
        self.errors
            .extend(problems.into_iter().map(|problem| CompileError {
                route: position,
                id: route.id,
                name: route.name.clone(),
                problem,
            }));
    }

    fn add_http(&mut self, position: usize, route: &Route, problems: &mut Vec<RouteProblem>) {
        if let Some(expression) = self.expression_of(route) {
            self.add_expression(position, route, expression, problems);
            return;
        }
        let Some(mut entry) = self.shared_conditions(position, route, problems) else {
            return;
        };
        let groups = path_groups(&route.paths, self.flavor);
        let is_split = groups.len() > 1;
        for (number, group) in (1_usize..).zip(&groups) {
            let id = if is_split {
                split_id(route.id, number)
            } else {
                route.id
            };
            entry.paths = self.paths(group, problems);
            entry.key = self.key(position, route, id, group);
            self.entries.push(entry.clone());
        }
    }

    /// Everything but paths and order; `None` for a route without any condition, which never matches.
    fn shared_conditions(
        &mut self,
        position: usize,
        route: &Route,
        problems: &mut Vec<RouteProblem>,
    ) -> Option<Entry> {
        let attributes = attributes(route);
        if attributes.count() == 0 {
            return None;
        }
        Some(Entry {
            route: u32::try_from(position).unwrap_or(u32::MAX),
            key: OrderKey::Computed(Reverse((0, route.id))),
            attributes,
            schemes: schemes(&route.protocols, self.flavor),
            hosts: route
                .hosts
                .iter()
                .map(|host| HostRule::parse(host))
                .collect(),
            paths: Vec::new(),
            methods: MethodSet::new(&route.methods, &mut self.methods),
            headers: headers(&route.headers, problems),
            snis: route
                .snis
                .iter()
                .map(|sni| SniRule::parse(sni, self.flavor))
                .collect(),
            sources: addresses("sources", &route.sources, problems),
            destinations: addresses("destinations", &route.destinations, problems),
            expression: None,
        })
    }

    fn expression_of<'r>(&self, route: &'r Route) -> Option<&'r str> {
        let expression = route.expression.as_deref();
        expression.filter(|_| self.flavor == Flavor::Expressions)
    }

    /// Reads an expression; what is wrong with it goes to `problems`.
    fn conditions(
        &mut self,
        text: &str,
        subsystem: Subsystem,
        problems: &mut Vec<RouteProblem>,
    ) -> Option<Conditions> {
        let expression = match Expression::parse(text, subsystem) {
            Ok(expression) => expression,
            Err(error) => {
                problems.push(RouteProblem::Expression(error));
                return None;
            }
        };
        match Test::compile(&expression, &mut self.patterns) {
            Ok(test) => Some(Conditions {
                test,
                anchors: anchors(&expression),
            }),
            Err((pattern, reason)) => {
                let field = "expression".to_owned();
                problems.push(RouteProblem::Pattern {
                    field,
                    pattern,
                    reason,
                });
                None
            }
        }
    }

    fn add_expression(
        &mut self,
        position: usize,
        route: &Route,
        text: &str,
        problems: &mut Vec<RouteProblem>,
    ) {
        let Some(conditions) = self.conditions(text, Subsystem::Http, problems) else {
            return;
        };
        self.entries.push(Entry {
            route: u32::try_from(position).unwrap_or(u32::MAX),
            key: OrderKey::Computed(Reverse((expression_priority(route), route.id))),
            attributes: Attributes::default(),
            schemes: schemes(&route.protocols, self.flavor),
            hosts: Vec::new(),
            paths: Vec::new(),
            methods: MethodSet::new(&[], &mut self.methods),
            headers: Vec::new(),
            snis: Vec::new(),
            sources: Vec::new(),
            destinations: Vec::new(),
            expression: Some(Arc::new(conditions)),
        });
    }

    fn paths(
        &mut self,
        group: &[(usize, &str)],
        problems: &mut Vec<RouteProblem>,
    ) -> Vec<PathRule> {
        let mut rules = Vec::with_capacity(group.len());
        for (position, path) in group {
            let Some(pattern) = path.strip_prefix('~') else {
                rules.push(PathRule::Prefix(path.as_bytes().into()));
                continue;
            };
            match self.patterns.intern(pattern, self.flavor) {
                Ok(number) => rules.push(PathRule::Pattern(number)),
                Err(reason) => problems.push(RouteProblem::Pattern {
                    field: format!("paths[{position}]"),
                    pattern: pattern.to_owned(),
                    reason,
                }),
            }
        }
        rules
    }

    fn key(&self, position: usize, route: &Route, id: Uuid, group: &[(usize, &str)]) -> OrderKey {
        let has_pattern = group.first().is_some_and(|(_, path)| path.starts_with('~'));
        let plain = group.iter().filter(|_| !has_pattern);
        let longest = plain.map(|(_, path)| path.len()).max().unwrap_or(0);
        let hosts: Vec<_> = route
            .hosts
            .iter()
            .map(|host| HostRule::parse(host))
            .collect();
        let has_plain_hosts = !hosts.is_empty() && !hosts.iter().any(HostRule::is_wildcard);
        match self.flavor {
            Flavor::TraditionalCompatible | Flavor::Expressions => {
                let weights = Weights {
                    attributes: attributes(route).count(),
                    has_plain_hosts,
                    headers: u32::try_from(route.headers.len()).unwrap_or(u32::MAX),
                    regex_priority: has_pattern.then_some(route.regex_priority),
                    prefix_length: u32::try_from(longest).unwrap_or(u32::MAX),
                };
                OrderKey::Computed(Reverse((computed_priority(weights), id)))
            }
            Flavor::Traditional => {
                let has_port = hosts
                    .iter()
                    .any(|rule| rule.is_wildcard() && rule.port.is_some());
                let sub_weight =
                    4 * u8::from(has_port) + 2 * u8::from(has_plain_hosts) + u8::from(has_pattern);
                OrderKey::Category(CategoryKey {
                    category: attributes(route).category(),
                    sub_weight: Reverse(sub_weight),
                    headers: Reverse(route.headers.len()),
                    regex_priority: Reverse(if has_pattern { route.regex_priority } else { 0 }),
                    path_length: Reverse(longest),
                    created_at: route.created_at,
                    position,
                })
            }
        }
    }
}

/// The priority of a route with an expression: above all that are computed.
const fn expression_priority(route: &Route) -> u64 {
    0xFF << 56 | route.priority
}

/// Whether a route is for layer 4. The protocols of a route are of one kind.
fn is_stream(protocols: &[Protocol]) -> bool {
    let is_one = |protocol: &Protocol| {
        matches!(
            protocol,
            Protocol::Tcp | Protocol::Tls | Protocol::TlsPassthrough | Protocol::Udp
        )
    };
    protocols.first().is_some_and(is_one)
}

/// The attributes that a route uses.
fn attributes(route: &Route) -> Attributes {
    Attributes::default()
        .with(Attributes::HOST, !route.hosts.is_empty())
        .with(Attributes::HEADER, !route.headers.is_empty())
        .with(Attributes::URI, !route.paths.is_empty())
        .with(Attributes::METHOD, !route.methods.is_empty())
        .with(Attributes::SNI, !route.snis.is_empty())
        .with(Attributes::SOURCE, !route.sources.is_empty())
        .with(Attributes::DESTINATION, !route.destinations.is_empty())
}

/// The parts that a route is split into, each with the positions of its paths: in the traditional flavor one
/// for each path, else one for all patterns and one for each length of plain paths.
fn path_groups(paths: &[String], flavor: Flavor) -> Vec<Vec<(usize, &str)>> {
    let mut groups: Vec<Vec<(usize, &str)>> = Vec::new();
    for (position, path) in paths.iter().enumerate() {
        let path = path.as_str();
        let present = groups.iter_mut().find(|group| {
            flavor != Flavor::Traditional
                && group.first().is_some_and(|(_, first)| {
                    let is_pattern = path.starts_with('~');
                    first.starts_with('~') == is_pattern
                        && (is_pattern || first.len() == path.len())
                })
        });
        match present {
            Some(group) => group.push((position, path)),
            None => groups.push(vec![(position, path)]),
        }
    }
    if groups.is_empty() {
        groups.push(Vec::new());
    }
    groups
}

fn split_id(route: Uuid, number: usize) -> Uuid {
    Uuid::new_v5(&SPLIT_SPACE, format!("{route}#{number}").as_bytes())
}

/// Which of plain text and TLS a route accepts.
///
/// A route for TLS alone accepts plain text too: the answer to that request is a redirect or an error, which
/// the caller gives. In the flavor of expressions that is so for `https` alone. The traditional flavor does not
/// look at protocols at all.
fn schemes(protocols: &[Protocol], flavor: Flavor) -> [bool; 2] {
    if flavor == Flavor::Traditional || protocols.is_empty() {
        return [true, true];
    }
    let has = |own: [Protocol; 2]| protocols.iter().any(|one| own.contains(one));
    let has_tls = has([Protocol::Https, Protocol::Grpcs]);
    let is_answered = match flavor {
        Flavor::Expressions => protocols.contains(&Protocol::Https),
        Flavor::Traditional | Flavor::TraditionalCompatible => has_tls,
    };
    [
        has([Protocol::Http, Protocol::Grpc]) || is_answered,
        has_tls,
    ]
}

fn headers(
    configured: &[(String, Vec<String>)],
    problems: &mut Vec<RouteProblem>,
) -> Vec<HeaderRule> {
    let mut rules = Vec::with_capacity(configured.len());
    for (name, values) in configured {
        let name = name.to_ascii_lowercase();
        let pattern = match values.as_slice() {
            [only] => only.strip_prefix("~*"),
            _ => None,
        };
        let test = match pattern {
            None => HeaderTest::OneOf(
                values
                    .iter()
                    .map(|value| value.to_ascii_lowercase().into_bytes().into())
                    .collect(),
            ),
            Some(pattern) => match patterns::compile(&pattern.to_ascii_lowercase()) {
                Ok(regex) => HeaderTest::Pattern(regex),
                Err(reason) => {
                    problems.push(RouteProblem::Pattern {
                        field: format!("headers.{name}"),
                        pattern: pattern.to_owned(),
                        reason,
                    });
                    continue;
                }
            },
        };
        rules.push(HeaderRule {
            name: name.into(),
            test,
        });
    }
    rules
}

fn addresses(
    field: &str,
    configured: &[entities::AddressRule],
    problems: &mut Vec<RouteProblem>,
) -> Vec<AddressRule> {
    let mut rules = Vec::with_capacity(configured.len());
    for (position, rule) in configured.iter().enumerate() {
        match AddressRule::parse(rule.ip.as_deref(), rule.port) {
            Some(rule) => rules.push(rule),
            None => problems.push(RouteProblem::Address {
                field: format!("{field}[{position}].ip"),
                value: rule.ip.clone().unwrap_or_default(),
            }),
        }
    }
    rules
}
