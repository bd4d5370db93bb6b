//! Facts about counting with shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use plugin_api::{DatabaseError, GrantShares, ShareAsked, ShareFuture, ShareGranted};

use super::shared::SharedCounters;
use super::*;
use crate::testing::core;

const NOW_MS: u64 = 1_700_000_000_000;

/// A control plane with one counter.
#[derive(Default)]
struct Plane {
    used: AtomicU64,
    asked: AtomicU32,
    is_away: AtomicBool,
    epoch: AtomicU64,
}

impl GrantShares for Plane {
    fn draw(&self, epoch: u64, asked: Vec<ShareAsked>) -> ShareFuture {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.is_away.load(Ordering::Relaxed) || epoch != self.epoch() {
            return Box::pin(async { Err(DatabaseError("away".to_owned())) });
        }
        let grants = asked.iter().map(|one| {
            let used = self.used.fetch_add(one.spent, Ordering::Relaxed) + one.spent;
            let left = one.limit.saturating_sub(used);
            let grant = left.div_ceil(4);
            self.used.fetch_add(grant, Ordering::Relaxed);
            let left = left - grant;
            ShareGranted { grant, left }
        });
        let grants = grants.collect();
        Box::pin(async move { Ok(grants) })
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    fn nodes(&self) -> u32 {
        2
    }
}

fn source(plane: &Arc<Plane>) -> Arc<dyn GrantShares> {
    Arc::clone(plane) as _
}

/// How many of some requests of one caller pass.
fn passed(
    counters: &SharedCounters,
    source: Option<&Arc<dyn GrantShares>>,
    limit: f64,
    (requests, now_ms): (usize, u64),
) -> usize {
    let limits = [(period::Period::Minute, limit)];
    core().block_on(async {
        let mut passed = 0;
        for _ in 0..requests {
            let usage = counters
                .take(source, (&[0; 32], b"a"), &limits, now_ms)
                .await;
            passed += usize::from(usage.exceeded.is_none());
        }
        passed
    })
}

#[test]
fn two_nodes_let_pass_what_the_limit_says() {
    let plane = Arc::new(Plane::default());
    let plane = source(&plane);
    let (one, other) = (SharedCounters::default(), SharedCounters::default());
    let mut all = 0;
    for _ in 0..100 {
        all += passed(&one, Some(&plane), 100.0, (1, NOW_MS));
        all += passed(&other, Some(&plane), 100.0, (1, NOW_MS));
    }
    assert_eq!(all, 100);
}

#[test]
fn a_control_plane_that_is_away_leaves_each_node_its_part() {
    let away = Arc::new(Plane::default());
    away.is_away.store(true, Ordering::Relaxed);
    let plane = source(&away);
    let node = SharedCounters::default();
    assert_eq!(passed(&node, Some(&plane), 10.0, (20, NOW_MS)), 5);
    // Refused requests do not ask each time.
    assert_eq!(away.asked.load(Ordering::Relaxed), 2);
    // It is back: what passed meanwhile counts.
    away.is_away.store(false, Ordering::Relaxed);
    assert_eq!(passed(&node, Some(&plane), 10.0, (20, NOW_MS + 2000)), 5);
    assert_eq!(away.used.load(Ordering::Relaxed), 10);
    // A node that knows no others is alone, and a small limit lets one pass.
    let alone = SharedCounters::default();
    assert_eq!(passed(&alone, None, 10.0, (20, NOW_MS)), 10);
    let small = SharedCounters::default();
    away.is_away.store(true, Ordering::Relaxed);
    assert_eq!(passed(&small, Some(&plane), 1.0, (5, NOW_MS)), 1);
}

#[test]
fn what_was_granted_lasts_when_the_control_plane_goes_away() {
    let plane = Arc::new(Plane::default());
    let granting = source(&plane);
    let node = SharedCounters::default();
    assert_eq!(passed(&node, Some(&granting), 40.0, (1, NOW_MS)), 1);
    plane.is_away.store(true, Ordering::Relaxed);
    // Ten were granted, and a part of the limit comes with the next window only.
    assert_eq!(passed(&node, Some(&granting), 40.0, (30, NOW_MS)), 9);
    assert_eq!(
        passed(&node, Some(&granting), 40.0, (30, NOW_MS + 60_000)),
        20
    );
}

#[test]
fn a_control_plane_that_begins_anew_hears_what_was_granted_before() {
    let plane = Arc::new(Plane::default());
    let granting = source(&plane);
    let nodes = [SharedCounters::default(), SharedCounters::default()];
    let mut all = 0;
    for restarts in 0..5 {
        plane.used.store(0, Ordering::Relaxed);
        plane.epoch.store(restarts, Ordering::Relaxed);
        for node in &nodes {
            let now_ms = NOW_MS + restarts * 2000;
            all += passed(node, Some(&granting), 40.0, (40, now_ms));
        }
        assert_eq!(all, 40, "after {restarts}");
    }
    // It knows all of it again.
    assert_eq!(plane.used.load(Ordering::Relaxed), 40);
}

#[test]
fn what_passed_while_it_was_away_is_told_to_each_control_plane() {
    let plane = Arc::new(Plane::default());
    let granting = source(&plane);
    let node = SharedCounters::default();
    plane.is_away.store(true, Ordering::Relaxed);
    assert_eq!(passed(&node, Some(&granting), 10.0, (20, NOW_MS)), 5);
    plane.is_away.store(false, Ordering::Relaxed);
    for restarts in 1..4 {
        plane.used.store(0, Ordering::Relaxed);
        plane.epoch.store(restarts, Ordering::Relaxed);
        let now_ms = NOW_MS + restarts * 2000;
        let more = if restarts == 1 { 5 } else { 0 };
        assert_eq!(passed(&node, Some(&granting), 10.0, (20, now_ms)), more);
        assert_eq!(plane.used.load(Ordering::Relaxed), 10, "after {restarts}");
    }
}

#[test]
fn callers_with_long_names_are_kept_apart() {
    let plane: Vec<_> = (0..2).map(|_| Arc::new(Named::default())).collect();
    let limits = [(period::Period::Minute, 8.0)];
    let node = SharedCounters::default();
    for (plane, last) in plane.iter().zip([b'a', b'b']) {
        let mut caller = vec![b'x'; 4000];
        caller.push(last);
        let source: Arc<dyn GrantShares> = Arc::clone(plane) as _;
        let taken = node.take(Some(&source), (&[0; 32], &caller), &limits, NOW_MS);
        core().block_on(taken);
    }
    let names = plane.iter().map(|plane| plane.0.lock().clone());
    let names: Vec<String> = names.collect();
    assert!(
        names
            .iter()
            .all(|name| name.len() <= wire::v1::MAX_COUNTER_NAME)
    );
    assert_ne!(names[0], names[1]);
}

/// A control plane that only notes the name of the counter.
#[derive(Default)]
struct Named(parking_lot::Mutex<String>);

impl GrantShares for Named {
    fn draw(&self, _: u64, asked: Vec<ShareAsked>) -> ShareFuture {
        self.0.lock().clone_from(&asked[0].counter);
        Box::pin(async { Ok(vec![ShareGranted { grant: 1, left: 0 }]) })
    }

    fn epoch(&self) -> u64 {
        0
    }

    fn nodes(&self) -> u32 {
        1
    }
}

#[test]
fn the_remaining_is_what_is_left_for_everybody() {
    let plane = source(&Arc::new(Plane::default()));
    let node = SharedCounters::default();
    let limits = [(period::Period::Minute, 8.0)];
    let mut held = Vec::new();
    core().block_on(async {
        for _ in 0..9 {
            let usage = node
                .take(Some(&plane), (&[0; 32], b"a"), &limits, NOW_MS)
                .await;
            held.push(usage.counts[0]);
        }
    });
    assert_eq!(held, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
}
