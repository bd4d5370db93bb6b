//! The functions under the kit: reading and changing a request. Those about answers are in
//! `kit_answer`.

use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mlua::{FromLuaMulti, IntoLuaMulti, Lua, String as LuaString, Table, Value};
use plugin_api::{ConsumerInfo, Scheme};

use super::frame::{Frame, Phase};
use super::values::{self, Marks};
use super::vm::State;
use super::{kit_answer, kit_tools};

/// Release of the reference whose kit this is.
const VERSION: &str = "3.9.3";

/// The same as a number.
const VERSION_NUMBER: u32 = 3_009_003;

/// What every registration needs.
pub(super) struct Kit<'l> {
    pub(super) lua: &'l Lua,
    pub(super) state: &'l Rc<State>,
    pub(super) marks: &'l Marks,
    pub(super) table: Table,
}

impl Kit<'_> {
    /// A function that needs no request.
    pub(super) fn plain<A, R>(
        &self,
        name: &str,
        act: impl Fn(&Lua, &State, A) -> mlua::Result<R> + 'static,
    ) -> mlua::Result<()>
    where
        A: FromLuaMulti,
        R: IntoLuaMulti,
    {
        let state = Rc::clone(self.state);
        let function = self
            .lua
            .create_function(move |lua, arguments: A| act(lua, &state, arguments))?;
        self.table.raw_set(name, function)
    }

    /// A function that reads or changes the request whose code runs.
    pub(super) fn put<A, R>(
        &self,
        name: &str,
        act: impl Fn(&Lua, &mut Frame, A) -> mlua::Result<R> + 'static,
    ) -> mlua::Result<()>
    where
        A: FromLuaMulti,
        R: IntoLuaMulti,
    {
        self.plain(name, move |lua, state, arguments: A| {
            let mut frame = state
                .frame
                .try_borrow_mut()
                .map_err(mlua::Error::external)?;
            let frame = frame.as_mut();
            let frame = frame.ok_or_else(|| mlua::Error::runtime("there is no request here"))?;
            act(lua, frame, arguments)
        })
    }
}

/// Bytes as a string of Lua.
pub(super) fn string(lua: &Lua, bytes: impl AsRef<[u8]>) -> mlua::Result<Value> {
    Ok(Value::String(lua.create_string(bytes)?))
}

/// Bytes as a string, or nothing.
pub(super) fn maybe(lua: &Lua, bytes: Option<impl AsRef<[u8]>>) -> mlua::Result<Value> {
    match bytes {
        Some(bytes) => string(lua, bytes),
        None => Ok(Value::Nil),
    }
}

/// Bytes of a string of Lua.
pub(super) fn bytes(text: &LuaString) -> Bytes {
    Bytes::copy_from_slice(&text.as_bytes())
}

/// Names and values, one after the other.
pub(super) fn lines(lua: &Lua, lines: &[(Vec<u8>, Vec<u8>)]) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(lines.len() * 2, 0)?;
    for (name, value) in lines {
        table.raw_push(lua.create_string(name)?)?;
        table.raw_push(lua.create_string(value)?)?;
    }
    Ok(table)
}

/// The name of a header, if it can be one.
pub(super) fn header_name(name: &LuaString) -> mlua::Result<Bytes> {
    let name = bytes(name);
    match http::HeaderName::from_bytes(&name) {
        Ok(_) => Ok(name),
        Err(_) => Err(mlua::Error::runtime("invalid header name")),
    }
}

/// The table `gh`.
pub(super) fn functions(lua: &Lua, state: &Rc<State>, marks: &Marks) -> mlua::Result<Table> {
    let kit = Kit {
        lua,
        state,
        marks,
        table: lua.create_table()?,
    };
    let table = &kit.table;
    table.raw_set("version", VERSION)?;
    table.raw_set("version_num", VERSION_NUMBER)?;
    table.raw_set("workspace", entities::DEFAULT_WORKSPACE.to_string())?;
    table.raw_set("null", marks.null.clone())?;
    table.raw_set("empty_array", marks.empty_array.clone())?;
    table.raw_set("array_mt", marks.array.clone())?;
    node(&kit)?;
    request(&kit)?;
    parties(&kit)?;
    changes(&kit)?;
    context(&kit)?;
    tools(&kit)?;
    kit_tools::functions(&kit)?;
    kit_answer::functions(&kit)?;
    Ok(kit.table)
}

