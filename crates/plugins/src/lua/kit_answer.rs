//! The functions under the kit: answers, pieces of bodies, and dictionaries.

use bytes::Bytes;
use mlua::{MultiValue, String as LuaString, Table, Value};
use plugin_api::{Reply, ReplyBody, ResponseSource};

use super::dictionaries::{Entry, Mode};
use super::frame::{Frame, Phase};
use super::kit::{Kit, bytes, header_name, lines, maybe, string};

/// Most bytes that `ngx.say` may say, and that are collected of an answer.
const SAID_MAX: usize = 8 * 1024 * 1024;

/// Registers them.
pub(super) fn functions(kit: &Kit<'_>) -> mlua::Result<()> {
    reading(kit)?;
    changing(kit)?;
    ending(kit)?;
    pieces(kit)?;
    dictionaries(kit)
}

fn status(frame: &Frame) -> u16 {
    match frame.answer.status {
        0 => frame.kept.status,
        status => status,
    }
}

fn reading(kit: &Kit<'_>) -> mlua::Result<()> {
    kit.put("status", |_, frame, ()| Ok(status(frame)))?;
    kit.put("source", |_, frame, ()| {
        Ok(match frame.answer.source.or(frame.kept.source) {
            Some(ResponseSource::Service) => "service",
            Some(ResponseSource::Exit) => "exit",
            Some(ResponseSource::Error) | None => "error",
        })
    })?;
    kit.put("answer_header", |lua, frame, name: LuaString| {
        let name = name.as_bytes().to_vec();
        let all = frame.answer_lines();
        let found = all.iter().find(|(own, _)| own.eq_ignore_ascii_case(&name));
        maybe(lua, found.map(|(_, value)| value))
    })?;
    kit.put("answer_lines", |lua, frame, ()| {
        lines(lua, &frame.answer_lines())
    })?;
    kit.put("service_status", |_, frame, ()| {
        Ok(frame.kept.service_status)
    })?;
    kit.put("service_header", |lua, frame, name: LuaString| {
        let name = name.as_bytes().to_vec();
        let is_own = frame.kept.service_status.is_some();
        let mut found = frame.kept.lines.iter();
        let found = found.find(|(own, _)| is_own && own.eq_ignore_ascii_case(&name));
        maybe(lua, found.map(|(_, value)| value))
    })?;
    kit.put("service_lines", |lua, frame, ()| {
        let is_own = frame.kept.service_status.is_some();
        let own = frame.kept.lines.iter().filter(|_| is_own);
        let own: Vec<_> = own.map(|(n, v)| (n.to_vec(), v.to_vec())).collect();
        lines(lua, &own)
    })
}

fn changing(kit: &Kit<'_>) -> mlua::Result<()> {
    kit.put("set_status", |_, frame, status: u16| {
        match frame.phase {
            Phase::HeaderFilter | Phase::Response => frame.answer.status = status,
            _ => frame.response.status = Some(status),
        }
        Ok(())
    })?;
    kit.put(
        "set_answer_header",
        |_, frame, (name, value): (LuaString, LuaString)| {
            let (name, value) = (header_name(&name)?, bytes(&value));
            frame.answer_edits().set(name, value);
            Ok(())
        },
    )?;
    kit.put(
        "add_answer_header",
        |_, frame, (name, value): (LuaString, LuaString)| {
            let (name, value) = (header_name(&name)?, bytes(&value));
            frame.answer_edits().add(name, value);
            Ok(())
        },
    )?;
    kit.put("clear_answer_header", |_, frame, name: LuaString| {
        let name = header_name(&name)?;
        if name.eq_ignore_ascii_case(b"content-length") {
            frame.answer.changes_body = true;
        }
        frame.answer_edits().remove(name);
        Ok(())
    })
}

