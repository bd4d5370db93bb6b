//! Plugins that the node brought along: looking at them when the node starts, and binding their
//! phases to the configuration of an instance.
//!
//! Each core loads a plugin once, with the first request that needs it; its instances share what
//! its modules keep.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use entities::brought::{CustomPlugin, Lua as Constant, Table as Members};
use mlua::{Function, MultiValue, Table, Value};
use plugin_api::{BuildContext, BuildError, Handler, NodeInfo, Phases, PluginInput, Shared};
use serde_json::Value as Json;
use uuid::Uuid;

use super::background;
use super::handler::{Functions, PHASES};
use super::values::from_json;
use super::vm::{Code, Owner, PHASE_COUNT, Surroundings, Vm, first_line};
use crate::brought::{About, Installed, Texts};

/// How long a plugin may take to be loaded.
const LOAD_MAX: Duration = Duration::from_secs(2);

/// What of `ngx` and `kong` is a member of requests or data, and so cannot be checked by name.
const OPEN: [&str; 8] = [
    "kong.ctx.",
    "ngx.ctx.",
    "ngx.var.",
    "ngx.header.",
    "ngx.shared.",
    "ngx.arg.",
    "ngx.null.",
    "kong.configuration.",
];

/// Depth of a description.
const DEPTH_MAX: usize = 32;

/// Prepares an instance of a plugin that the node brought along.
pub(crate) fn build_plugin(
    input: &PluginInput<'_>,
    context: &mut BuildContext<'_>,
) -> Result<Arc<dyn Handler>, BuildError> {
    let installed = context.shared.get::<Installed>().get();
    let refuse = |reason: String| BuildError::Config {
        field: String::new(),
        reason,
    };
    let Some(plugin) = installed.plugin(input.name) else {
        return Err(refuse(format!("plugin `{}` is not installed", input.name)));
    };
    let around = Surroundings::of(context.node, context.shared);
    let config = configuration(input);
    check(&plugin.texts, &config, &around).map_err(refuse)?;
    let text: Vec<&str> = plugin.texts.modules.values().map(String::as_str).collect();
    let owner = Owner {
        code: Code::Plugin {
            texts: Arc::clone(&plugin.texts),
            config,
        },
        name: plugin.texts.name,
    };
    Ok(Arc::new(Functions::new(
        input.id,
        owner,
        plugin.definition.phases,
        &text.join("\n"),
        around,
    )))
}

