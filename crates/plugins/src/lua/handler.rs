//! Plugins whose phases are functions of a configuration.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use mlua::{Lua, MultiValue, Table};
use plugin_api::{
    BodyChunk, BuildContext, BuildError, Exchange, Handler, LocalBoxFuture, Needs, Outcome, Phases,
    PluginInput, Preread, Reply, ResponseView, Step, Verdict,
};
use schema::Reader;
use uuid::Uuid;

use super::driver::{Run, Stretch, finish};
use super::frame::{Frame, Kept, Phase};
use super::vm::{Code, Owner, PHASE_COUNT, Surroundings, Vm};

/// The phases in the order of [`Code::Functions`].
pub(super) const PHASES: [(&str, Phase, Phases); PHASE_COUNT] = [
    ("rewrite", Phase::Rewrite, Phases::REWRITE),
    ("access", Phase::Access, Phases::ACCESS),
    ("header_filter", Phase::HeaderFilter, Phases::HEADER_FILTER),
    ("body_filter", Phase::BodyFilter, Phases::BODY_FILTER),
    ("log", Phase::Log, Phases::LOG),
    ("response", Phase::Response, Phases::RESPONSE),
    ("preread", Phase::Preread, Phases::PREREAD),
];

/// Phases that functions in a configuration may have.
const FUNCTION_PHASES: usize = 5;

/// What reads the request's body.
const READS_BODY: [&str; 6] = [
    "get_body",
    "get_raw_body",
    "set_body",
    "set_raw_body",
    "get_post_args",
    "set_body_data",
];

/// Whether code runs before or after all other plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Before,
    After,
}

/// Prepares an instance.
pub(crate) fn build(
    place: Place,
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let name = match place {
        Place::Before => "pre-function",
        Place::After => "post-function",
    };
    let read = Reader::new("plugins", input.config);
    let lua = Lua::new();
    let mut sources: [Vec<String>; PHASE_COUNT] = Default::default();
    let mut phases = Phases::NONE;
    for ((field, _, phase), sources) in PHASES.into_iter().zip(&mut sources).take(FUNCTION_PHASES) {
        *sources = read.texts(field)?;
        for (at, source) in sources.iter().enumerate() {
            Vm::check(&lua, name, source).map_err(|reason| BuildError::Config {
                field: format!("{field}[{}]", at + 1),
                reason: format!("error parsing {name}: {reason}"),
            })?;
        }
        if !sources.is_empty() {
            phases = phases | phase;
        }
    }
    if !read.texts("certificate")?.is_empty() {
        context
            .notices
            .push("`config.certificate` is not run by this node".to_owned());
    }
    let code = sources.concat().join("\n");
    Ok(Arc::new(Functions::new(
        input.id,
        Owner {
            code: Code::Functions(sources),
            name,
        },
        phases,
        &code,
        Surroundings::of(context.node, context.shared),
    )))
}

/// An instance whose phases are code.
pub(super) struct Functions {
    id: Uuid,
    owner: Arc<Owner>,
    /// Those that code has.
    coded: Phases,
    /// Those that also need somebody.
    phases: Phases,
    reads_body: bool,
    /// Whether the answer's body is to be there before its head is shown.
    buffers: bool,
    wants_record: bool,
    around: Surroundings,
}

impl Functions {
    /// An instance; `text` is all of its code.
    pub(super) fn new(
        id: Uuid,
        owner: Owner,
        coded: Phases,
        text: &str,
        around: Surroundings,
    ) -> Self {
        let says = text.contains("ngx.say") || text.contains("ngx.print");
        let buffers = text.contains("enable_buffering");
        let mut phases = coded;
        if says {
            phases = phases | Phases::HEADER_FILTER;
        }
        if buffers {
            phases = phases | Phases::RESPONSE;
        }
        Self {
            id,
            owner: Arc::new(owner),
            coded,
            phases,
            reads_body: reads_body(text),
            buffers,
            wants_record: text.contains("serialize"),
            around,
        }
    }
}

/// Whether code names what reads the request's body; that of answers has the same names.
fn reads_body(text: &str) -> bool {
    let is_of_request = |(at, _): (usize, &str)| !text[..at].ends_with("response.");
    let mut names = READS_BODY.iter();
    names.any(|name| text.match_indices(name).any(is_of_request))
}

/// The body of an answer, for its header filter.
struct Whole(Bytes);

/// The tables that code keeps for a request.
struct Context(Table);

/// An answer that was said piece by piece, and so has no length.
struct Said;

/// A body that is collected.
struct Collected(Vec<u8>);

impl Functions {
    fn say(&self, phase: Phase, reason: &str) {
        let phase = phase.name();
        tracing::debug!(plugin = %self.id, phase, reason, "code of a plugin failed");
    }

