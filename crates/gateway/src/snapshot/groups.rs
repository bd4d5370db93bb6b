//! Who is in which group of consumers.
//!
//! Instances of a group are spread over its members when a configuration is compiled, so that a
//! request looks its consumer up and nothing else.

use std::collections::HashMap;

use declarative::Config;
use entities::{ConsumerGroup, GroupMembership};
use plugin_api::{Bound, ConsumerMap};
use uuid::Uuid;

use super::compile::{Report, rows};

/// The groups of a configuration.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// Groups of each consumer, by name in alphabetical order.
    of: HashMap<Uuid, Vec<Uuid>>,
}

impl Groups {
    /// Reads groups and memberships.
    pub(super) fn read(config: &Config, report: &mut Report) -> Self {
        let mut names = HashMap::new();
        for row in rows(config, "consumer_groups") {
            if let Some(group) = report.read::<ConsumerGroup>(row) {
                names.insert(group.id, group.name);
            }
        }
        let mut groups = Self::default();
        for row in rows(config, "consumer_group_consumers") {
            if let Some(membership) = report.read::<GroupMembership>(row)
                && names.contains_key(&membership.group)
            {
                let of = groups.of.entry(membership.consumer).or_default();
                of.push(membership.group);
            }
        }
        for of in groups.of.values_mut() {
            of.sort_unstable_by_key(|group| names.get(group));
            of.dedup();
        }
        groups
    }

    /// The groups of a consumer, by name in alphabetical order.
    pub(super) fn of(&self, consumer: Uuid) -> &[Uuid] {
        self.of.get(&consumer).map_or(&[], Vec::as_slice)
    }

    /// Instances of groups, spread over their members. Of several groups of one consumer the
    /// first by name counts.
    pub(super) fn spread(&self, instances: &HashMap<Uuid, Bound>) -> ConsumerMap {
        let chosen = self.of.iter().filter_map(|(consumer, groups)| {
            let bound = groups.iter().find_map(|group| instances.get(group))?;
            Some((*consumer, bound.clone()))
        });
        chosen.collect()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use crate::testing::{compile, config};

    const ROUTE: &str = "00000001-0000-4000-8000-000000000001";
    const SERVICE: &str = "00000001-0000-4000-8000-000000000002";
    const ALICE: &str = "00000001-0000-4000-8000-000000000003";
    const BOB: &str = "00000001-0000-4000-8000-000000000004";

    /// Every combination of scopes, most specific first; the last digit of an instance's id.
    const RANKS: [(u8, &str); 12] = [
        (0, "route: r, service: s, consumer: alice"),
        (1, "route: r, service: s, consumer_group: gold"),
        (2, "route: r, consumer: alice"),
        (3, "service: s, consumer: alice"),
        (4, "route: r, consumer_group: gold"),
        (5, "service: s, consumer_group: gold"),
        (6, "route: r, service: s"),
        (7, "consumer: alice"),
        (8, "consumer_group: gold"),
        (9, "route: r"),
        (10, "service: s"),
        (11, "enabled: true"),
    ];

    fn winner(plugins: &str, consumer: &str) -> Option<u8> {
        let yaml = format!(
            "
services:
- {{id: {SERVICE}, name: s, host: s.test, routes: [{{id: {ROUTE}, name: r, paths: [/r]}}]}}
consumers:
- {{id: {ALICE}, username: alice}}
- {{id: {BOB}, username: bob}}
consumer_groups:
- {{name: gold}}
- {{name: silver}}
consumer_group_consumers:
- {{consumer_group: silver, consumer: alice}}
- {{consumer_group: gold, consumer: alice}}
plugins:
{plugins}
"
        );
        let snapshot = super::super::Snapshot::compile(&config(&yaml), "h", &compile()).unwrap();
        let entry = snapshot.routes[0].chain.entries().first()?;
        let id = Uuid::parse_str(consumer).unwrap();
        let own = entry.consumers().iter().find_map(|map| map.get(&id));
        let bound = own.or_else(|| entry.default_bound())?;
        bound.id.as_bytes().last().copied()
    }

    fn instance(rank: u8, scope: &str) -> String {
        format!(
            "- {{name: request-termination, id: 00000002-0000-4000-8000-0000000000{rank:02x}, {scope}}}\n"
        )
    }

    #[test]
    fn a_group_comes_after_its_members_and_before_what_has_fewer_scopes() {
        for first in 0..RANKS.len() {
            let plugins: String = RANKS[first..]
                .iter()
                .map(|(rank, scope)| instance(*rank, scope))
                .collect();
            assert_eq!(winner(&plugins, ALICE), Some(RANKS[first].0), "{plugins}");
        }
    }

    #[test]
    fn an_instance_of_a_group_is_for_its_members_only() {
        let gold = instance(8, "consumer_group: gold");
        assert_eq!(winner(&gold, ALICE), Some(8));
        assert_eq!(winner(&gold, BOB), None);
        let with_default = gold + &instance(11, "enabled: true");
        assert_eq!(winner(&with_default, BOB), Some(11));
    }

    #[test]
    fn of_several_groups_the_first_by_name_counts() {
        let silver = instance(1, "consumer_group: silver");
        assert_eq!(winner(&silver, ALICE), Some(1));
        let both = silver + &instance(2, "consumer_group: gold");
        assert_eq!(winner(&both, ALICE), Some(2));
    }
}
