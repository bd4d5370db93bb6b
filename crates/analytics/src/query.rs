//! Questions and answers.

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;

use crate::AnalyticsError;
use crate::intake::{Key, OVERFLOW};
use crate::totals::Totals;

/// Longest time a question may span, in minutes.
const LONGEST: u64 = 31 * 24 * 60;

/// Most rows of an answer.
const ROWS_LIMIT: usize = 10_000;

/// A span of time in Unix milliseconds. Figures are kept by minute: every minute that the span
/// touches is counted whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first moment.
    pub from_ms: u64,
    /// The moment after the last; at most 31 days later.
    pub until_ms: u64,
}

/// What the rows of an answer stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GroupBy {
    /// Everything together.
    #[default]
    Nothing,
    /// A service each.
    Service,
    /// A route each.
    Route,
    /// A status each.
    Status,
    /// A class of status each (2 for 200 to 299).
    StatusClass,
    /// A combination of service, route and status each.
    Combination,
}

/// Which requests count. An empty list means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only these services ([`NONE`](crate::NONE): requests without one).
    pub services: Vec<Uuid>,
    /// Only these routes.
    pub routes: Vec<Uuid>,
    /// Only these statuses.
    pub statuses: Vec<u16>,
    /// Only these classes of status.
    pub status_classes: Vec<u16>,
}

/// A question about one control plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// When.
    pub range: Range,
    /// What the rows stand for.
    pub group_by: GroupBy,
    /// Divides time into steps of this many minutes, counted from the epoch; `None` gives one row
    /// for the whole span.
    pub step_minutes: Option<u64>,
    /// Which requests.
    pub filter: Filter,
    /// Most rows wanted, those with the most requests first to be kept; 0 means 10,000, which is
    /// also the most.
    pub limit: usize,
}

impl Query {
    /// All requests of a span.
    #[must_use]
    pub fn over(range: Range) -> Self {
        Self {
            range,
            group_by: GroupBy::default(),
            step_minutes: None,
            filter: Filter::default(),
            limit: 0,
        }
    }
}

/// What a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Everything.
    All,
    /// A service, [`NONE`](crate::NONE) or [`OVERFLOW`](crate::OVERFLOW).
    Service(Uuid),
    /// A route, [`NONE`](crate::NONE) or [`OVERFLOW`](crate::OVERFLOW).
    Route(Uuid),
    /// A status; 0 when the connection ended before one.
    Status(u16),
    /// A class of status.
    StatusClass(u16),
    /// A combination.
    Combination {
        /// As [`Self::Service`].
        service: Uuid,
        /// As [`Self::Route`].
        route: Uuid,
        /// As [`Self::Status`].
        status: u16,
    },
}

/// One row of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Start of the step in Unix milliseconds; the start of the span without steps.
    pub start_ms: u64,
    /// What it stands for.
    pub group: Group,
    /// The figures.
    pub totals: Totals,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// Ascending by time, then by group.
    pub rows: Vec<Row>,
    /// The sum over all rows, left-out ones included.
    pub totals: Totals,
    /// Whether rows were left out.
    pub is_truncated: bool,
}

/// Requests that are not in the figures, in a span.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Losses {
    /// Nodes dropped them because a buffer was full.
    pub at_node: u64,
    /// They arrived more than a day late.
    pub too_old: u64,
    /// Batches that never arrived, by the numbers of those that did.
    pub missing_batches: u64,
}

/// Collects what a question asks for while rows go by.
pub(crate) struct Collector {
    query: Query,
    services: HashSet<Uuid>,
    routes: HashSet<Uuid>,
    found: BTreeMap<(u64, Group), Totals>,
    all: Totals,
    is_truncated: bool,
}

impl Query {
    /// The minutes it touches: the first, and the one after the last.
    pub(crate) fn minutes(&self) -> Result<(u64, u64), AnalyticsError> {
        let refuse = |field, rule: &str| AnalyticsError::Question {
            field,
            rule: rule.to_owned(),
        };
        let Range { from_ms, until_ms } = self.range;
        let (from, until) = (from_ms / 60_000, until_ms.div_ceil(60_000));
        if from_ms >= until_ms {
            return Err(refuse("range", "has to end after it begins"));
        }
        // The database counts with a sign.
        if until > u64::from(u32::MAX) {
            return Err(refuse("range", "lies too far ahead"));
        }
        if until - from > LONGEST {
            return Err(refuse("range", "may span 31 days at most"));
        }
        if self.step_minutes == Some(0) {
            return Err(refuse("step_minutes", "has to be 1 or more"));
        }
        Ok((from, until))
    }
}

impl Collector {
    pub(crate) fn new(query: Query) -> Self {
        Self {
            services: query.filter.services.iter().copied().collect(),
            routes: query.filter.routes.iter().copied().collect(),
            query,
            found: BTreeMap::new(),
            all: Totals::default(),
            is_truncated: false,
        }
    }

    pub(crate) fn wants(&self, key: &Key) -> bool {
        let filter = &self.query.filter;
        (self.services.is_empty() || self.services.contains(&key.service))
            && (self.routes.is_empty() || self.routes.contains(&key.route))
            && (filter.statuses.is_empty() || filter.statuses.contains(&key.status))
            && (filter.status_classes.is_empty()
                || filter.status_classes.contains(&(key.status / 100)))
    }

    pub(crate) fn add(&mut self, key: &Key, totals: &Totals) {
        self.all.merge(totals);
        let group = match self.query.group_by {
            GroupBy::Nothing => Group::All,
            GroupBy::Service => Group::Service(key.service),
            GroupBy::Route => Group::Route(key.route),
            GroupBy::Status => Group::Status(key.status),
            GroupBy::StatusClass => Group::StatusClass(key.status / 100),
            GroupBy::Combination => Group::Combination {
                service: key.service,
                route: key.route,
                status: key.status,
            },
        };
        let start = match self.query.step_minutes {
            Some(step) => key.minute / step * step,
            None => self.query.range.from_ms / 60_000,
        };
        // A bound for memory, well above the limit of an answer, so that the largest are found.
        let is_new = !self.found.contains_key(&(start, group));
        let group = if is_new && self.found.len() >= ROWS_LIMIT * 10 {
            self.is_truncated = true;
            rest(group)
        } else {
            group
        };
        self.found.entry((start, group)).or_default().merge(totals);
    }

    pub(crate) fn finish(self) -> Rows {
        let limit = match self.query.limit {
            0 => ROWS_LIMIT,
            limit => limit.min(ROWS_LIMIT),
        };
        let mut rows: Vec<Row> = self
            .found
            .into_iter()
            .map(|((start, group), totals)| Row {
                start_ms: start * 60_000,
                group,
                totals,
            })
            .collect();
        let is_truncated = self.is_truncated || rows.len() > limit;
        if rows.len() > limit {
            rows.sort_by_key(|row| std::cmp::Reverse(row.totals.count));
            rows.truncate(limit);
            rows.sort_by_key(|row| (row.start_ms, row.group));
        }
        Rows {
            rows,
            totals: self.all,
            is_truncated,
        }
    }
}

/// Where groups go that are too many.
fn rest(group: Group) -> Group {
    match group {
        Group::Service(_) => Group::Service(OVERFLOW),
        Group::Route(_) => Group::Route(OVERFLOW),
        Group::Combination { status, .. } => Group::Combination {
            service: OVERFLOW,
            route: OVERFLOW,
            status,
        },
        Group::All | Group::Status(_) | Group::StatusClass(_) => group,
    }
}
