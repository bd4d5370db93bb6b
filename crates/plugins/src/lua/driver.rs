//! Running the functions of a phase: at once, or with what they wait for in between.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use mlua::{Function, Lua, MultiValue, String as LuaString, Table, Thread, ThreadStatus, Value};
use plugin_api::{CredentialInfo, Exchange, Verdict};
use uuid::Uuid;

use super::frame::Frame;
use super::kit;
use super::vm::{Compiled, Vm, as_function, first_line};
use crate::outcall::{Call, Trust, Url, Verify, call};

/// Longest sleep.
const SLEEP_MAX: f64 = 60.0;

/// Largest answer to a call of the code, in bytes.
const ANSWER_MAX: usize = 8 * 1024 * 1024;

/// Most waits of one phase.
pub(super) const WAITS_MAX: usize = 1000;

/// How a stretch of code ended.
pub(super) enum Stretch {
    Ended,
    /// It gave the answer.
    Exited,
    /// It waits for something.
    Waits(Wait),
    Failed(String),
}

/// What code waits for.
pub(super) enum Wait {
    Sleep(Duration),
    Consumer(String),
    Identity {
        consumer: String,
        credential: String,
    },
    Http(Box<Request>),
    Upstream(String),
}

/// A call that code makes.
pub(super) struct Request {
    url: String,
    method: String,
    headers: Vec<(String, String)>,
    body: Bytes,
    timeout: Duration,
    verifies: bool,
}

/// The functions of a phase on their way.
pub(super) struct Run {
    vm: Rc<Vm>,
    compiled: Rc<Compiled>,
    phase: usize,
    at: usize,
    thread: Option<Thread>,
}

impl Run {
    pub(super) fn new(vm: &Rc<Vm>, compiled: Rc<Compiled>, phase: usize) -> Self {
        Self {
            vm: Rc::clone(vm),
            compiled,
            phase,
            at: 0,
            thread: None,
        }
    }

    /// Runs until the code ends or waits. The request must be in the machine.
    pub(super) fn stretch(&mut self, mut arguments: MultiValue) -> Stretch {
        loop {
            let thread = match self.thread.take() {
                Some(thread) => thread,
                None => {
                    let Some(function) = self.compiled.phases[self.phase].get(self.at) else {
                        return Stretch::Ended;
                    };
                    let function = function.borrow().clone();
                    match self.vm.lua.create_thread(function) {
                        Ok(thread) => thread,
                        Err(error) => return Stretch::Failed(first_line(&error)),
                    }
                }
            };
            let resumed = thread.resume::<MultiValue>(std::mem::take(&mut arguments));
            let has_exit = {
                let frame = self.vm.state.frame.borrow();
                frame.as_ref().is_some_and(|frame| frame.exit.is_some())
            };
            if has_exit {
                return Stretch::Exited;
            }
            if self.vm.state.is_over.get() {
                return Stretch::Failed("the time of the code is over".to_owned());
            }
            let values = match resumed {
                Ok(values) => values,
                Err(error) => return Stretch::Failed(first_line(&error)),
            };
            if thread.status() == ThreadStatus::Resumable {
                self.thread = Some(thread);
                return match Wait::read(values) {
                    Ok(wait) => Stretch::Waits(wait),
                    Err(error) => Stretch::Failed(first_line(&error)),
                };
            }
            // Code that returned a function is that function from now on, and it runs at once.
            let made = values.front().and_then(as_function);
            match (made, self.compiled.phases[self.phase].get(self.at)) {
                (Some(made), Some(place)) => {
                    *place.borrow_mut() = wrap(&self.vm.lua, made);
                    match self.vm.lua.create_thread(place.borrow().clone()) {
                        Ok(thread) => self.thread = Some(thread),
                        Err(error) => return Stretch::Failed(first_line(&error)),
                    }
                }
                _ => self.at += 1,
            }
        }
    }
}

/// A function whose results do not count, so that what it returns does not replace it.
fn wrap(lua: &Lua, function: Function) -> Function {
    let text = "local inner = ... return function() inner() end";
    let wrapped = lua.load(text).call::<Function>(function.clone());
    wrapped.unwrap_or(function)
}

impl Wait {
    pub(super) fn read(values: MultiValue) -> mlua::Result<Self> {
        let bad = || mlua::Error::runtime("attempt to yield outside a coroutine");
        let values = values.into_vec();
        let text = |at: usize| -> mlua::Result<String> {
            match values.get(at) {
                Some(Value::String(text)) => Ok(text.to_string_lossy()),
                _ => Err(bad()),
            }
        };
        let number = |at: usize| match values.get(at) {
            Some(Value::Number(number)) => Ok(*number),
            Some(Value::Integer(number)) => number.to_string().parse().map_err(|_| bad()),
            _ => Err(bad()),
        };
        match text(0)?.as_str() {
            "sleep" => {
                let seconds = number(1)?.clamp(0.0, SLEEP_MAX);
                Ok(Self::Sleep(Duration::from_secs_f64(seconds)))
            }
            "has_upstream" => Ok(Self::Upstream(text(1)?)),
            "load_consumer" => Ok(Self::Consumer(text(1)?)),
            "authenticate" => Ok(Self::Identity {
                consumer: text(1)?,
                credential: text(2)?,
            }),
            "http" => {
                let Some(Value::Table(headers)) = values.get(3) else {
                    return Err(bad());
                };
                let Some(Value::String(body)) = values.get(4) else {
                    return Err(bad());
                };
                Ok(Self::Http(Box::new(Request {
                    url: text(1)?,
                    method: text(2)?,
                    headers: flat(headers)?,
                    body: kit::bytes(body),
                    timeout: Duration::from_secs_f64(number(5)?.clamp(1.0, 60_000.0) / 1000.0),
                    verifies: matches!(values.get(6), Some(Value::Boolean(true))),
                })))
            }
            _ => Err(bad()),
        }
    }

