//! The virtual machine of a core.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::time::Duration;

use mlua::{Function, HookTriggers, Lua, Table, Value, VmState};
use plugin_api::{NodeInfo, Secrets, Shared};
use tokio::time::Instant;

use super::dictionaries::Dictionaries;
use super::frame::Frame;
use super::kit;
use super::values::Marks;
use crate::brought::Texts;
use crate::outcall::Trust;

/// How long code may run without waiting.
pub(super) const RUN_MAX: Duration = Duration::from_millis(500);

/// Most memory of the virtual machine of a core, in bytes.
pub(super) const MEMORY_MAX: usize = 128 * 1024 * 1024;

/// Instructions between two looks at the clock.
const INSTRUCTIONS: u32 = 10_000;

/// The kit, in Lua.
const KIT: &str = include_str!("kit.lua");

/// The modules that code may ask for, in Lua.
const MODULES: &str = include_str!("modules.lua");

/// How many phases code may have.
pub(super) const PHASE_COUNT: usize = 7;

/// What an instance runs.
#[derive(Debug)]
pub(super) enum Code {
    /// Functions of each phase, in order.
    Functions([Vec<String>; PHASE_COUNT]),
    /// A plugin that the node brought along, with its configuration.
    Plugin {
        texts: Arc<Texts>,
        config: serde_json::Value,
    },
}

/// What code belongs to: alive as long as its instance.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) code: Code,
    /// For errors.
    pub(super) name: &'static str,
}

/// What one instance compiled to.
pub(super) struct Compiled {
    owner: Weak<Owner>,
    /// Function by phase; one that returned a function is replaced by it.
    pub(super) phases: [Vec<RefCell<Function>>; PHASE_COUNT],
}

/// State that functions of the kit share with the driver.
pub(super) struct State {
    /// The request whose code runs.
    pub(super) frame: RefCell<Option<Frame>>,
    /// Its `kong.ctx`.
    pub(super) context: RefCell<Option<Table>>,
    pub(super) deadline: Cell<Option<Instant>>,
    pub(super) is_over: Cell<bool>,
    /// What runs when no request does: a timer, the beginning of a plugin.
    pub(super) background: Cell<Option<&'static str>>,
    /// Timers that are set.
    pub(super) timers: Cell<usize>,
    /// Patterns of `ngx.re`.
    pub(super) patterns: RefCell<HashMap<String, Rc<regex::bytes::Regex>>>,
    pub(super) surroundings: Surroundings,
}

/// What all machines of a node share.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) node: NodeInfo,
    pub(super) dictionaries: Arc<Dictionaries>,
    pub(super) trust: Arc<Trust>,
    pub(super) secrets: Arc<Secrets>,
}

impl Surroundings {
    pub(super) fn of(node: &NodeInfo, shared: &Shared) -> Self {
        Self {
            node: node.clone(),
            dictionaries: shared.get(),
            trust: shared.get(),
            secrets: shared.get(),
        }
    }
}

/// A virtual machine.
pub(super) struct Vm {
    pub(super) lua: Lua,
    pub(super) state: Rc<State>,
    pub(super) marks: Marks,
    /// Makes an environment.
    make: Function,
    pub(super) plugins: RefCell<HashMap<usize, Rc<Table>>>,
    compiled: RefCell<HashMap<usize, Rc<Compiled>>>,
}

thread_local! {
    static VM: RefCell<Option<Rc<Vm>>> = const { RefCell::new(None) };
}

impl Vm {
    /// The machine of this core, made on first use.
    pub(super) fn of_core(around: &Surroundings) -> mlua::Result<Rc<Self>> {
        VM.with_borrow_mut(|vm| {
            if let Some(vm) = vm {
                return Ok(Rc::clone(vm));
            }
            let made = Rc::new(Self::new(around)?);
            *vm = Some(Rc::clone(&made));
            Ok(made)
        })
    }

    /// The machine of this core, if there is one yet.
    pub(super) fn current() -> Option<Rc<Self>> {
        VM.with_borrow(Clone::clone)
    }

    pub(super) fn new(around: &Surroundings) -> mlua::Result<Self> {
        let lua = Lua::new();
        // Hooks do not fire inside compiled traces: without this no limit would hold.
        lua.load("jit.off() jit.flush()").exec()?;
        lua.set_memory_limit(MEMORY_MAX)?;
        let state = Rc::new(State {
            frame: RefCell::new(None),
            context: RefCell::new(None),
            deadline: Cell::new(None),
            is_over: Cell::new(false),
            background: Cell::new(None),
            timers: Cell::new(0),
            patterns: RefCell::default(),
            surroundings: around.clone(),
        });
        let watched = Rc::clone(&state);
        let triggers = HookTriggers::new().every_nth_instruction(INSTRUCTIONS);
        lua.set_global_hook(triggers, move |_, _| {
            let is_over = watched
                .deadline
                .get()
                .is_some_and(|end| Instant::now() >= end);
            if is_over || watched.is_over.get() {
                watched.is_over.set(true);
                return Err(mlua::Error::runtime("the time of the code is over"));
            }
            Ok(VmState::Continue)
        })?;
        let marks = Marks::new(&lua)?;
        let functions = kit::functions(&lua, &state, &marks)?;
        functions.raw_set(
            "modules",
            lua.load(MODULES).set_name("=kit").into_function()?,
        )?;
        let make: Function = lua.load(KIT).set_name("=kit").call(functions)?;
        Ok(Self {
            lua,
            state,
            marks,
            make,
            plugins: RefCell::default(),
            compiled: RefCell::default(),
        })
    }

