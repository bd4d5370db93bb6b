//! Lua code in plugins, on LuaJIT: one virtual machine for each core, which starts with the first
//! request that needs it. Routes without such code never come near it.
//!
//! Code runs in a sandbox with the development kit of the reference (`kong.*`), a part of `ngx.*`,
//! `cjson` and a few modules. What it may use is in `kit.lua`, over the functions of `kit`.
//!
//! Limits hold for all code. The compiler of LuaJIT is off: hooks, which stop code whose time is
//! over, do not fire inside compiled traces. What a limit stops cannot be caught with `pcall`.
//! One call of a function of the language itself, such as a pattern with much backtracking, is not
//! interrupted.

mod background;
mod dictionaries;
mod driver;
mod frame;
mod handler;
mod kit;
mod kit_answer;
mod kit_tools;
mod plugin;
#[cfg(test)]
mod tests;
mod values;
mod vm;

pub(crate) use handler::{Place, build};
pub(crate) use plugin::{build_plugin, inspect, run_schema};
