//! One step of the config, compiled.

use crawl_spider::{Dropped, PageInfo};
use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::PipelineError;
use crate::condition::Conditions;
use crate::config::{FieldType, StepConfig};
use crate::number::Expression;
use crate::path::{FieldPath, paths};
use crate::schema::Schema;
use crate::template::Template;
use crate::value::{from_config, is_filled};

/// A step and the items it is for.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: Box<str>,
    only: Vec<String>,
    when: Conditions,
    work: Work,
}

#[derive(Debug)]
enum Work {
    Validate(Schema),
    Require(Vec<FieldPath>),
    Types(Vec<(FieldPath, FieldType)>),
    Rename(Vec<(FieldPath, String)>),
    DropFields(Vec<FieldPath>),
    KeepFields(Vec<String>),
    Set(Vec<(String, Value)>),
    Compute(Vec<(String, Formula)>),
    DropIf(Conditions),
    KeepIf(Conditions),
    Dedup {
        /// What tells its keys from those of other steps.
        space: String,
        fields: Vec<FieldPath>,
    },
}

#[derive(Debug)]
enum Formula {
    Text(Template),
    Number(Expression),
}

/// What a step made of an item.
pub(crate) enum Done {
    /// It goes on.
    Kept,
    /// It goes on, and must be the only one with this key: the space and the key's text.
    Keyed(String),
}

impl Step {
    /// Compiles what is written at `key`.
    pub(crate) fn new(config: &StepConfig, key: &str) -> Result<Self, PipelineError> {
        let (name, work) = work(config, key)?;
        let name = config.name.as_deref().unwrap_or(name).into();
        let when = Conditions::new(&config.when, &format!("{key}.when"))?;
        Ok(Self { name, only: config.only.clone(), when, work })
    }

    /// The space of its keys and the fields that make them, if it makes any.
    pub(crate) fn dedup(&self) -> Option<(&str, &[FieldPath])> {
        match &self.work {
            Work::Dedup { space, fields } => Some((space, fields)),
            _ => None,
        }
    }

    fn is_for(&self, item: &Value, page: &PageInfo<'_>) -> bool {
        (self.only.is_empty() || self.only.iter().any(|label| label == page.label()))
            && self.when.hold(item)
    }

    /// Does its work on an item, if the item is one of those it is for.
    pub(crate) fn process(&self, item: &mut Value, page: &PageInfo<'_>) -> Result<Done, Dropped> {
        if !self.is_for(item, page) {
            return Ok(Done::Kept);
        }
        match &self.work {
            Work::Validate(schema) => schema.check(item)?,
            Work::Require(fields) => require(item, fields)?,
            Work::Types(fields) => check_types(item, fields)?,
            Work::Rename(names) => rename(item, names),
            Work::DropFields(fields) => fields.iter().for_each(|field| drop(field.remove(item))),
            Work::KeepFields(names) => {
                if let Value::Object(object) = item {
                    object.retain(|name, _| names.contains(name));
                }
            }
            Work::Set(values) => {
                let object = object(item)?;
                values.iter().for_each(|(name, value)| put(object, name, value.clone()));
            }
            Work::Compute(formulas) => {
                // One after the other: each may use what those before it gave.
                for (name, formula) in formulas {
                    let value = match formula {
                        Formula::Text(template) => template.fill(item, page),
                        Formula::Number(expression) => expression.value(item, page),
                    };
                    put(object(item)?, name, value);
                }
            }
            Work::DropIf(conditions) if conditions.hold(item) => {
                return Err(Dropped::new(conditions));
            }
            Work::KeepIf(conditions) => {
                if let Some(broken) = conditions.broken(item) {
                    return Err(Dropped::new(format!("not: {broken}")));
                }
            }
            Work::DropIf(_) => {}
            Work::Dedup { fields, .. } => {
                return Ok(key_of(item, fields).map_or(Done::Kept, Done::Keyed));
            }
        }
        Ok(Done::Kept)
    }
}