    /// Compiles a text in a fresh environment; tells what is wrong with it.
    pub(super) fn check(lua: &Lua, name: &str, source: &str) -> Result<(), String> {
        let chunk = lua.load(source).set_name(format!("={name}"));
        match chunk.into_function() {
            Ok(_) => Ok(()),
            Err(error) => Err(first_line(&error)),
        }
    }

    /// The functions of an instance, compiled on first use.
    pub(super) fn functions(&self, owner: &Arc<Owner>) -> mlua::Result<Rc<Compiled>> {
        let key = Arc::as_ptr(owner).addr();
        if let Some(known) = self.compiled.borrow().get(&key)
            && known.owner.strong_count() > 0
            && known.owner.ptr_eq(&Arc::downgrade(owner))
        {
            return Ok(Rc::clone(known));
        }
        let phases = match &owner.code {
            Code::Functions(sources) => self.compile(owner.name, sources)?,
            Code::Plugin { texts, config } => self.bind(texts, config)?,
        };
        let compiled = Rc::new(Compiled {
            owner: Arc::downgrade(owner),
            phases,
        });
        let mut all = self.compiled.borrow_mut();
        all.retain(|_, kept| kept.owner.strong_count() > 0);
        all.insert(key, Rc::clone(&compiled));
        Ok(compiled)
    }

    fn compile(
        &self,
        name: &str,
        sources: &[Vec<String>; PHASE_COUNT],
    ) -> mlua::Result<[Vec<RefCell<Function>>; PHASE_COUNT]> {
        let environment = self.environment(None)?;
        let mut phases: [Vec<RefCell<Function>>; PHASE_COUNT] = Default::default();
        for (functions, sources) in phases.iter_mut().zip(sources) {
            for source in sources {
                let chunk = self.lua.load(source.as_str());
                let chunk = chunk.set_name(format!("={name}"));
                let chunk = chunk.set_environment(environment.clone());
                functions.push(RefCell::new(chunk.into_function()?));
            }
        }
        Ok(phases)
    }

    /// A fresh environment, whose `require` finds modules by this function before it gives up.
    pub(super) fn environment(&self, find: Option<Function>) -> mlua::Result<Table> {
        self.make.call(find)
    }

    /// Makes room when little is left, so that what one request used does not fail the next.
    pub(super) fn make_room(&self) -> mlua::Result<()> {
        if self.lua.used_memory() < MEMORY_MAX - MEMORY_MAX / 8 {
            return Ok(());
        }
        // Collecting must not fail for want of memory.
        self.lua.set_memory_limit(0)?;
        let collected = self.lua.gc_collect();
        self.lua.set_memory_limit(MEMORY_MAX)?;
        collected
    }

    /// Begins a run: a request is in, and its time counts.
    pub(super) fn enter(&self, frame: Frame, context: Table) {
        *self.state.frame.borrow_mut() = Some(frame);
        *self.state.context.borrow_mut() = Some(context);
        self.state.is_over.set(false);
        self.state.deadline.set(Some(Instant::now() + RUN_MAX));
    }

    /// Begins a run without a request.
    pub(super) fn enter_background(&self, phase: &'static str, limit: Duration) {
        self.state.background.set(Some(phase));
        self.state.is_over.set(false);
        self.state.deadline.set(Some(Instant::now() + limit));
    }

    /// Ends a run.
    pub(super) fn leave(&self) -> Option<Frame> {
        self.state.deadline.set(None);
        self.state.background.set(None);
        *self.state.context.borrow_mut() = None;
        self.state.frame.borrow_mut().take()
    }
}

/// What is wrong, on one line.
pub(super) fn first_line(error: &mlua::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("syntax error: ").unwrap_or(&text);
    let text = text.strip_prefix("runtime error: ").unwrap_or(text);
    text.lines().next().unwrap_or_default().to_owned()
}

/// Whether a value is a function that takes the place of the code that returned it.
pub(super) fn as_function(value: &Value) -> Option<Function> {
    match value {
        Value::Function(function) => Some(function.clone()),
        _ => None,
    }
}