    /// Waits; gives what the code is told.
    pub(super) async fn end(
        self,
        vm: &Vm,
        exchange: Option<&mut Exchange<'_>>,
    ) -> mlua::Result<MultiValue> {
        let exchange = || exchange.ok_or_else(|| mlua::Error::runtime("there is no request here"));
        match self {
            Self::Sleep(time) => {
                tokio::time::sleep(time).await;
                Ok(MultiValue::new())
            }
            Self::Consumer(name) => {
                let lookups = exchange()?.lookups;
                let value = match lookups.consumer_named(&name) {
                    Some(consumer) => kit::consumer_table(&vm.lua, consumer, &vm.marks)?,
                    None => Value::Nil,
                };
                Ok(MultiValue::from_vec(vec![value]))
            }
            Self::Identity {
                consumer,
                credential,
            } => {
                authenticate(exchange()?, &consumer, &credential);
                Ok(MultiValue::new())
            }
            Self::Upstream(name) => {
                let is_known = exchange()?.lookups.has_upstream(name.as_bytes());
                Ok(MultiValue::from_vec(vec![Value::Boolean(is_known)]))
            }
            Self::Http(request) => ask(&vm.lua, *request, &vm.state.surroundings.trust).await,
        }
    }
}

/// Makes somebody the caller, as an authentication plugin does.
fn authenticate(exchange: &mut Exchange<'_>, consumer: &str, credential: &str) {
    let lookups = exchange.lookups;
    if let Some(consumer) = lookups.consumer_named(consumer) {
        exchange.identity.consumer = Some(Arc::clone(consumer));
    }
    if !credential.is_empty() {
        let id_text = Bytes::copy_from_slice(credential.as_bytes());
        exchange.identity.credential = Some(CredentialInfo {
            id: Uuid::parse_str(credential).unwrap_or_default(),
            identifier: id_text.clone(),
            id_text,
            prepared: None,
        });
    }
}

fn flat(headers: &Table) -> mlua::Result<Vec<(String, String)>> {
    let flat: Vec<LuaString> = headers.sequence_values().collect::<mlua::Result<_>>()?;
    let pair = |pair: &[LuaString]| match pair {
        [name, value] => Some((name.to_string_lossy(), value.to_string_lossy())),
        _ => None,
    };
    Ok(flat.chunks(2).filter_map(pair).collect())
}

/// Makes a call; status, header lines and body, or nothing and what is wrong.
async fn ask(lua: &Lua, request: Request, trust: &Trust) -> mlua::Result<MultiValue> {
    let failed = |text: &str| -> mlua::Result<MultiValue> {
        let text = Value::String(lua.create_string(text)?);
        Ok(MultiValue::from_vec(vec![Value::Nil, text]))
    };
    let Some(url) = Url::parse(&request.url) else {
        return failed("bad uri");
    };
    let Ok(method) = Method::from_bytes(request.method.as_bytes()) else {
        return failed("bad method");
    };
    let answer = call(Call {
        url: &url,
        method,
        headers: request.headers,
        body: request.body,
        verify: match request.verifies {
            true => Verify::Yes,
            false => Verify::No,
        },
        trust,
        timeout: request.timeout,
        keepalive: Duration::from_secs(60),
        proxy: None,
        max_answer: ANSWER_MAX,
    })
    .await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return failed(&error.to_string()),
    };
    let pair = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.as_str().as_bytes().to_vec(), value.as_bytes().to_vec())
    };
    let lines: Vec<_> = answer.headers.iter().map(pair).collect();
    Ok(MultiValue::from_vec(vec![
        Value::Integer(answer.status.into()),
        Value::Table(kit::lines(lua, &lines)?),
        Value::String(lua.create_string(&answer.body)?),
    ]))
}

/// Goes on with code that waits until it ends.
pub(super) async fn finish(
    run: &mut Run,
    mut wait: Wait,
    (frame, context): (Frame, Table),
    exchange: &mut Exchange<'_>,
) -> (Option<Frame>, Result<Verdict, String>) {
    let mut frame = frame;
    for _ in 0..WAITS_MAX {
        frame.give_back(exchange);
        let told = wait.end(&run.vm, Some(&mut *exchange)).await;
        frame.identity = std::mem::take(exchange.identity);
        frame.request = std::mem::take(exchange.request);
        frame.response = std::mem::take(exchange.response);
        let told = match told {
            Ok(told) => told,
            Err(error) => return (Some(frame), Err(first_line(&error))),
        };
        run.vm.enter(frame, context.clone());
        let stretch = run.stretch(told);
        frame = match run.vm.leave() {
            Some(frame) => frame,
            // Nothing takes it away.
            None => return (None, Err("the request was lost".to_owned())),
        };
        match stretch {
            Stretch::Waits(next) => wait = next,
            Stretch::Ended | Stretch::Exited => {
                let verdict = match frame.exit.take() {
                    Some(reply) => Verdict::Respond(Box::new(reply)),
                    None => Verdict::Continue,
                };
                return (Some(frame), Ok(verdict));
            }
            Stretch::Failed(reason) => return (Some(frame), Err(reason)),
        }
    }
    (Some(frame), Err("the code waits too often".to_owned()))
}
