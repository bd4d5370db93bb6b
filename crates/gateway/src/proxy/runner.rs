//! Where the state of a request under way lives: in memory of the core that is used again.
//!
//! A runner is a task's state without its task: it takes one request after another out of a slot
//! and answers it. A connection borrows a runner for a request and gives it back, so that an idle
//! connection holds none of that memory and a request allocates none. It does not read heads and
//! does not decide whether a connection goes on.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use super::core::Core;
use super::server::{Session, answer};
use super::transaction::Ending;
use super::work::Work;

/// A connection and the request to be answered on it.
pub(crate) struct Job {
    pub(crate) session: Box<Session>,
    pub(crate) work: Box<Work>,
}

/// Where a runner and who borrowed it hand each other the request.
#[derive(Default)]
struct Slot {
    given: Cell<Option<Job>>,
    done: Cell<Option<(Job, Ending)>>,
}

/// Answers one request after another.
pub(crate) struct Runner {
    slot: Rc<Slot>,
    state: Pin<Box<dyn Future<Output = ()>>>,
}

impl Default for Runner {
    fn default() -> Self {
        let slot = Rc::<Slot>::default();
        let state = Box::pin(run(Rc::clone(&slot)));
        Self { slot, state }
    }
}

async fn run(slot: Rc<Slot>) {
    loop {
        // Between two requests nothing wakes it; who gives it a job polls it.
        let mut job = poll_fn(|_| match slot.given.take() {
            Some(job) => Poll::Ready(job),
            None => Poll::Pending,
        })
        .await;
        let ending = answer(&mut job.session, &mut job.work).await;
        slot.done.set(Some((job, ending)));
    }
}

/// Answers a request with a runner of the core.
pub(crate) async fn run_one(core: &Core, job: Job) -> (Job, Ending) {
    let mut runner = core.take_runner();
    runner.slot.given.set(Some(job));
    let done = poll_fn(|cx| {
        let polled = runner.state.as_mut().poll(cx);
        debug_assert!(polled.is_pending(), "a runner never ends");
        match runner.slot.done.take() {
            Some(done) => Poll::Ready(done),
            None => Poll::Pending,
        }
    })
    .await;
    core.give_runner(runner);
    done
}
