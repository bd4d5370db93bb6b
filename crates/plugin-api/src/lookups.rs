//! Consumers and credentials, indexed when a configuration is compiled. A plugin resolves the
//! kind of its credential to a slot once, when it is built; a request then costs one hash look-up.
//!
//! Expiry is judged here; what a credential means is the plugin's business.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use crate::info::ConsumerInfo;

/// Which kind of credential; from [`Lookups::slot`], valid for every configuration of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialSlot(usize);

/// One credential as the data path needs it.
#[derive(Clone)]
pub struct CredentialEntry {
    /// Id of the credential.
    pub id: Uuid,
    /// Id as text.
    pub id_text: Bytes,
    /// Whose it is.
    pub consumer: Arc<ConsumerInfo>,
    /// Unix milliseconds from which it counts as unknown; `None` never expires.
    pub expires_at_ms: Option<u64>,
    /// What the plugin prepared from the whole entity.
    pub prepared: Option<Arc<dyn Any + Send + Sync>>,
}

impl fmt::Debug for CredentialEntry {
    /// Leaves out what the plugin prepared: it may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialEntry")
            .field("id", &self.id)
            .field("consumer", &self.consumer.id)
            .finish_non_exhaustive()
    }
}

/// All credentials of one kind by the value a request shows.
#[derive(Default)]
pub struct CredentialIndex {
    entries: HashMap<Box<[u8]>, CredentialEntry>,
}

impl CredentialIndex {
    /// The credential shown by a request, unless it expired.
    #[must_use]
    pub fn find(&self, shown: &[u8], now_ms: u64) -> Option<&CredentialEntry> {
        let entry = self.entries.get(shown)?;
        match entry.expires_at_ms {
            Some(expires_at_ms) if expires_at_ms <= now_ms => None,
            _ => Some(entry),
        }
    }

    /// Number of credentials.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl fmt::Debug for CredentialIndex {
    /// Prints the number of entries only: the keys are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialIndex")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// Everything a plugin can look up while a request runs.
#[derive(Debug, Default)]
pub struct Lookups {
    kinds: Vec<(&'static str, &'static str)>,
    credentials: Vec<CredentialIndex>,
    consumers: HashMap<Uuid, Arc<ConsumerInfo>>,
    usernames: HashMap<Bytes, Uuid>,
    acl_groups: HashMap<Uuid, Vec<Bytes>>,
    upstreams: HashSet<Bytes>,
}

impl Lookups {
    /// Starts a new set for the credential kinds of a node, entity and field, in a fixed order.
    #[must_use]
    pub fn builder(kinds: Vec<(&'static str, &'static str)>) -> LookupsBuilder {
        let credentials = kinds.iter().map(|_| CredentialIndex::default()).collect();
        LookupsBuilder {
            lookups: Self {
                kinds,
                credentials,
                ..Self::default()
            },
        }
    }

    /// The slot of a credential kind such as `keyauth_credentials`; the first one, if rows are
    /// looked up by several fields.
    #[must_use]
    pub fn slot(&self, kind: &str) -> Option<CredentialSlot> {
        let position = self.kinds.iter().position(|(known, _)| *known == kind)?;
        Some(CredentialSlot(position))
    }

    /// The slot of a credential kind that is looked up by a field.
    #[must_use]
    pub fn slot_by(&self, kind: &str, field: &str) -> Option<CredentialSlot> {
        let position = self
            .kinds
            .iter()
            .position(|known| *known == (kind, field))?;
        Some(CredentialSlot(position))
    }

    /// The credential of a kind that a request shows, unless it expired.
    #[must_use]
    pub fn credential(
        &self,
        slot: CredentialSlot,
        shown: &[u8],
        now_ms: u64,
    ) -> Option<&CredentialEntry> {
        self.credentials.get(slot.0)?.find(shown, now_ms)
    }

    /// A consumer by id.
    #[must_use]
    pub fn consumer(&self, id: Uuid) -> Option<&Arc<ConsumerInfo>> {
        self.consumers.get(&id)
    }

    /// A consumer by id in text form or by user name, the way plugins name an anonymous consumer.
    #[must_use]
    pub fn consumer_named(&self, id_or_username: &str) -> Option<&Arc<ConsumerInfo>> {
        let by_id = Uuid::parse_str(id_or_username)
            .ok()
            .and_then(|id| self.consumer(id));
        by_id.or_else(|| self.consumer(*self.usernames.get(id_or_username.as_bytes())?))
    }

    /// Whether the configuration has an upstream of this name.
    #[must_use]
    pub fn has_upstream(&self, name: &[u8]) -> bool {
        self.upstreams.contains(name)
    }

    /// Names of the groups (`acls`) a consumer belongs to, in the order of the configuration.
    #[must_use]
    pub fn acl_groups(&self, consumer: Uuid) -> &[Bytes] {
        self.acl_groups.get(&consumer).map_or(&[], Vec::as_slice)
    }

    /// Number of consumers.
    #[must_use]
    pub fn consumer_count(&self) -> usize {
        self.consumers.len()
    }
}

/// Fills [`Lookups`] while a configuration is compiled.
#[derive(Debug)]
pub struct LookupsBuilder {
    lookups: Lookups,
}

impl LookupsBuilder {
    /// Adds a consumer.
    pub fn consumer(&mut self, consumer: ConsumerInfo) {
        let id = consumer.id;
        if let Some(username) = &consumer.username {
            self.lookups.usernames.insert(username.clone(), id);
        }
        self.lookups.consumers.insert(id, Arc::new(consumer));
    }

    /// Adds an upstream.
    pub fn upstream(&mut self, name: impl Into<Bytes>) {
        self.lookups.upstreams.insert(name.into());
    }

    /// The consumer added under an id.
    #[must_use]
    pub fn find_consumer(&self, id: Uuid) -> Option<&Arc<ConsumerInfo>> {
        self.lookups.consumer(id)
    }

    /// Puts a consumer into a group.
    pub fn acl_group(&mut self, consumer: Uuid, group: Bytes) {
        let groups = self.lookups.acl_groups.entry(consumer).or_default();
        groups.push(group);
    }

    /// The slot of a credential kind.
    #[must_use]
    pub fn slot(&self, kind: &str) -> Option<CredentialSlot> {
        self.lookups.slot(kind)
    }

    /// The slot of a credential kind that is looked up by a field.
    #[must_use]
    pub fn slot_by(&self, kind: &str, field: &str) -> Option<CredentialSlot> {
        self.lookups.slot_by(kind, field)
    }

    /// Adds a credential under the value a request shows.
    pub fn credential(&mut self, slot: CredentialSlot, shown: &[u8], entry: CredentialEntry) {
        if let Some(index) = self.lookups.credentials.get_mut(slot.0) {
            index.entries.insert(shown.into(), entry);
        }
    }

    /// The finished set.
    #[must_use]
    pub fn finish(self) -> Lookups {
        self.lookups
    }
}
