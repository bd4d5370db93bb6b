//! The entries of one protocol, filed so that a lookup sees few of them.
//!
//! Entries with exact server names are filed by name, others by the ports that all their destinations name;
//! what has neither is tried one by one.

use std::collections::HashMap;

use super::table::{Asked, StreamEntry};

/// Lists of ranks, each ascending.
#[derive(Debug, Default)]
pub(super) struct Lane {
    by_name: HashMap<Box<str>, Vec<u32>>,
    by_port: HashMap<u16, Vec<u32>>,
    rest: Vec<u32>,
}

impl Lane {
    /// Files an entry; they come in order of rank.
    pub(super) fn add(&mut self, rank: u32, entry: &StreamEntry, is_tls: bool) {
        if let Some(names) = entry.exact_names().filter(|_| is_tls) {
            for name in names {
                push(self.by_name.entry(name.into()).or_default(), rank);
            }
            return;
        }
        match entry.ports() {
            Some(ports) => {
                for port in ports {
                    push(self.by_port.entry(port).or_default(), rank);
                }
            }
            None => self.rest.push(rank),
        }
    }

    /// The first entry that accepts the connection.
    pub(super) fn find(&self, asked: &Asked<'_>) -> Option<u32> {
        let query = asked.query;
        let named = query.sni.and_then(|name| self.by_name.get(name));
        let by_port = self.by_port.get(&query.destination.1);
        let lists = [named, by_port, Some(&self.rest)];
        let firsts = lists.into_iter().flatten().filter_map(|list| {
            let mut ranks = list.iter().copied();
            ranks.find(|rank| asked.is_accepted_by(*rank))
        });
        firsts.min()
    }
}

fn push(list: &mut Vec<u32>, rank: u32) {
    if list.last() != Some(&rank) {
        list.push(rank);
    }
}