/// Pairs of a flat list.
fn pairs(list: &Table) -> mlua::Result<Vec<(Bytes, Bytes)>> {
    let flat: Vec<LuaString> = list.sequence_values().collect::<mlua::Result<_>>()?;
    let mut pairs = Vec::new();
    for pair in flat.chunks(2) {
        if let [name, value] = pair {
            let (name, value) = (header_name(name)?, bytes(value));
            let is_bad = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0);
            if value.iter().any(is_bad) {
                return Err(mlua::Error::runtime("invalid header value"));
            }
            // The gateway tells the length itself.
            if !name.eq_ignore_ascii_case(b"content-length")
                && !name.eq_ignore_ascii_case(b"transfer-encoding")
            {
                pairs.push((name, value));
            }
        }
    }
    Ok(pairs)
}

/// The text of the reference for a status.
fn usual_message(status: u16) -> &'static str {
    match status {
        400 => "Bad request",
        401 => "Unauthorized",
        402 => "Payment required",
        403 => "Forbidden",
        404 => "Not found",
        405 => "Method not allowed",
        406 => "Not acceptable",
        407 => "Proxy authentication required",
        408 => "Request timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length required",
        412 => "Precondition failed",
        413 => "Payload too large",
        414 => "URI too long",
        415 => "Unsupported media type",
        416 => "Range not satisfiable",
        417 => "Expectation failed",
        418 => "I'm a teapot",
        421 => "Misdirected request",
        422 => "Unprocessable entity",
        423 => "Locked",
        424 => "Failed dependency",
        425 => "Too early",
        426 => "Upgrade required",
        428 => "Precondition required",
        429 => "Too many requests",
        431 => "Request header fields too large",
        451 => "Unavailable for legal reasons",
        494 => "Request header or cookie too large",
        501 => "Not implemented",
        502 => "An invalid response was received from the upstream server",
        503 => "The upstream server is currently unavailable",
        504 => "The upstream server is timing out",
        505 => "HTTP version not supported",
        506 => "Variant also negotiates",
        507 => "Insufficient storage",
        508 => "Loop detected",
        510 => "Not extended",
        511 => "Network authentication required",
        _ => "An unexpected error occurred",
    }
}

fn ending(kit: &Kit<'_>) -> mlua::Result<()> {
    type Exit = (u16, Option<LuaString>, Table);
    kit.put("exit", |_, frame, (status, body, headers): Exit| {
        let body = body.map_or(ReplyBody::Raw(Bytes::new()), |body| {
            ReplyBody::Raw(bytes(&body))
        });
        let body = match status {
            204 | 304 => ReplyBody::Empty,
            _ => body,
        };
        let mut reply = Reply::with_body(status, body);
        reply.headers = pairs(&headers)?;
        frame.exit = Some(reply);
        Ok(())
    })?;
    kit.put(
        "exit_with_message",
        |_, frame, (status, text, headers): Exit| {
            let text = text.map(|text| bytes(&text));
            let text = text.unwrap_or_else(|| Bytes::from_static(usual_message(status).as_bytes()));
            let mut reply = Reply::message(status, text);
            reply.headers = pairs(&headers)?;
            frame.exit = Some(reply);
            Ok(())
        },
    )?;
    kit.put("say", |_, frame, text: LuaString| {
        let said = frame.said.get_or_insert_default();
        if said.len() + text.as_bytes().len() > SAID_MAX {
            return Err(mlua::Error::runtime("too much was said"));
        }
        said.extend_from_slice(&text.as_bytes());
        Ok(())
    })?;
    kit.put("exit_said", |_, frame, status: u16| {
        if !(100..=599).contains(&status) {
            return Err(mlua::Error::runtime("invalid status"));
        }
        let said = frame.said.clone();
        let reply = match (said, status) {
            (Some(said), _) => Reply::with_body(
                frame.response.status.take().unwrap_or(200),
                ReplyBody::Raw(said.into()),
            ),
            (None, 300..) => Reply::message(status, usual_message(status)),
            (None, _) => Reply::with_body(status, ReplyBody::Raw(Bytes::new())),
        };
        frame.exit = Some(reply);
        Ok(())
    })
}

