//! The functions under the kit that need no request: patterns, digests, timers, vaults; and the
//! changes to the service of a request.

use std::rc::Rc;

use aws_lc_rs::hmac;
use mlua::{Function, MultiValue, String as LuaString, Table, Value};
use plugin_api::ServiceEdits;
use regex::bytes::{Regex, RegexBuilder};

use super::background;
use super::frame::Frame;
use super::kit::{Kit, bytes, string};
use super::vm::{State, Vm};

/// Patterns kept ready.
const PATTERNS_MAX: usize = 1000;

/// Most random bytes at a time.
const RANDOM_MAX: usize = 64 * 1024;

/// Registers them.
pub(super) fn functions(kit: &Kit<'_>) -> mlua::Result<()> {
    service(kit)?;
    patterns(kit)?;
    digests(kit)?;
    kit.plain("vault_get", |lua, state, reference: LuaString| {
        let read = state
            .surroundings
            .secrets
            .read(&reference.to_string_lossy());
        Ok(match read {
            Ok(text) => (string(lua, text)?, Value::Nil),
            Err(fault) => (Value::Nil, string(lua, fault)?),
        })
    })?;
    type Timer = (f64, bool, Function, MultiValue);
    kit.plain(
        "timer",
        |_, _, (delay, is_every, function, arguments): Timer| match Vm::current() {
            Some(vm) => Ok(background::timer(&vm, delay, is_every, function, arguments)),
            // Where a plugin is only looked at, nothing runs later.
            None => Ok(true),
        },
    )?;
    kit.plain("timers", |_, state, ()| Ok(state.timers.get()))?;
    kit.plain("parse_http_time", |_, _, text: LuaString| {
        Ok(crate::http_date::unix_seconds(&text.as_bytes()))
    })
}

fn edits(frame: &mut Frame) -> &mut ServiceEdits {
    frame.request.service.get_or_insert_default()
}

fn service(kit: &Kit<'_>) -> mlua::Result<()> {
    kit.put("set_upstream", |_, frame, name: LuaString| {
        edits(frame).upstream = Some(bytes(&name));
        Ok(())
    })?;
    kit.put("set_retries", |_, frame, retries: u16| {
        edits(frame).retries = Some(retries);
        Ok(())
    })?;
    kit.put("set_timeouts", |_, frame, timeouts: (u32, u32, u32)| {
        edits(frame).timeouts = Some(timeouts);
        Ok(())
    })
}

/// A pattern with the options of `ngx.re`.
fn pattern(state: &State, text: &str, options: &str) -> Result<Rc<Regex>, String> {
    let key = format!("{options}/{text}");
    if let Some(known) = state.patterns.borrow().get(&key) {
        return Ok(Rc::clone(known));
    }
    let has = |option| options.contains(option);
    let made = RegexBuilder::new(text)
        .case_insensitive(has('i'))
        .multi_line(has('m'))
        .dot_matches_new_line(has('s'))
        .ignore_whitespace(has('x'))
        .unicode(has('u'))
        .size_limit(1024 * 1024)
        .build()
        .map_err(|error| {
            let text = error.to_string();
            let last = text.lines().next_back().unwrap_or_default();
            format!("the pattern cannot be read: {last}")
        })?;
    let made = Rc::new(match has('a') {
        true => Regex::new(&format!("\\A(?:{})", made.as_str())).unwrap_or(made),
        false => made,
    });
    let mut patterns = state.patterns.borrow_mut();
    if patterns.len() >= PATTERNS_MAX {
        patterns.clear();
    }
    patterns.insert(key, Rc::clone(&made));
    Ok(made)
}

fn patterns(kit: &Kit<'_>) -> mlua::Result<()> {
    type Asked = (LuaString, LuaString, LuaString, usize);
    kit.plain(
        "re_find",
        |lua, state, (subject, text, options, from): Asked| {
            let made = pattern(state, &text.to_string_lossy(), &options.to_string_lossy());
            let made = match made {
                Ok(made) => made,
                Err(fault) => return Ok((Value::Nil, string(lua, fault)?)),
            };
            let subject = subject.as_bytes();
            let from = from.saturating_sub(1);
            if from > subject.len() {
                return Ok((Value::Nil, Value::Nil));
            }
            let Some(found) = made.captures_at(&subject, from) else {
                return Ok((Value::Nil, Value::Nil));
            };
            let places = lua.create_table_with_capacity(found.len() * 2, 0)?;
            for one in found.iter() {
                let (start, end) = one.map_or((0, 0), |one| (one.start() + 1, one.end()));
                places.raw_push(start)?;
                places.raw_push(end)?;
            }
            let names: Table = lua.create_table()?;
            for (at, name) in made.capture_names().enumerate() {
                if let Some(name) = name {
                    names.raw_set(name, at)?;
                }
            }
            Ok((Value::Table(places), Value::Table(names)))
        },
    )
}

fn digests(kit: &Kit<'_>) -> mlua::Result<()> {
    kit.plain("md5", |lua, _, text: LuaString| {
        string(lua, wire::md5(&text.as_bytes()))
    })?;
    kit.plain("crc32", |_, _, text: LuaString| Ok(crc32(&text.as_bytes())))?;
    kit.plain(
        "hmac",
        |lua, _, (name, key, text): (LuaString, LuaString, LuaString)| {
            let algorithm = match &*name.as_bytes() {
                b"sha1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                b"sha256" => hmac::HMAC_SHA256,
                b"sha384" => hmac::HMAC_SHA384,
                b"sha512" => hmac::HMAC_SHA512,
                _ => {
                    let name = name.to_string_lossy();
                    let text = format!("hmac with `{name}` is not part of this node");
                    return Err(mlua::Error::runtime(text));
                }
            };
            let key = hmac::Key::new(algorithm, &key.as_bytes());
            string(lua, hmac::sign(&key, &text.as_bytes()))
        },
    )?;
    kit.plain("random", |lua, _, count: usize| {
        if count > RANDOM_MAX {
            return Err(mlua::Error::runtime("too many random bytes"));
        }
        let mut random = vec![0; count];
        aws_lc_rs::rand::fill(&mut random).map_err(mlua::Error::external)?;
        string(lua, random)
    })
}

/// The checksum of zip files.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}