    /// The machine, the functions, and the tables of the request.
    fn prepare(
        &self,
        phase: Phase,
        exchange: &mut Exchange<'_>,
    ) -> mlua::Result<(Rc<Vm>, Run, Table)> {
        let vm = Vm::of_core(&self.around)?;
        vm.make_room()?;
        let compiled = vm.functions(&self.owner)?;
        let at = PHASES.iter().position(|(_, own, _)| *own == phase);
        let run = Run::new(&vm, compiled, at.unwrap_or_default());
        let context = match exchange.locals.get::<Context>() {
            Some(Context(table)) => table.clone(),
            None => {
                let table = vm.lua.create_table()?;
                exchange.locals.insert(Context(table.clone()));
                table
            }
        };
        Ok((vm, run, context))
    }

    /// Runs the functions of a phase that cannot wait; the request as they left it, and whether
    /// they failed.
    fn run(
        &self,
        phase: Phase,
        exchange: &mut Exchange<'_>,
        show: impl FnOnce(&mut Frame),
    ) -> Option<(Frame, bool)> {
        let (vm, mut run, context) = match self.prepare(phase, exchange) {
            Ok(prepared) => prepared,
            Err(error) => {
                self.say(phase, &super::vm::first_line(&error));
                return None;
            }
        };
        let mut frame = Frame::take(phase, self.id, exchange);
        show(&mut frame);
        vm.enter(frame, context);
        let stretch = run.stretch(MultiValue::new());
        let mut frame = vm.leave()?;
        frame.give_back(exchange);
        let reason = match stretch {
            Stretch::Ended | Stretch::Exited => return Some((frame, false)),
            Stretch::Waits(_) => "code cannot wait in this phase".to_owned(),
            Stretch::Failed(reason) => reason,
        };
        self.say(phase, &reason);
        Some((frame, true))
    }

    /// Runs the functions of a phase that may wait and answer.
    fn decide<'a>(&'a self, phase: Phase, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        let (vm, mut run, context) = match self.prepare(phase, exchange) {
            Ok(prepared) => prepared,
            Err(error) => {
                self.say(phase, &super::vm::first_line(&error));
                return Step::respond(Reply::failure());
            }
        };
        vm.enter(Frame::take(phase, self.id, exchange), context.clone());
        let stretch = run.stretch(MultiValue::new());
        let Some(mut frame) = vm.leave() else {
            return Step::respond(Reply::failure());
        };
        match stretch {
            Stretch::Waits(wait) => {
                let future: LocalBoxFuture<'a, Verdict> = Box::pin(async move {
                    let (frame, ended) = finish(&mut run, wait, (frame, context), exchange).await;
                    if let Some(mut frame) = frame {
                        note_said(&frame, exchange);
                        frame.give_back(exchange);
                    }
                    ended.unwrap_or_else(|reason| {
                        self.say(phase, &reason);
                        Verdict::Respond(Box::new(Reply::failure()))
                    })
                });
                Step::Wait(future)
            }
            Stretch::Ended | Stretch::Exited => {
                note_said(&frame, exchange);
                let exit = frame.exit.take();
                frame.give_back(exchange);
                match exit {
                    Some(reply) => Step::respond(reply),
                    None => Step::CONTINUE,
                }
            }
            Stretch::Failed(reason) => {
                frame.give_back(exchange);
                self.say(phase, &reason);
                Step::respond(Reply::failure())
            }
        }
    }
}

impl Functions {
    /// Runs the phase that has the whole answer.
    fn answer<'a>(
        &'a self,
        exchange: &'a mut Exchange<'_>,
        response: &'a mut ResponseView<'_>,
        body: &'a mut Bytes,
    ) -> Step<'a> {
        let (vm, mut run, context) = match self.prepare(Phase::Response, exchange) {
            Ok(prepared) => prepared,
            Err(error) => {
                self.say(Phase::Response, &super::vm::first_line(&error));
                return Step::respond(Reply::failure());
            }
        };
        let mut frame = Frame::take(Phase::Response, self.id, exchange);
        frame.show(response);
        frame.show_whole(body.clone());
        vm.enter(frame, context.clone());
        let stretch = run.stretch(MultiValue::new());
        let Some(frame) = vm.leave() else {
            return Step::respond(Reply::failure());
        };
        Step::Wait(Box::pin(async move {
            let (frame, ended) = match stretch {
                Stretch::Waits(wait) => finish(&mut run, wait, (frame, context), exchange).await,
                Stretch::Failed(reason) => (Some(frame), Err(reason)),
                Stretch::Ended | Stretch::Exited => (Some(frame), Ok(Verdict::Continue)),
            };
            let Some(mut frame) = frame else {
                return Verdict::Respond(Box::new(Reply::failure()));
            };
            response.status = frame.answer.status;
            *response.headers = std::mem::take(&mut frame.answer.edits);
            response.changes_body |= frame.answer.changes_body;
            if let Some(replaced) = frame.piece.replaced.take() {
                response.changes_body = true;
                *body = replaced;
            }
            exchange.locals.insert::<Kept>(frame.kept.clone());
            let exit = frame.exit.take();
            frame.give_back(exchange);
            match (ended, exit) {
                (Err(reason), _) => {
                    self.say(Phase::Response, &reason);
                    Verdict::Respond(Box::new(Reply::failure()))
                }
                (Ok(_), Some(reply)) => Verdict::Respond(Box::new(reply)),
                (Ok(verdict), None) => verdict,
            }
        }))
    }

    /// Runs the phase of a connection that has no request; fails if it is to be closed.
    fn let_in(&self, vm: &Rc<Vm>, frame: Frame) -> Result<(), String> {
        let fault = |error: mlua::Error| super::vm::first_line(&error);
        let compiled = vm.functions(&self.owner).map_err(fault)?;
        let at = PHASES.iter().position(|(_, own, _)| *own == Phase::Preread);
        let mut run = Run::new(vm, compiled, at.unwrap_or_default());
        vm.enter(frame, vm.lua.create_table().map_err(fault)?);
        let stretch = run.stretch(MultiValue::new());
        vm.leave();
        match stretch {
            Stretch::Ended => Ok(()),
            Stretch::Exited => Err("the code closes the connection".to_owned()),
            Stretch::Waits(_) => Err("code cannot wait in this phase".to_owned()),
            Stretch::Failed(reason) => Err(reason),
        }
    }
}