fn node(kit: &Kit<'_>) -> mlua::Result<()> {
    kit.plain("is_stopped", |_, state, ()| {
        let frame = state.frame.borrow();
        let has_exit = frame.as_ref().is_some_and(|frame| frame.exit.is_some());
        Ok(state.is_over.get() || has_exit)
    })?;
    kit.plain("stop_reason", |_, state, ()| {
        Ok(match state.is_over.get() {
            true => "the time of the code is over",
            false => "the code has ended",
        })
    })?;
    kit.plain("now_ms", |_, _, ()| Ok(clock::unix_millis()))?;
    kit.plain("local_time", |_, _, ()| {
        let text = clock::rfc3339_millis(clock::unix_millis());
        Ok(text.get(..19).unwrap_or_default().replace('T', " "))
    })?;
    kit.plain("http_time", |_, _, seconds: f64| {
        let seconds = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
        Ok(clock::http_date(seconds.as_secs()))
    })?;
    kit.plain("uuid", |_, _, ()| Ok(clock::new_uuid().to_string()))?;
    kit.plain("memory", |lua, _, ()| Ok(lua.used_memory()))?;
    kit.plain("node_id", |_, state, ()| {
        Ok(state.surroundings.node.id.to_string())
    })?;
    kit.plain("hostname", |_, state, ()| {
        Ok(state.surroundings.node.hostname.clone())
    })
}

fn request(kit: &Kit<'_>) -> mlua::Result<()> {
    kit.plain("phase", |_, state, ()| {
        let frame = state.frame.borrow();
        let phase = frame.as_ref().map(|frame| frame.phase.name());
        let phase = phase.or_else(|| state.background.get());
        phase.ok_or_else(|| mlua::Error::runtime("there is no request here"))
    })?;
    kit.put("plugin_id", |_, frame, ()| Ok(frame.plugin.to_string()))?;
    kit.put("request_id", |_, frame, ()| Ok(frame.request_id.clone()))?;
    kit.put("start_time", |_, frame, ()| Ok(frame.now_ms))?;
    kit.put("http_version", |_, frame, ()| {
        let version = frame.head().index.version.as_str();
        Ok(version.parse::<f64>().unwrap_or(1.1))
    })?;
    kit.put("method", |lua, frame, ()| {
        let changed = frame.request.method.clone();
        match changed {
            Some(method) => string(lua, method),
            None => string(lua, frame.head().method()),
        }
    })?;
    kit.put("path", |lua, frame, ()| string(lua, &frame.path))?;
    kit.put("raw_path", |lua, frame, ()| {
        string(lua, frame.head().path())
    })?;
    kit.put("raw_query", |lua, frame, ()| match &frame.request.query {
        Some(query) => string(lua, query),
        None => string(lua, frame.head().query().unwrap_or_default()),
    })?;
    kit.put("header", |lua, frame, name: LuaString| {
        maybe(lua, frame.header(&name.to_string_lossy()))
    })?;
    kit.put("header_lines", |lua, frame, ()| {
        let mut all = Vec::new();
        let edits = &frame.request.headers;
        edits.apply(frame.head().headers(), |name, value| {
            all.push((name.to_vec(), value.to_vec()));
        });
        lines(lua, &all)
    })?;
    kit.put("body", |lua, frame, ()| {
        let body = frame.request.body.as_ref().or(frame.body.as_ref());
        string(lua, body.cloned().unwrap_or_default())
    })?;
    let marks = kit.marks.clone();
    kit.put("uri_captures", move |lua, frame, ()| {
        let table = lua.create_table()?;
        let (unnamed, named) = (lua.create_table()?, lua.create_table()?);
        for (at, value) in captures(frame) {
            match at {
                Ok(number) => unnamed.raw_set(number, lua.create_string(value)?)?,
                Err(name) => named.raw_set(name, lua.create_string(value)?)?,
            }
        }
        unnamed.set_metatable(Some(marks.array.clone()))?;
        table.raw_set("unnamed", unnamed)?;
        table.raw_set("named", named)?;
        Ok(table)
    })
}

