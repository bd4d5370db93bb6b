//! Query parameters of lists: paging, filters, labels and sort.

use crate::error::InvalidParameter;
use crate::model::{ClusterType, ControlPlane};

/// Items of a page when nothing is said.
pub(super) const DEFAULT_PAGE: usize = 10;
/// Items of a page at most.
pub(super) const MAX_PAGE: usize = 1000;

/// Decoded pairs of a query; brackets may come raw or encoded.
pub(super) fn pairs(query: Option<&str>) -> Vec<(String, String)> {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .into_owned()
        .collect()
}

/// The last value of a parameter.
pub(super) fn value<'p>(pairs: &'p [(String, String)], name: &str) -> Option<&'p str> {
    let found = pairs.iter().rev().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

/// A whole number between `least` and `most`, or `default` when the parameter is absent.
pub(super) fn number(
    pairs: &[(String, String)],
    name: &str,
    (least, default, most): (usize, usize, usize),
    found: &mut Vec<InvalidParameter>,
) -> usize {
    let Some(text) = value(pairs, name) else {
        return default;
    };
    match text.parse::<usize>() {
        Err(_) => {
            found.push(InvalidParameter::query(
                name,
                "is_integer",
                "must be a whole number",
            ));
            default
        }
        Ok(number) if number < least => {
            let reason = format!("must be {least} or more");
            found.push(InvalidParameter::query(name, "min", reason).minimum(least));
            default
        }
        Ok(number) if number > most => {
            let reason = format!("must be {most} or less");
            found.push(InvalidParameter::query(name, "max", reason).maximum(most));
            default
        }
        Ok(number) => number,
    }
}

/// Which control planes are wanted, in which order, and which page of them.
#[derive(Debug)]
pub(super) struct PlaneQuery {
    filters: Vec<Filter>,
    labels: Vec<(String, Option<String>)>,
    sort: Vec<(SortKey, bool)>,
    pub(super) size: usize,
    pub(super) number: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attribute {
    Id,
    Name,
    ClusterType,
    CloudGateway,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Contains,
    OneOf,
    ContainsOne,
}

#[derive(Debug)]
struct Filter {
    attribute: Attribute,
    operator: Operator,
    value: String,
}

#[derive(Clone, Copy, Debug)]
enum SortKey {
    CreatedAt,
    UpdatedAt,
    Name,
}

impl PlaneQuery {
    /// Reads the query of a list of control planes.
    pub(super) fn read(query: Option<&str>) -> Result<Self, Vec<InvalidParameter>> {
        let pairs = pairs(query);
        let mut found = Vec::new();
        let mut read = Self {
            filters: Vec::new(),
            labels: Vec::new(),
            sort: Vec::new(),
            size: number(
                &pairs,
                "page[size]",
                (1, DEFAULT_PAGE, MAX_PAGE),
                &mut found,
            ),
            number: number(&pairs, "page[number]", (1, 1, usize::MAX), &mut found),
        };
        for (key, value) in &pairs {
            let outcome = match key.as_str() {
                "labels" => read.read_labels(value),
                "sort" => read.read_sort(value),
                other if other.starts_with("filter") => read.read_filter(other, value),
                _ => Ok(()),
            };
            found.extend(outcome.err());
        }
        if found.is_empty() {
            Ok(read)
        } else {
            Err(found)
        }
    }

    /// Whether a control plane is wanted.
    pub(super) fn matches(&self, plane: &ControlPlane) -> bool {
        self.filters.iter().all(|filter| filter.matches(plane))
            && self.labels.iter().all(|(key, wanted)| {
                let label = plane.labels.get(key);
                label.is_some() && (wanted.is_none() || label == wanted.as_ref())
            })
    }

    /// Puts control planes into the order asked for; oldest first when none was.
    pub(super) fn order(&self, planes: &mut [ControlPlane]) {
        planes.sort_by(|a, b| {
            let steps = self.sort.iter().map(|(key, is_descending)| {
                let step = match key {
                    SortKey::CreatedAt => a.created_at.cmp(&b.created_at),
                    SortKey::UpdatedAt => a.updated_at.cmp(&b.updated_at),
                    SortKey::Name => a.name.cmp(&b.name),
                };
                if *is_descending { step.reverse() } else { step }
            });
            let last = (a.created_at, a.id).cmp(&(b.created_at, b.id));
            steps
                .chain([last])
                .find(|step| step.is_ne())
                .unwrap_or(last)
        });
    }

    fn read_labels(&mut self, text: &str) -> Result<(), InvalidParameter> {
        for part in text.split(',').map(str::trim) {
            let (key, value) = match part.split_once(':') {
                Some((key, value)) => (key, Some(value.to_owned())),
                None => (part, None),
            };
            if key.is_empty() {
                let reason = "must be `key` or `key:value`, separated by commas";
                return Err(InvalidParameter::query("labels", "is_label", reason));
            }
            self.labels.push((key.to_owned(), value));
        }
        Ok(())
    }