/// The configuration as phases get it: what is not set is absent, and the instance is named.
fn configuration(input: &PluginInput<'_>) -> Json {
    fn strip(value: &mut Json) {
        match value {
            Json::Object(members) => {
                members.retain(|_, value| !value.is_null());
                members.values_mut().for_each(strip);
            }
            Json::Array(list) => list.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut config = Json::Object(input.config.clone());
    strip(&mut config);
    let scopes = [
        ("__plugin_id", Some(input.id)),
        ("route_id", input.route),
        ("service_id", input.service),
        ("consumer_id", input.consumer),
    ];
    for (name, id) in scopes {
        if let Some(id) = id {
            config[name] = Json::String(id.to_string());
        }
    }
    config
}

/// A machine that serves no requests.
fn apart(around: &Surroundings) -> Result<Vm, String> {
    Vm::new(around).map_err(|error| first_line(&error))
}

fn nowhere() -> Surroundings {
    Surroundings::of(&NodeInfo::new(Uuid::nil(), "localhost"), &Shared::default())
}

impl Vm {
    /// An environment whose `require` finds the modules of a plugin.
    fn environment_of(&self, texts: &Arc<Texts>) -> mlua::Result<Table> {
        let texts = Arc::clone(texts);
        let find = self.lua.create_function(move |lua, name: String| {
            let text = texts.modules.get(&name);
            text.map(|text| lua.create_string(text)).transpose()
        })?;
        self.environment(Some(find))
    }

    /// Runs a module within its limits.
    fn load_module(&self, environment: &Table, module: &str) -> Result<Value, String> {
        let load = || {
            let require: Function = environment.get("require")?;
            let text = "local require, name, put = ... put(require(name))";
            let slot = Rc::new(RefCell::new(Value::Nil));
            let kept = Rc::clone(&slot);
            let put = self.lua.create_function(move |_, value: Value| {
                *kept.borrow_mut() = value;
                Ok(())
            })?;
            let thread = self
                .lua
                .create_thread(self.lua.load(text).set_name("=kit").into_function()?)?;
            let name = Value::String(self.lua.create_string(module)?);
            let arguments = vec![Value::Function(require), name, Value::Function(put)];
            Ok((thread, MultiValue::from_vec(arguments), slot))
        };
        let (thread, arguments, slot) = load().map_err(|error: mlua::Error| first_line(&error))?;
        let waits = background::step(self, "init_worker", &thread, arguments, LOAD_MAX)?;
        match waits {
            None => Ok(slot.borrow().clone()),
            Some(_) => Err("code cannot wait while it is loaded".to_owned()),
        }
    }

    fn load_plugin(&self, texts: &Arc<Texts>) -> Result<Table, String> {
        let environment = self.environment_of(texts);
        let environment = environment.map_err(|error| first_line(&error))?;
        match self.load_module(&environment, &texts.handler())? {
            Value::Table(handler) => Ok(handler),
            _ => Err("handler.lua returns no table".to_owned()),
        }
    }

    /// The handler of a plugin on this core; its beginning runs first.
    fn plugin(&self, texts: &Arc<Texts>) -> mlua::Result<Rc<Table>> {
        let key = Arc::as_ptr(texts).addr();
        if let Some(known) = self.plugins.borrow().get(&key) {
            return Ok(Rc::clone(known));
        }
        let handler = Rc::new(self.load_plugin(texts).map_err(mlua::Error::runtime)?);
        self.plugins.borrow_mut().insert(key, Rc::clone(&handler));
        if let Ok(begin) = handler.get::<Function>("init_worker") {
            let thread = self.lua.create_thread(begin)?;
            let arguments = MultiValue::from_vec(vec![Value::Table((*handler).clone())]);
            let began = background::step(self, "init_worker", &thread, arguments, LOAD_MAX);
            let name = texts.name;
            match began {
                Ok(None) => {}
                Ok(Some(_)) => tracing::warn!(name, "`init_worker` of a plugin cannot wait"),
                Err(reason) => tracing::warn!(name, reason, "`init_worker` of a plugin failed"),
            }
        }
        Ok(handler)
    }

    /// The phases of an instance.
    pub(super) fn bind(
        &self,
        texts: &Arc<Texts>,
        config: &Json,
    ) -> mlua::Result<[Vec<RefCell<Function>>; PHASE_COUNT]> {
        let handler = self.plugin(texts)?;
        let config = from_json(&self.lua, config, &self.marks)?;
        let text = "local handler, phase, config = ... \
                    return function() handler[phase](handler, config) end";
        let bind: Function = self.lua.load(text).set_name("=kit").into_function()?;
        let mut phases: [Vec<RefCell<Function>>; PHASE_COUNT] = Default::default();
        for ((name, ..), functions) in PHASES.into_iter().zip(&mut phases) {
            if let Value::Function(_) = handler.get::<Value>(name)? {
                let bound = bind.call((handler.as_ref(), name, &config))?;
                functions.push(RefCell::new(bound));
            }
        }
        Ok(phases)
    }
}

/// Loads a plugin as a core would, and reads what it says of itself.
pub(crate) fn inspect(texts: &Texts) -> Result<About, String> {
    let texts = Arc::new(Texts {
        name: texts.name,
        modules: texts.modules.clone(),
    });
    let vm = apart(&nowhere())?;
    let handler = vm.load_plugin(&texts)?;
    let fault = |error: mlua::Error| first_line(&error);
    let priority = match handler.get::<Value>("PRIORITY").map_err(fault)? {
        Value::Integer(number) => i32::try_from(number).ok(),
        Value::Number(number) => format!("{number:.0}").parse().ok(),
        Value::Nil => Some(0),
        _ => None,
    };
    let priority = priority.ok_or("handler.lua: `PRIORITY` is no number")?;
    let version = handler.get::<Option<String>>("VERSION").map_err(fault)?;
    let mut phases = Phases::NONE;
    for (name, _, phase) in PHASES {
        if let Value::Function(_) = handler.get::<Value>(name).map_err(fault)? {
            phases = phases | phase;
        }
    }
    if phases.contains(Phases::RESPONSE)
        && (phases.contains(Phases::HEADER_FILTER) || phases.contains(Phases::BODY_FILTER))
    {
        let reason = "handler.lua: `response` stands for `header_filter` and `body_filter`; it \
                      cannot be in one plugin with them";
        return Err(reason.to_owned());
    }
    let mut notices = missing(&vm, &texts)?;
    for name in [
        "certificate",
        "configure",
        "ws_handshake",
        "ws_client_frame",
    ] {
        if let Value::Function(_) = handler.get::<Value>(name).map_err(fault)? {
            notices.push(format!("the phase `{name}` is not run by this node"));
        }
    }
    Ok(About {
        priority,
        version: version.unwrap_or_else(|| "0.0.0".to_owned()),
        phases,
        notices,
    })
}

/// Members of `kong` and `ngx` that the texts name and that are not there.
fn missing(vm: &Vm, texts: &Arc<Texts>) -> Result<Vec<String>, String> {
    let Ok(pattern) = regex::Regex::new(r"\b(?:kong|ngx)(?:\.[A-Za-z_][A-Za-z0-9_]*)+") else {
        return Ok(Vec::new());
    };
    let fault = |error: mlua::Error| first_line(&error);
    let environment = vm.environment_of(texts).map_err(fault)?;
    let text = "local path = ... \
        local at, last = kit_environment, nil \
        for name in path:gmatch('[^.]+') do \
          if type(at) ~= 'table' then return true end \
          local ok, member = pcall(function() return at[name] end) \
          if not ok or member == nil then return false end \
          at = member \
        end \
        return true";
    environment
        .raw_set("kit_environment", &environment)
        .map_err(fault)?;
    let known = vm.lua.load(text).set_environment(environment);
    let known: Function = known.into_function().map_err(fault)?;
    let mut seen = Vec::new();
    for (module, text) in &texts.modules {
        for line in text.lines() {
            let line = line.split("--").next().unwrap_or_default();
            for found in pattern.find_iter(line) {
                // `require "kong.…"` names modules, which are looked for elsewhere.
                let before = line[..found.start()].chars().next_back();
                if matches!(before, Some('"' | '\'' | '.' | '/')) {
                    continue;
                }
                let name = found.as_str();
                let is_open = OPEN.iter().any(|open| name.starts_with(open));
                if !is_open && !seen.iter().any(|(own, _)| own == name) {
                    seen.push((name.to_owned(), module.clone()));
                }
            }
        }
    }
    seen.sort();
    let mut notices = Vec::new();
    for (name, module) in seen {
        if !known.call::<bool>(name.as_str()).map_err(fault)? {
            notices.push(format!(
                "`{module}` uses `{name}`, which is not part of this node; \
                 docs/guides/lua-plugins.md lists what is"
            ));
        }
    }
    Ok(notices)
}

/// Runs a description that is put together by code.
pub(crate) fn run_schema(texts: &Texts) -> Result<CustomPlugin, String> {
    let texts = Arc::new(Texts {
        name: texts.name,
        modules: texts.modules.clone(),
    });
    let vm = apart(&nowhere())?;
    let environment = vm.environment_of(&texts);
    let environment = environment.map_err(|error| first_line(&error))?;
    let value = vm.load_module(&environment, &texts.schema())?;
    let value = constant(&value, 0).map_err(|error| first_line(&error))?;
    CustomPlugin::of_value(&value).map_err(|fault| fault.to_string())
}

/// A value of the machine as a constant.
fn constant(value: &Value, depth: usize) -> mlua::Result<Constant> {
    if depth > DEPTH_MAX {
        return Err(mlua::Error::runtime("the description is nested too deep"));
    }
    Ok(match value {
        Value::Boolean(flag) => Constant::Bool(*flag),
        Value::Integer(number) => Constant::Number(number.to_string().parse().unwrap_or(0.0)),
        Value::Number(number) => Constant::Number(*number),
        Value::String(text) => Constant::Text(text.to_string_lossy()),
        Value::Function(_) => Constant::Function,
        Value::Table(table) => {
            let mut members = Members::default();
            for item in table.sequence_values::<Value>() {
                members.list.push(constant(&item?, depth + 1)?);
            }
            let mut typedef = None;
            for pair in table.pairs::<Value, Value>() {
                let (Value::String(name), value) = pair? else {
                    continue;
                };
                let name = name.to_string_lossy();
                match (name.as_str(), &value) {
                    ("__typedef", Value::String(of)) => typedef = Some(of.to_string_lossy()),
                    _ => members.set(name, constant(&value, depth + 1)?),
                }
            }
            match typedef {
                Some(of) => Constant::Typedef(of, members),
                None => Constant::Table(members),
            }
        }
        _ => Constant::Nil,
    })
}

/// Runs what the description checks by code.
fn check(texts: &Arc<Texts>, config: &Json, around: &Surroundings) -> Result<(), String> {
    let schema = texts.modules.get(&texts.schema());
    let has_code = schema.is_some_and(|text| {
        text.contains("custom_validator") || text.contains("custom_entity_check")
    });
    if !has_code {
        return Ok(());
    }
    let vm = apart(around)?;
    let fault = |error: mlua::Error| first_line(&error);
    let environment = vm.environment_of(texts).map_err(fault)?;
    let schema = vm.load_module(&environment, &texts.schema())?;
    let checks = vm.lua.load(include_str!("checks.lua")).set_name("=kit");
    let checks: Function = checks
        .set_environment(environment)
        .into_function()
        .map_err(fault)?;
    let thread = vm.lua.create_thread(checks).map_err(fault)?;
    let config = from_json(&vm.lua, config, &vm.marks).map_err(fault)?;
    let told = Rc::new(RefCell::new(None));
    let kept = Rc::clone(&told);
    let tell = vm.lua.create_function(move |_, text: Option<String>| {
        *kept.borrow_mut() = text;
        Ok(())
    });
    let tell = tell.map_err(fault)?;
    let arguments = MultiValue::from_vec(vec![schema, config, Value::Function(tell)]);
    background::step(&vm, "init_worker", &thread, arguments, LOAD_MAX)?;
    let told = told.borrow().clone();
    match told {
        Some(reason) => Err(reason),
        None => Ok(()),
    }
}
