//! Changing the headers of a request.
//!
//! Compat: names are compared without regard to case, `Host` is only ever replaced, and the
//! reference writes all headers anew: of a name that came several times the first line keeps its
//! spelling and the others get the last one in small letters.

use bytes::Bytes;
use plugin_api::Exchange;

use super::settings::Resolved;

/// A header as it will be sent.
struct Line {
    /// The name as it is written.
    name: Bytes,
    values: Vec<Bytes>,
    is_changed: bool,
}

/// Does what is planned.
pub(super) fn transform(plan: &Resolved<'_>, exchange: &mut Exchange<'_>) {
    let mut lines = received(exchange);
    let mut gone: Vec<Bytes> = Vec::new();
    for name in &plan.plan.remove {
        if take(&mut lines, name).is_some() {
            gone.push(name.clone());
        }
    }
    for (old, new) in &plan.plan.rename {
        if let Some(line) = take(&mut lines, old) {
            gone.push(old.clone());
            let name = Bytes::from(new.to_ascii_lowercase());
            set(&mut lines, &name, line.values);
        }
    }
    for (name, value) in &plan.replace {
        if name.eq_ignore_ascii_case(b"host") {
            exchange.request.host = Some(value.clone());
        } else if find(&mut lines, name).is_some() {
            set(&mut lines, name, vec![value.clone()]);
        }
    }
    for (name, value) in &plan.add {
        if !name.eq_ignore_ascii_case(b"host") && find(&mut lines, name).is_none() {
            set(&mut lines, name, vec![value.clone()]);
        }
    }
    for (name, value) in &plan.append {
        if name.eq_ignore_ascii_case(b"host") {
            continue;
        }
        let mut values = find(&mut lines, name).map_or_else(Vec::new, |line| line.values.clone());
        values.push(value.clone());
        set(&mut lines, name, values);
    }
    write(lines, gone, exchange);
}

fn write(lines: Vec<Line>, gone: Vec<Bytes>, exchange: &mut Exchange<'_>) {
    let edits = &mut exchange.request.headers;
    for name in gone {
        edits.remove(name);
    }
    for line in lines {
        if !line.is_changed && line.values.len() < 2 {
            continue;
        }
        let mut values = line.values.into_iter();
        if let Some(first) = values.next() {
            edits.set(line.name.clone(), first);
        }
        values.for_each(|value| edits.add(line.name.clone(), value));
    }
}

/// The headers as the service would see them, without `Host`.
fn received(exchange: &Exchange<'_>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    exchange
        .request
        .headers
        .apply(exchange.head.headers(), |name, value| {
            if name.eq_ignore_ascii_case(b"host") {
                return;
            }
            let value = Bytes::copy_from_slice(value);
            match find(&mut lines, name) {
                Some(line) => line.values.push(value),
                None => lines.push(Line {
                    name: Bytes::from(name.to_ascii_lowercase()),
                    values: vec![value],
                    is_changed: false,
                }),
            }
        });
    lines
}

fn find<'l>(lines: &'l mut [Line], name: &[u8]) -> Option<&'l mut Line> {
    lines
        .iter_mut()
        .find(|line| line.name.eq_ignore_ascii_case(name))
}

fn take(lines: &mut Vec<Line>, name: &[u8]) -> Option<Line> {
    let at = lines
        .iter()
        .position(|line| line.name.eq_ignore_ascii_case(name))?;
    Some(lines.remove(at))
}

fn set(lines: &mut Vec<Line>, name: &Bytes, values: Vec<Bytes>) {
    match find(lines, name) {
        Some(line) => {
            line.name = name.clone();
            line.values = values;
            line.is_changed = true;
        }
        None => lines.push(Line {
            name: name.clone(),
            values,
            is_changed: true,
        }),
    }
}