    fn read_sort(&mut self, text: &str) -> Result<(), InvalidParameter> {
        for part in text.split(',').map(str::trim) {
            let mut words = part.split_whitespace();
            let key = match words.next() {
                Some("created_at") => SortKey::CreatedAt,
                Some("updated_at") => SortKey::UpdatedAt,
                Some("name") => SortKey::Name,
                _ => return Err(unknown_sort()),
            };
            let is_descending = match words.next() {
                None | Some("asc") => false,
                Some("desc") => true,
                Some(_) => return Err(unknown_sort()),
            };
            self.sort.push((key, is_descending));
        }
        Ok(())
    }

    fn read_filter(&mut self, key: &str, value: &str) -> Result<(), InvalidParameter> {
        let unknown = || {
            let reason = "this attribute or operator cannot be filtered by";
            InvalidParameter::query(key, "invalid", reason)
        };
        let inner = key
            .strip_prefix("filter[")
            .and_then(|rest| rest.strip_suffix(']'))
            .ok_or_else(unknown)?;
        let (attribute, operator) = inner.split_once("][").unwrap_or((inner, "eq"));
        if let Some(label) = attribute.strip_prefix("labels.") {
            if operator != "eq" {
                return Err(unknown());
            }
            self.labels.push((label.to_owned(), Some(value.to_owned())));
            return Ok(());
        }
        let (attribute, operator) = known(attribute, operator).ok_or_else(unknown)?;
        check_value(key, attribute, value)?;
        let value = value.to_owned();
        self.filters.push(Filter {
            attribute,
            operator,
            value,
        });
        Ok(())
    }
}

/// The attributes and operators that may be filtered by.
fn known(attribute: &str, operator: &str) -> Option<(Attribute, Operator)> {
    let operator = match operator {
        "eq" => Operator::Equal,
        "neq" => Operator::NotEqual,
        "contains" => Operator::Contains,
        "oeq" => Operator::OneOf,
        "ocontains" => Operator::ContainsOne,
        _ => return None,
    };
    let attribute = match attribute {
        "id" => Attribute::Id,
        "name" => Attribute::Name,
        "cluster_type" => Attribute::ClusterType,
        "cloud_gateway" => Attribute::CloudGateway,
        _ => return None,
    };
    let is_known = match attribute {
        Attribute::Id => matches!(operator, Operator::Equal | Operator::OneOf),
        Attribute::Name => true,
        Attribute::ClusterType => !matches!(operator, Operator::Contains | Operator::ContainsOne),
        Attribute::CloudGateway => operator == Operator::Equal,
    };
    is_known.then_some((attribute, operator))
}

fn check_value(key: &str, attribute: Attribute, value: &str) -> Result<(), InvalidParameter> {
    match attribute {
        Attribute::ClusterType => {
            let is_known = value
                .split(',')
                .all(|part| ClusterType::parse(part).is_some());
            if !is_known {
                let fault = InvalidParameter::query(key, "enum", "not a known value");
                return Err(fault.choices(ClusterType::ALL.map(ClusterType::as_str)));
            }
        }
        Attribute::CloudGateway if !matches!(value, "true" | "false") => {
            let reason = "must be `true` or `false`";
            return Err(InvalidParameter::query(key, "is_boolean", reason));
        }
        _ => {}
    }
    Ok(())
}

fn unknown_sort() -> InvalidParameter {
    let reason =
        "must name `created_at`, `updated_at` or `name`, each with `asc` or `desc` or nothing";
    InvalidParameter::query("sort", "invalid", reason)
}

impl Filter {
    fn matches(&self, plane: &ControlPlane) -> bool {
        match self.attribute {
            Attribute::Id => self.holds(&plane.id.to_string()),
            Attribute::Name => self.holds(&plane.name),
            Attribute::ClusterType => {
                let is_one = self
                    .value
                    .split(',')
                    .any(|part| ClusterType::parse(part) == Some(plane.cluster_type));
                is_one != (self.operator == Operator::NotEqual)
            }
            Attribute::CloudGateway => (self.value == "true") == plane.cloud_gateway,
        }
    }

    fn holds(&self, text: &str) -> bool {
        let mut parts = self.value.split(',');
        match self.operator {
            Operator::Equal => text == self.value,
            Operator::NotEqual => text != self.value,
            Operator::Contains => text.contains(&self.value),
            Operator::OneOf => parts.any(|part| part == text),
            Operator::ContainsOne => parts.any(|part| text.contains(part)),
        }
    }
}