fn note_said(frame: &Frame, exchange: &mut Exchange<'_>) {
    if frame.said.is_some() && frame.exit.is_some() {
        exchange.locals.insert(Said);
    }
}

impl Handler for Functions {
    fn needs(&self) -> Needs {
        let mut needs = Needs::NONE;
        if self.reads_body {
            needs = needs | Needs::REQUEST_BODY;
        }
        if self.phases.contains(Phases::RESPONSE) {
            needs = needs | Needs::RESPONSE_BODY;
        }
        needs
    }

    fn phases(&self) -> Phases {
        self.phases
    }

    fn rewrite<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        self.decide(Phase::Rewrite, exchange)
    }

    fn access<'a>(&'a self, exchange: &'a mut Exchange<'_>) -> Step<'a> {
        self.decide(Phase::Access, exchange)
    }

    fn response<'a>(
        &'a self,
        exchange: &'a mut Exchange<'_>,
        response: &'a mut ResponseView<'_>,
        body: &'a mut Bytes,
    ) -> Step<'a> {
        if self.buffers {
            exchange.locals.insert(Whole(body.clone()));
        }
        match self.coded.contains(Phases::RESPONSE) {
            true => self.answer(exchange, response, body),
            false => Step::CONTINUE,
        }
    }

    fn preread(&self, session: &mut Preread<'_>) {
        let Ok(vm) = Vm::of_core(&self.around) else {
            session.is_refused = true;
            return;
        };
        let frame = Frame::of_connection(self.id, session.client, clock::unix_millis());
        session.is_refused |= self.let_in(&vm, frame).is_err();
    }

    fn header_filter(&self, exchange: &mut Exchange<'_>, response: &mut ResponseView<'_>) {
        if exchange.locals.get::<Said>().is_some() {
            response.changes_body = true;
        }
        if !self.coded.contains(Phases::HEADER_FILTER) {
            return;
        }
        let whole = exchange
            .locals
            .get::<Whole>()
            .map(|Whole(body)| body.clone());
        let done = self.run(Phase::HeaderFilter, exchange, |frame| {
            frame.show(response);
            frame.show_whole(whole.unwrap_or_default());
        });
        let Some((frame, _)) = done else { return };
        response.status = frame.answer.status;
        *response.headers = frame.answer.edits;
        response.changes_body |= frame.answer.changes_body;
        exchange.locals.insert::<Kept>(frame.kept);
    }

    fn body_filter(&self, exchange: &mut Exchange<'_>, chunk: &mut BodyChunk) {
        let collected = exchange.locals.get_mut::<Collected>();
        let collected = collected.map(|Collected(bytes)| std::mem::take(bytes));
        let done = self.run(Phase::BodyFilter, exchange, |frame| {
            frame.show_piece(chunk, collected);
        });
        let Some((frame, _)) = done else { return };
        if frame.piece.collects {
            exchange.locals.insert(Collected(frame.piece.collected));
        }
        if let Some(replaced) = frame.piece.replaced {
            chunk.data = replaced;
        }
    }

    fn log(&self, exchange: &mut Exchange<'_>, outcome: &Outcome) {
        let wants_record = self.wants_record;
        let record = wants_record.then(|| crate::record::value(exchange, outcome));
        self.run(Phase::Log, exchange, |frame| {
            frame.record = record;
            frame.end(outcome);
        });
    }
}