/// What the pattern of the route captured, by number or name.
fn captures(frame: &Frame) -> Vec<(Result<usize, String>, Vec<u8>)> {
    let document = frame.route.as_ref().map(|route| &route.document);
    let document: serde_json::Value = document
        .and_then(|document| serde_json::from_slice(document).ok())
        .unwrap_or_default();
    let paths = document["paths"].as_array().cloned().unwrap_or_default();
    for pattern in paths
        .iter()
        .filter_map(|path| path.as_str()?.strip_prefix('~'))
    {
        let Ok(pattern) = regex::bytes::Regex::new(&format!("^{pattern}")) else {
            continue;
        };
        let Some(found) = pattern.captures(&frame.path) else {
            continue;
        };
        let mut all = Vec::new();
        for (at, name) in pattern.capture_names().enumerate() {
            if let Some(value) = found.get(at) {
                all.push((Ok(at), value.as_bytes().to_vec()));
                if let Some(name) = name {
                    all.push((Err(name.to_owned()), value.as_bytes().to_vec()));
                }
            }
        }
        return all;
    }
    Vec::new()
}

fn host(frame: &Frame) -> Vec<u8> {
    let authority = frame.head().get(frame.head().index.authority).to_vec();
    let host = match authority.is_empty() {
        true => frame.head().header("host").unwrap_or_default().to_vec(),
        false => authority,
    };
    let end = host.iter().rposition(|byte| *byte == b':');
    match end {
        Some(end) if !host.ends_with(b"]") => host[..end].to_ascii_lowercase(),
        _ => host.to_ascii_lowercase(),
    }
}

fn parties(kit: &Kit<'_>) -> mlua::Result<()> {
    kit.put("scheme", |_, frame, ()| Ok(frame.client.scheme.as_str()))?;
    kit.put("host", |lua, frame, ()| string(lua, host(frame)))?;
    kit.put("port", |_, frame, ()| Ok(frame.client.local.port()))?;
    kit.put("forwarded_scheme", |lua, frame, ()| {
        let told = frame.trusted_header("x-forwarded-proto");
        let own = frame.client.scheme.as_str().as_bytes().to_vec();
        string(lua, told.unwrap_or(own).to_ascii_lowercase())
    })?;
    kit.put("forwarded_host", |lua, frame, ()| {
        let told = frame.trusted_header("x-forwarded-host");
        string(lua, told.unwrap_or_else(|| host(frame)))
    })?;
    kit.put("forwarded_port", |_, frame, ()| {
        let told = frame.trusted_header("x-forwarded-port");
        let told = told.and_then(|port| String::from_utf8_lossy(&port).parse().ok());
        Ok(told.unwrap_or_else(|| frame.client.local.port()))
    })?;
    kit.put("forwarded_path", |lua, frame, ()| {
        let told = frame.trusted_header("x-forwarded-path");
        string(lua, told.unwrap_or_else(|| frame.head().path().to_vec()))
    })?;
    kit.put("forwarded_prefix", |lua, frame, ()| {
        maybe(lua, frame.trusted_header("x-forwarded-prefix"))
    })?;
    kit.put("peer_ip", |_, frame, ()| {
        Ok(frame.client.peer.ip().to_string())
    })?;
    kit.put("peer_port", |_, frame, ()| Ok(frame.client.peer.port()))?;
    kit.put("client_ip", |lua, frame, ()| {
        string(lua, &frame.client.ip_text)
    })?;
    kit.put("client_port", |_, frame, ()| Ok(frame.client.port))?;
    kit.put("is_trusted", |_, frame, address: LuaString| {
        let is_peer = address.to_string_lossy() == frame.client.peer.ip().to_string();
        Ok(is_peer && frame.client.is_peer_trusted)
    })?;
    kit.put("protocol", |_, frame, ()| Ok(frame.client.scheme.as_str()))?;
    let marks = kit.marks.clone();
    kit.put("consumer", move |lua, frame, ()| {
        match &frame.identity.consumer {
            Some(consumer) => consumer_table(lua, consumer, &marks),
            None => Ok(Value::Nil),
        }
    })?;
    kit.put("credential", |lua, frame, ()| {
        let Some(credential) = &frame.identity.credential else {
            return Ok(Value::Nil);
        };
        let table = lua.create_table()?;
        table.raw_set("id", string(lua, &credential.id_text)?)?;
        Ok(Value::Table(table))
    })?;
    let marks = kit.marks.clone();
    kit.put("route", move |lua, frame, ()| match &frame.route {
        Some(route) => values::entity(lua, &route.document, &marks),
        None => Ok(Value::Nil),
    })?;
    let marks = kit.marks.clone();
    kit.put("service", move |lua, frame, ()| match &frame.service {
        Some(service) => values::entity(lua, &service.document, &marks),
        None => Ok(Value::Nil),
    })
}