/// What there is to do, and the name of its key.
fn work(config: &StepConfig, key: &str) -> Result<(&'static str, Work), PipelineError> {
    let at = |name: &str| format!("{key}.{name}");
    let mut found = Vec::new();
    if let Some(schema) = &config.validate {
        found.push(("validate", Work::Validate(Schema::new(schema, &at("validate"))?)));
    }
    if let Some(names) = &config.require {
        found.push(("require", Work::Require(paths(names, &at("require"))?)));
    }
    if let Some(types) = &config.types {
        found.push(("types", Work::Types(keyed(types, &at("types"), |t, _| Ok(*t))?)));
    }
    if let Some(names) = &config.rename {
        let names = keyed(names, &at("rename"), |new, _| Ok(new.clone()))?;
        found.push(("rename", Work::Rename(names)));
    }
    if let Some(names) = &config.drop_fields {
        found.push(("drop-fields", Work::DropFields(paths(names, &at("drop-fields"))?)));
    }
    if let Some(names) = &config.keep_fields {
        paths(names, &at("keep-fields"))?;
        found.push(("keep-fields", Work::KeepFields(names.clone())));
    }
    if let Some(values) = &config.set {
        let values = values.iter().map(|(name, value)| (name.clone(), from_config(value)));
        found.push(("set", Work::Set(values.collect())));
    }
    if let Some(formulas) = &config.compute {
        let formulas = formulas.iter().map(|(name, text)| {
            let key = at(&format!("compute.{name}"));
            let formula = match text.strip_prefix('=') {
                Some(text) => Formula::Number(Expression::new(text.trim(), &key)?),
                None => Formula::Text(Template::new(text, &key)?),
            };
            Ok((name.clone(), formula))
        });
        found.push(("compute", Work::Compute(formulas.collect::<Result<_, _>>()?)));
    }
    for (name, conditions) in [("drop-if", &config.drop_if), ("keep-if", &config.keep_if)] {
        let Some(conditions) = conditions else { continue };
        if conditions.is_empty() {
            return Err(PipelineError::new(at(name), "has no condition"));
        }
        let conditions = Conditions::new(conditions, &at(name))?;
        let is_drop = name == "drop-if";
        let work = if is_drop { Work::DropIf(conditions) } else { Work::KeepIf(conditions) };
        found.push((name, work));
    }
    if let Some(names) = &config.dedup {
        let fields = paths(names, &at("dedup"))?;
        let mut space = vec![names.join("\0"), config.only.join("\0")];
        space.extend(config.name.clone());
        found.push(("dedup", Work::Dedup { space: space.join("\u{1}"), fields }));
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(PipelineError::new(
            key,
            "says nothing to do; write one of validate, require, types, rename, drop-fields, \
             keep-fields, set, compute, drop-if, keep-if and dedup",
        )),
        _ => {
            let names: Vec<_> = found.iter().map(|(name, _)| *name).collect();
            let problem = format!(
                "is one step, but does several things ({}); write a [[pipeline]] table for each",
                names.join(", ")
            );
            Err(PipelineError::new(at(names[1]), problem))
        }
    }
}

/// A table by field, its values read by `read`.
fn keyed<T, U>(
    table: &IndexMap<String, T>,
    key: &str,
    read: impl Fn(&T, &str) -> Result<U, PipelineError>,
) -> Result<Vec<(FieldPath, U)>, PipelineError> {
    let entry = |(name, value): (&String, &T)| {
        let key = format!("{key}.{name}");
        Ok((FieldPath::new(name, &key)?, read(value, &key)?))
    };
    table.iter().map(entry).collect()
}

fn object(item: &mut Value) -> Result<&mut Map<String, Value>, Dropped> {
    item.as_object_mut().ok_or_else(|| Dropped::new("is no object, so it has no fields"))
}

/// Sets a field, in its place if it is there.
fn put(object: &mut Map<String, Value>, name: &str, value: Value) {
    match object.get_mut(name) {
        Some(old) => *old = value,
        None => drop(object.insert(name.to_owned(), value)),
    }
}

fn require(item: &Value, fields: &[FieldPath]) -> Result<(), Dropped> {
    match fields.iter().find(|field| !field.get(item).is_some_and(is_filled)) {
        Some(field) => Err(Dropped::new(format!("no {}", field.as_str()))),
        None => Ok(()),
    }
}

fn check_types(item: &Value, fields: &[(FieldPath, FieldType)]) -> Result<(), Dropped> {
    for (field, wanted) in fields {
        let Some(value) = field.get(item).filter(|value| !value.is_null()) else { continue };
        let (fits, name) = match wanted {
            FieldType::Text => (value.is_string(), "text"),
            FieldType::Number => (value.is_number(), "number"),
            FieldType::Integer => (is_integer(value), "integer"),
            FieldType::Boolean => (value.is_boolean(), "boolean"),
            FieldType::List => (value.is_array(), "list"),
            FieldType::Object => (value.is_object(), "object"),
        };
        if !fits {
            let dropped = Dropped::new(format!("{} is no {name}", field.as_str()));
            return Err(dropped.because(value));
        }
    }
    Ok(())
}

fn is_integer(value: &Value) -> bool {
    value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

/// All are taken out before one is put in, so names can be swapped.
fn rename(item: &mut Value, names: &[(FieldPath, String)]) {
    let taken: Vec<_> =
        names.iter().filter_map(|(old, new)| Some((new, old.remove(item)?))).collect();
    if let Value::Object(object) = item {
        taken.into_iter().for_each(|(new, value)| put(object, new, value));
    }
}

/// The key of an item, as text; `None` if none of its fields is filled.
pub(crate) fn key_of(item: &Value, fields: &[FieldPath]) -> Option<String> {
    let values = || fields.iter().map(|field| field.get(item).unwrap_or(&Value::Null));
    if !values().any(is_filled) {
        return None;
    }
    Some(crawl_model::key_text(values()))
}

#[cfg(test)]
mod tests;
