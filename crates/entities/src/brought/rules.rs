//! Members of a definition that are rules, and checks over several members.

use schema::{Check, Condition, Field, Rule};
use serde_json::Value;

use super::fault::SchemaFault;
use super::names::keep;
use super::pattern::pattern;
use super::value::{Lua, Table};

/// Adds the rules that a definition states.
pub(super) fn add(mut field: Field, table: &Table) -> Result<Field, SchemaFault> {
    for (name, value) in &table.members {
        if let Some(rule) = rule(name, value)? {
            field = field.rule(rule);
        }
    }
    Ok(field)
}

/// The rule that a member stands for; `None` for a member that is no rule.
fn rule(name: &str, value: &Lua) -> Result<Option<Rule>, SchemaFault> {
    let wrong = || SchemaFault::whole(format!("`{name}` has a value that does not fit"));
    let number = || match value {
        Lua::Number(number) => Ok(*number),
        _ => Err(wrong()),
    };
    let length = || {
        let length = number()?;
        let whole = schema::whole_number(&Value::from(length)).ok_or_else(wrong)?;
        usize::try_from(whole).map_err(|_| wrong())
    };
    let text = || match value {
        Lua::Text(text) => Ok(text.as_str()),
        _ => Err(wrong()),
    };
    let is_set = *value == Lua::Bool(true);
    Ok(Some(match name {
        "eq" => Rule::Eq(value.json(false).ok_or_else(wrong)?),
        "ne" => Rule::Ne(value.json(false).ok_or_else(wrong)?),
        "one_of" => Rule::OneOf(list(value).ok_or_else(wrong)?),
        "not_one_of" => Rule::NotOneOf(list(value).ok_or_else(wrong)?),
        "gt" => Rule::Gt(number()?),
        "timestamp" if is_set => Rule::Timestamp,
        "uuid" if is_set => Rule::Uuid,
        "is_regex" if is_set => Rule::IsRegex,
        "between" => match list(value).ok_or_else(wrong)?.as_slice() {
            [low, high] => Rule::Between(
                low.as_f64().ok_or_else(wrong)?,
                high.as_f64().ok_or_else(wrong)?,
            ),
            _ => return Err(wrong()),
        },
        "len_eq" => Rule::LenEq(length()?),
        "len_min" => Rule::LenMin(length()?),
        "len_max" => Rule::LenMax(length()?),
        "starts_with" => Rule::StartsWith(keep(text()?)?),
        "match" => Rule::Match(pattern(text()?)?),
        "not_match" => Rule::NotMatch(pattern(text()?)?),
        "contains" => Rule::Contains(value.json(false).ok_or_else(wrong)?),
        "match_none" | "match_all" | "match_any" | "mutually_exclusive_subsets" => {
            return Err(SchemaFault::whole(format!("the rule `{name}` is not read")));
        }
        _ => return Ok(None),
    }))
}

fn list(value: &Lua) -> Option<Vec<Value>> {
    match value.json(true)? {
        Value::Array(list) => Some(list),
        _ => None,
    }
}

/// The checks of a record. Checks in code are passed over.
pub(super) fn checks(table: &Table) -> Result<Vec<Check>, SchemaFault> {
    let Some(Lua::Table(list)) = table.get("entity_checks") else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for item in &list.list {
        let Lua::Table(item) = item else {
            return Err(SchemaFault::whole("a check is a table"));
        };
        for (name, value) in &item.members {
            found.extend(check(name, value)?);
        }
    }
    Ok(found)
}

fn check(name: &str, value: &Lua) -> Result<Option<Check>, SchemaFault> {
    let wrong = || SchemaFault::whole(format!("the check `{name}` cannot be read"));
    let names = || -> Result<Vec<&'static str>, SchemaFault> {
        let names = list(value).ok_or_else(wrong)?;
        let names = names
            .iter()
            .map(|name| keep(name.as_str().ok_or_else(wrong)?));
        names.collect()
    };
    Ok(Some(match name {
        "at_least_one_of" => Check::AtLeastOneOf(names()?),
        "only_one_of" => Check::OnlyOneOf(names()?),
        "mutually_required" => Check::MutuallyRequired(names()?),
        "mutually_exclusive" => Check::MutuallyExclusive(names()?),
        "distinct" => Check::Distinct(names()?),
        "conditional" => {
            let Lua::Table(table) = value else {
                return Err(wrong());
            };
            let member = |name| keep(table.text(name).ok_or_else(wrong)?);
            let then_err = table.text("then_err").map(keep).transpose()?;
            Check::Conditional {
                if_field: member("if_field")?,
                if_match: condition(table.get("if_match").ok_or_else(wrong)?)?,
                then_field: member("then_field")?,
                then_match: condition(table.get("then_match").ok_or_else(wrong)?)?,
                then_err,
            }
        }
        "custom_entity_check" => return Ok(None),
        other => {
            let reason = format!("the check `{other}` is not read");
            return Err(SchemaFault::whole(reason));
        }
    }))
}

fn condition(value: &Lua) -> Result<Condition, SchemaFault> {
    let Lua::Table(table) = value else {
        return Err(SchemaFault::whole("a condition is a table"));
    };
    let mut condition = Condition {
        required: table.flag("required") == Some(true),
        ..Condition::default()
    };
    for (name, value) in &table.members {
        condition.rules.extend(rule(name, value)?);
    }
    Ok(condition)
}
