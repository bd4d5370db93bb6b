//! Code that runs when no request does: timers, and the beginning of plugins.
//!
//! It runs on the core whose machine it belongs to, in steps that are as short as those of
//! requests, and ends with the node. It knows no request, and nothing waits for it.

use std::rc::Rc;
use std::time::Duration;

use mlua::{Function, MultiValue, Thread, ThreadStatus, Value};

use super::driver::{WAITS_MAX, Wait};
use super::vm::{RUN_MAX, Vm, first_line};

/// Most timers of a core that may be set at a time.
pub(super) const TIMERS_MAX: usize = 256;

/// Shortest pause between two runs of a timer.
const PAUSE_MIN: Duration = Duration::from_millis(1);

/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_hours(24 * 365);

/// Sets a timer on this core; tells whether there was room.
pub(super) fn timer(
    vm: &Rc<Vm>,
    delay: f64,
    is_every: bool,
    function: Function,
    arguments: MultiValue,
) -> bool {
    let set = vm.state.timers.get();
    if set >= TIMERS_MAX {
        return false;
    }
    vm.state.timers.set(set + 1);
    let pause = Duration::try_from_secs_f64(delay).unwrap_or(PAUSE_MAX);
    let pause = pause.clamp(PAUSE_MIN, PAUSE_MAX);
    let vm = Rc::clone(vm);
    tokio::task::spawn_local(async move {
        loop {
            tokio::time::sleep(pause).await;
            let mut told = arguments.clone();
            // The code is told whether the node is ending; then nothing runs any more.
            told.push_front(Value::Boolean(false));
            match vm.lua.create_thread(function.clone()) {
                Ok(thread) => run(&vm, "timer", thread, told).await,
                Err(error) => say("timer", &first_line(&error)),
            }
            if !is_every {
                break;
            }
        }
        vm.state.timers.set(vm.state.timers.get().saturating_sub(1));
    });
    true
}

/// Runs code to its end, with what it waits for.
pub(super) async fn run(
    vm: &Rc<Vm>,
    phase: &'static str,
    thread: Thread,
    mut arguments: MultiValue,
) {
    for _ in 0..WAITS_MAX {
        let wait = match step(vm, phase, &thread, arguments, RUN_MAX) {
            Ok(None) => return,
            Ok(Some(wait)) => wait,
            Err(reason) => return say(phase, &reason),
        };
        arguments = match wait.end(vm, None).await {
            Ok(told) => told,
            Err(error) => return say(phase, &first_line(&error)),
        };
    }
    say(phase, "the code waits too often");
}

/// Runs code until it ends or waits.
pub(super) fn step(
    vm: &Vm,
    phase: &'static str,
    thread: &Thread,
    arguments: MultiValue,
    limit: Duration,
) -> Result<Option<Wait>, String> {
    vm.make_room().map_err(|error| first_line(&error))?;
    vm.enter_background(phase, limit);
    let resumed = thread.resume::<MultiValue>(arguments);
    let is_over = vm.state.is_over.get();
    vm.leave();
    if is_over {
        return Err("the time of the code is over".to_owned());
    }
    let values = resumed.map_err(|error| first_line(&error))?;
    if thread.status() != ThreadStatus::Resumable {
        return Ok(None);
    }
    let wait = Wait::read(values).map_err(|error| first_line(&error))?;
    Ok(Some(wait))
}

fn say(phase: &'static str, reason: &str) {
    tracing::warn!(phase, reason, "code of a plugin failed");
}