/// A consumer as a table.
pub(super) fn consumer_table(
    lua: &Lua,
    consumer: &ConsumerInfo,
    marks: &Marks,
) -> mlua::Result<Value> {
    let made = values::entity(lua, &consumer.document, marks)?;
    if let Value::Table(table) = &made {
        table.raw_set("id", string(lua, &consumer.id_text)?)?;
        table.raw_set("username", maybe(lua, consumer.username.as_ref())?)?;
        table.raw_set("custom_id", maybe(lua, consumer.custom_id.as_ref())?)?;
    }
    Ok(made)
}

fn changes(kit: &Kit<'_>) -> mlua::Result<()> {
    kit.put("set_scheme", |_, frame, scheme: LuaString| {
        frame.request.scheme = Some(match &*scheme.as_bytes() {
            b"https" => Scheme::Https,
            _ => Scheme::Http,
        });
        Ok(())
    })?;
    kit.put("set_path", |_, frame, path: LuaString| {
        frame.request.path = Some(bytes(&path));
        Ok(())
    })?;
    kit.put("set_query", |_, frame, query: LuaString| {
        let query = bytes(&query);
        if query.iter().any(|byte| *byte <= b' ' || *byte == 0x7f) {
            return Err(mlua::Error::runtime("query holds what no query may"));
        }
        frame.request.query = Some(query);
        Ok(())
    })?;
    kit.put("set_method", |_, frame, method: LuaString| {
        frame.request.method = Some(bytes(&method));
        Ok(())
    })?;
    kit.put("set_body", |_, frame, body: LuaString| {
        frame.request.body = Some(bytes(&body));
        Ok(())
    })?;
    kit.put("set_target", |_, frame, (host, port): (LuaString, u16)| {
        frame.request.destination = Some((bytes(&host), port));
        Ok(())
    })?;
    let is_host = |name: &Bytes| name.eq_ignore_ascii_case(b"host");
    kit.put(
        "set_header",
        move |_, frame, (name, value): (LuaString, LuaString)| {
            let (name, value) = (header_name(&name)?, bytes(&value));
            match is_host(&name) {
                true => frame.request.host = Some(value),
                false => frame.request.headers.set(name, value),
            }
            Ok(())
        },
    )?;
    kit.put(
        "add_header",
        move |_, frame, (name, value): (LuaString, LuaString)| {
            let (name, value) = (header_name(&name)?, bytes(&value));
            match is_host(&name) {
                true => frame.request.host = Some(value),
                false => frame.request.headers.add(name, value),
            }
            Ok(())
        },
    )?;
    kit.put("clear_header", |_, frame, name: LuaString| {
        frame.request.headers.remove(header_name(&name)?);
        Ok(())
    })
}

