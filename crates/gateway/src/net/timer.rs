//! A timer wheel per core: one entry per connection, moved lazily.
//!
//! Arming costs a store in the usual case: a deadline later than the slot an entry stands in is
//! only noted, and looked at when that slot comes. It is precise to one tick and never early.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::ticks::Ticks;

/// Length of a tick in microseconds.
const TICK: u64 = 8_000;
/// Ticks the wheel looks ahead: about eight seconds.
const SLOTS: u64 = 1024;
const UNSET: u64 = u64::MAX;

#[derive(Debug)]
struct Entry {
    deadline: Cell<u64>,
    linked: Cell<u64>,
    waker: RefCell<Option<Waker>>,
}

/// The timers of a core.
#[derive(Debug)]
pub(crate) struct Wheel {
    slots: RefCell<Vec<Vec<Rc<Entry>>>>,
    /// The next tick to look at.
    current: Cell<u64>,
    entries: Cell<usize>,
    planned: Cell<u64>,
    driver: RefCell<Option<Waker>>,
    ticks: Rc<Ticks>,
}

/// One timer of a task.
#[derive(Debug)]
pub(crate) struct Timer {
    wheel: Rc<Wheel>,
    entry: Rc<Entry>,
}

impl Wheel {
    /// An empty wheel.
    pub(crate) fn new(ticks: Rc<Ticks>) -> Rc<Self> {
        Rc::new(Self {
            slots: RefCell::new((0..SLOTS).map(|_| Vec::new()).collect()),
            current: Cell::new(0),
            entries: Cell::new(0),
            planned: Cell::new(UNSET),
            driver: RefCell::new(None),
            ticks,
        })
    }

    /// A timer that is not armed.
    pub(crate) fn timer(self: &Rc<Self>) -> Timer {
        Timer {
            wheel: Rc::clone(self),
            entry: Rc::new(Entry {
                deadline: Cell::new(UNSET),
                linked: Cell::new(UNSET),
                waker: RefCell::new(None),
            }),
        }
    }

    /// Runs the wheel; ends never.
    pub(crate) async fn drive(self: Rc<Self>) {
        loop {
            self.advance(self.ticks.now());
            let next = self.next_tick();
            self.planned.set(next);
            if next == UNSET {
                self.wait_for_entry().await;
                continue;
            }
            let at = self.ticks.instant(next * TICK);
            tokio::select! {
                () = tokio::time::sleep_until(at) => {}
                () = self.wait_for_entry() => {}
            }
        }
    }

