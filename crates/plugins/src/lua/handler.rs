//! Plugins whose phases are functions of a configuration.

use std::rc::Rc;
use std::sync::Arc;

use mlua::{Lua, MultiValue, Table};
use plugin_api::{
    BodyChunk, BuildContext, BuildError, Exchange, Handler, LocalBoxFuture, Needs, NodeInfo,
    Outcome, Phases, PluginInput, Reply, ResponseView, Step, Verdict,
};
use schema::Reader;
use uuid::Uuid;

use super::dictionaries::Dictionaries;
use super::driver::{Run, Stretch, finish};
use super::frame::{Frame, Kept, Phase};
use super::values::Marks;
use super::vm::{Owner, Vm};
use crate::outcall::Trust;

/// The phases in the order of [`Owner::sources`].
const PHASES: [(&str, Phase, Phases); 5] = [
    ("rewrite", Phase::Rewrite, Phases::REWRITE),
    ("access", Phase::Access, Phases::ACCESS),
    ("header_filter", Phase::HeaderFilter, Phases::HEADER_FILTER),
    ("body_filter", Phase::BodyFilter, Phases::BODY_FILTER),
    ("log", Phase::Log, Phases::LOG),
];

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
    let mut sources: [Vec<String>; 5] = Default::default();
    let mut phases = Phases::NONE;
    for ((field, _, phase), sources) in PHASES.into_iter().zip(&mut sources) {
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
    let code = sources[..2].concat().join("\n");
    let says = code.contains("ngx.say") || code.contains("ngx.print");
    if says {
        phases = phases | Phases::HEADER_FILTER;
    }
    Ok(Arc::new(Functions {
        id: input.id,
        owner: Arc::new(Owner { sources, name }),
        phases,
        reads_body: READS_BODY.iter().any(|name| code.contains(name)),
        node: context.node.clone(),
        dictionaries: context.shared.get::<Dictionaries>(),
        trust: context.shared.get::<Trust>(),
    }))
}

struct Functions {
    id: Uuid,
    owner: Arc<Owner>,
    phases: Phases,
    reads_body: bool,
    node: NodeInfo,
    dictionaries: Arc<Dictionaries>,
    trust: Arc<Trust>,
}

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
        let vm = Vm::of_core(&self.node, &self.dictionaries)?;
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
                let Ok(marks) = Marks::new(&vm.lua) else {
                    frame.give_back(exchange);
                    return Step::respond(Reply::failure());
                };
                let future: LocalBoxFuture<'a, Verdict> = Box::pin(async move {
                    let around = (&marks, &*self.trust);
                    let (frame, ended) =
                        finish(&mut run, wait, (frame, context), around, exchange).await;
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

fn note_said(frame: &Frame, exchange: &mut Exchange<'_>) {
    if frame.said.is_some() && frame.exit.is_some() {
        exchange.locals.insert(Said);
    }
}

impl Handler for Functions {
    fn needs(&self) -> Needs {
        match self.reads_body {
            true => Needs::REQUEST_BODY,
            false => Needs::NONE,
        }
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

    fn header_filter(&self, exchange: &mut Exchange<'_>, response: &mut ResponseView<'_>) {
        if exchange.locals.get::<Said>().is_some() {
            response.changes_body = true;
        }
        if self.owner.sources[2].is_empty() {
            return;
        }
        let done = self.run(Phase::HeaderFilter, exchange, |frame| frame.show(response));
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
        let code = self.owner.sources[4].iter();
        let wants_record = code.clone().any(|source| source.contains("serialize"));
        let record = wants_record.then(|| crate::record::value(exchange, outcome));
        self.run(Phase::Log, exchange, |frame| {
            frame.record = record;
            frame.end(outcome);
        });
    }
}