fn pieces(kit: &Kit<'_>) -> mlua::Result<()> {
    kit.put("chunk", |lua, frame, ()| match frame.phase {
        Phase::BodyFilter | Phase::Response => {
            let piece = &frame.piece;
            string(lua, piece.replaced.as_ref().unwrap_or(&piece.data))
        }
        _ => Ok(Value::Nil),
    })?;
    kit.put("is_last_chunk", |_, frame, ()| Ok(frame.piece.is_last))?;
    kit.put("set_chunk", |_, frame, data: LuaString| {
        frame.piece.replaced = Some(bytes(&data));
        Ok(())
    })?;
    // The body is whole with its last piece; until then nothing is sent of it.
    kit.put("collected_body", |lua, frame, ()| {
        let piece = &mut frame.piece;
        if !piece.collects || piece.replaced.is_none() {
            piece.collects = true;
            if piece.collected.len() + piece.data.len() > SAID_MAX {
                return Err(mlua::Error::runtime("the body is too large"));
            }
            piece.collected.extend_from_slice(&piece.data);
            piece.replaced = Some(Bytes::new());
        }
        if !piece.is_last {
            return Ok(Value::Nil);
        }
        let whole = Bytes::from(std::mem::take(&mut piece.collected));
        piece.replaced = Some(whole.clone());
        string(lua, whole)
    })?;
    kit.put("whole_body", |lua, frame, ()| {
        string(lua, &frame.piece.data)
    })?;
    kit.put("replace_body", |_, frame, data: LuaString| {
        let piece = &mut frame.piece;
        piece.replaced = Some(match piece.is_last {
            true => bytes(&data),
            false => Bytes::new(),
        });
        Ok(())
    })
}

fn dictionaries(kit: &Kit<'_>) -> mlua::Result<()> {
    fn until(ttl: f64) -> Option<u64> {
        let ttl = std::time::Duration::try_from_secs_f64(ttl).ok()?;
        let ttl = u64::try_from(ttl.as_millis()).ok().filter(|ttl| *ttl > 0)?;
        Some(clock::unix_millis().saturating_add(ttl))
    }
    fn text(value: &LuaString) -> String {
        value.to_string_lossy()
    }
    kit.plain(
        "dict_get",
        |lua, state, (name, key): (LuaString, LuaString)| {
            let found = state.surroundings.dictionaries.get(
                &text(&name),
                &text(&key),
                clock::unix_millis(),
            );
            match found {
                None => Ok(Value::Nil),
                Some(Entry::Flag(flag)) => Ok(Value::Boolean(flag)),
                Some(Entry::Number(number)) => Ok(Value::Number(number)),
                Some(Entry::Text(bytes)) => string(lua, bytes),
            }
        },
    )?;
    type Set = (LuaString, LuaString, Value, f64, LuaString);
    kit.plain(
        "dict_set",
        |_, state, (name, key, value, ttl, mode): Set| {
            let entry = match value {
                Value::Nil => None,
                Value::Boolean(flag) => Some(Entry::Flag(flag)),
                Value::Number(number) => Some(Entry::Number(number)),
                Value::Integer(number) => number.to_string().parse().ok().map(Entry::Number),
                Value::String(bytes) => Some(Entry::Text(bytes.as_bytes().to_vec())),
                _ => return Ok((false, Some("bad value type"), false)),
            };
            let mode = match &*mode.as_bytes() {
                b"add" => Mode::Add,
                b"replace" => Mode::Replace,
                _ => Mode::Set,
            };
            let place = (&*text(&name), &*text(&key));
            let now = clock::unix_millis();
            let set = state
                .surroundings
                .dictionaries
                .set(place, entry, until(ttl), mode, now);
            Ok((set.is_ok(), set.err(), false))
        },
    )?;
    type Increase = (LuaString, LuaString, f64, Option<f64>, f64);
    kit.plain(
        "dict_incr",
        |lua, state, (name, key, by, first, ttl): Increase| {
            let place = (&*text(&name), &*text(&key));
            let now = clock::unix_millis();
            let increased =
                state
                    .surroundings
                    .dictionaries
                    .increase(place, by, first, until(ttl), now);
            let values = match increased {
                Ok(number) => vec![Value::Number(number)],
                Err(fault) => vec![Value::Nil, string(lua, fault)?],
            };
            Ok(MultiValue::from_vec(values))
        },
    )
}