    async fn wait_for_entry(&self) {
        let planned = self.planned.get();
        std::future::poll_fn(|cx| {
            if self.planned.get() != planned {
                return Poll::Ready(());
            }
            *self.driver.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Wakes every task with an armed timer, so that it looks at what has changed around it.
    pub(crate) fn wake_all(&self) {
        for slot in self.slots.borrow().iter() {
            for entry in slot {
                if let Some(waker) = entry.waker.borrow_mut().take() {
                    waker.wake();
                }
            }
        }
    }

    fn link(&self, entry: &Rc<Entry>, now: u64) {
        let current = self.current.get().max(now / TICK);
        if self.entries.get() == 0 {
            self.current.set(current);
        }
        let wanted = entry.deadline.get().div_ceil(TICK).max(current + 1);
        let tick = wanted.min(self.current.get() + SLOTS - 1);
        entry.linked.set(tick);
        self.slots.borrow_mut()[slot(tick)].push(Rc::clone(entry));
        self.entries.set(self.entries.get() + 1);
        if tick < self.planned.get() {
            self.planned.set(tick);
            if let Some(driver) = self.driver.borrow_mut().take() {
                driver.wake();
            }
        }
    }

    fn advance(&self, now: u64) {
        let target = now / TICK;
        while self.current.get() <= target {
            let tick = self.current.get();
            if self.entries.get() == 0 {
                self.current.set(target + 1);
                return;
            }
            let mut due = std::mem::take(&mut self.slots.borrow_mut()[slot(tick)]);
            self.current.set(tick + 1);
            self.entries.set(self.entries.get() - due.len());
            for entry in due.drain(..) {
                self.visit(&entry, tick, now);
            }
            let list = &mut self.slots.borrow_mut()[slot(tick)];
            if list.is_empty() {
                *list = due;
            }
        }
    }

    fn visit(&self, entry: &Rc<Entry>, tick: u64, now: u64) {
        if entry.linked.get() != tick {
            return;
        }
        entry.linked.set(UNSET);
        let deadline = entry.deadline.get();
        if deadline == UNSET {
            return;
        }
        if deadline > now {
            self.link(entry, now);
        } else if let Some(waker) = entry.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    fn next_tick(&self) -> u64 {
        if self.entries.get() == 0 {
            return UNSET;
        }
        let slots = self.slots.borrow();
        (self.current.get()..self.current.get() + SLOTS)
            .find(|tick| !slots[slot(*tick)].is_empty())
            .unwrap_or(UNSET)
    }
}

fn slot(tick: u64) -> usize {
    usize::try_from(tick % SLOTS).unwrap_or(0)
}

impl Timer {
    /// Lets the timer fire `after` microseconds after the moment `now`.
    pub(crate) fn arm(&self, now: u64, after: u64) {
        let deadline = now.saturating_add(after);
        self.entry.deadline.set(deadline);
        let linked = self.entry.linked.get();
        if linked == UNSET || deadline < (linked - 1) * TICK {
            self.wheel.link(&self.entry, now);
        }
    }

    /// Stops the timer.
    #[cfg(test)]
    fn disarm(&self) {
        self.entry.deadline.set(UNSET);
    }

    /// Whether the deadline has passed; otherwise the task is woken when it does.
    pub(crate) fn poll_expired(&self, cx: &Context<'_>) -> Poll<()> {
        let deadline = self.entry.deadline.get();
        if deadline == UNSET {
            return Poll::Pending;
        }
        let mut waker = self.entry.waker.borrow_mut();
        if !waker
            .as_ref()
            .is_some_and(|known| known.will_wake(cx.waker()))
        {
            *waker = Some(cx.waker().clone());
        }
        drop(waker);
        // The wheel reads the clock before it wakes anybody, so the last reading is enough.
        if deadline <= self.wheel.ticks.recent() {
            return Poll::Ready(());
        }
        if self.entry.linked.get() == UNSET {
            self.wheel.link(&self.entry, self.wheel.ticks.recent());
        }
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // The wheel may hold the entry some seconds longer; the task must not live with it.
        self.entry.deadline.set(UNSET);
        self.entry.waker.borrow_mut().take();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn run<F: Future>(future: impl FnOnce(Rc<Wheel>, Rc<Ticks>) -> F) -> F::Output {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let ticks = Rc::new(Ticks::new());
            let wheel = Wheel::new(Rc::clone(&ticks));
            tokio::task::spawn_local(Rc::clone(&wheel).drive());
            future(wheel, ticks).await
        })
    }

    async fn expired(timer: &Timer) {
        std::future::poll_fn(|cx| timer.poll_expired(cx)).await;
    }

    #[test]
    fn a_timer_fires_after_its_deadline_and_not_before() {
        run(|wheel, ticks| async move {
            let timer = wheel.timer();
            let began = ticks.now();
            timer.arm(began, 30_000);
            expired(&timer).await;
            assert!(ticks.now() >= began + 30_000);
        });
    }

    #[test]
    fn a_later_deadline_replaces_an_earlier_one() {
        run(|wheel, ticks| async move {
            let timer = wheel.timer();
            let began = ticks.now();
            timer.arm(began, 20_000);
            timer.arm(began, 60_000);
            expired(&timer).await;
            assert!(ticks.now() >= began + 60_000);
        });
    }

    #[test]
    fn an_earlier_deadline_replaces_a_later_one() {
        run(|wheel, ticks| async move {
            let timer = wheel.timer();
            timer.arm(ticks.now(), 3_600_000_000);
            timer.arm(ticks.now(), 20_000);
            let fired = tokio::time::timeout(Duration::from_secs(20), expired(&timer)).await;
            assert!(fired.is_ok());
        });
    }

    #[test]
    fn a_disarmed_timer_stays_silent_while_another_fires() {
        run(|wheel, ticks| async move {
            let silent = wheel.timer();
            silent.arm(ticks.now(), 10_000);
            silent.disarm();
            let loud = wheel.timer();
            loud.arm(ticks.now(), 40_000);
            expired(&loud).await;
            let polled = std::future::poll_fn(|cx| Poll::Ready(silent.poll_expired(cx))).await;
            assert!(polled.is_pending());
        });
    }

    #[test]
    fn many_timers_fire_in_any_order_of_arming() {
        run(|wheel, ticks| async move {
            let timers: Vec<Timer> = (0..50).map(|_| wheel.timer()).collect();
            let began = ticks.now();
            for (index, timer) in timers.iter().enumerate() {
                timer.arm(began, (index as u64 * 7919) % 50_000);
            }
            for timer in &timers {
                expired(timer).await;
            }
            assert!(ticks.now() >= began + 49_000);
        });
    }
}