fn context(kit: &Kit<'_>) -> mlua::Result<()> {
    kit.plain("context_shared", |lua, state, ()| {
        member(lua, state, "shared")
    })?;
    kit.plain("context_plugin", |lua, state, ()| {
        let plugin = state.frame.borrow().as_ref().map(|frame| frame.plugin);
        let name = plugin.unwrap_or_default().to_string();
        member(lua, state, &name)
    })?;
    let marks = kit.marks.clone();
    kit.put(
        "set_log_value",
        move |_, frame, (name, value): (LuaString, Value)| {
            let value = values::to_json(&value, &marks, 0)?;
            frame.log_values.push((name.to_string_lossy(), value));
            Ok(())
        },
    )?;
    kit.plain("log", |_, state, (level, text): (LuaString, LuaString)| {
        let frame = state.frame.borrow();
        let plugin = frame.as_ref().map(|frame| frame.plugin);
        let (plugin, text) = (plugin.unwrap_or_default(), text.to_string_lossy());
        // Code may log for each request: only what is wrong is said above debug.
        match &*level.as_bytes() {
            b"err" | b"crit" | b"alert" | b"emerg" => tracing::warn!(%plugin, "{text}"),
            _ => tracing::debug!(%plugin, "{text}"),
        }
        Ok(())
    })?;
    let marks = kit.marks.clone();
    kit.put("serialize", move |lua, frame, ()| {
        match (frame.phase, &frame.record) {
            (Phase::Log, Some(record)) => values::from_json(lua, record, &marks),
            _ => Err(mlua::Error::runtime(
                "kong.log.serialize can be called in log phase only",
            )),
        }
    })
}

/// A table under a name in the context of the request.
fn member(lua: &Lua, state: &State, name: &str) -> mlua::Result<Table> {
    let context = state.context.borrow();
    let Some(context) = context.as_ref() else {
        return Err(mlua::Error::runtime("there is no request here"));
    };
    if let Some(known) = context.raw_get::<Option<Table>>(name)? {
        return Ok(known);
    }
    let made = lua.create_table()?;
    context.raw_set(name, &made)?;
    Ok(made)
}

fn tools(kit: &Kit<'_>) -> mlua::Result<()> {
    let marks = kit.marks.clone();
    kit.plain("json_encode", move |lua, _, value: Value| {
        let json = values::to_json(&value, &marks, 0)?;
        string(lua, json.to_string())
    })?;
    let marks = kit.marks.clone();
    kit.plain("json_decode", move |lua, _, text: LuaString| {
        let json = serde_json::from_slice(&text.as_bytes());
        let json: serde_json::Value = json.map_err(|error| {
            mlua::Error::runtime(format!("Expected value but found invalid token: {error}"))
        })?;
        values::from_json(lua, &json, &marks)
    })?;
    kit.plain("encode_base64", |_, _, text: LuaString| {
        Ok(STANDARD.encode(&*text.as_bytes()))
    })?;
    kit.plain("decode_base64", |lua, _, text: LuaString| {
        maybe(lua, STANDARD.decode(&*text.as_bytes()).ok())
    })?;
    kit.plain("sha1", |lua, _, text: LuaString| {
        string(lua, pki::sha1(&text.as_bytes()))
    })?;
    kit.plain("sha256", |lua, _, text: LuaString| {
        string(lua, pki::sha256(&text.as_bytes()))
    })?;
    kit.plain(
        "hmac_sha1",
        |lua, _, (key, text): (LuaString, LuaString)| {
            use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
            let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key.as_bytes());
            string(lua, sign(&key, &text.as_bytes()))
        },
    )
}
