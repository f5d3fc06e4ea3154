//! Names of fields: a name, or names joined with dots.

use serde_json::Value;

use crate::PipelineError;

/// The name of a field, split once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldPath {
    whole: String,
    parts: Vec<String>,
}

impl FieldPath {
    /// Reads a name; `key` is where it was written.
    pub(crate) fn new(name: &str, key: &str) -> Result<Self, PipelineError> {
        let parts: Vec<String> = name.split('.').map(str::to_owned).collect();
        if parts.iter().any(String::is_empty) {
            let problem = format!("`{name}` is no name of a field: write `title` or `author.name`");
            return Err(PipelineError::new(key, problem));
        }
        Ok(Self { whole: name.to_owned(), parts })
    }

    /// As it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.whole
    }

    /// What it leads to; `None` if there is nothing. A field may itself have a dot in its name.
    pub(crate) fn get<'v>(&self, item: &'v Value) -> Option<&'v Value> {
        if let Some(value) = item.get(&self.whole) {
            return Some(value);
        }
        self.parts.iter().try_fold(item, |value, part| match value {
            Value::Array(list) => list.get(part.parse::<usize>().ok()?),
            other => other.get(part),
        })
    }

    /// Takes it out; `None` if there is nothing.
    pub(crate) fn remove(&self, item: &mut Value) -> Option<Value> {
        if let Some(value) = item.as_object_mut()?.shift_remove(&self.whole) {
            return Some(value);
        }
        let (last, before) = self.parts.split_last()?;
        let holder = before.iter().try_fold(item, |value, part| match value {
            Value::Array(list) => list.get_mut(part.parse::<usize>().ok()?),
            other => other.get_mut(part),
        })?;
        match holder {
            Value::Object(object) => object.shift_remove(last),
            Value::Array(list) => {
                let index = last.parse().ok().filter(|index| *index < list.len())?;
                Some(list.remove(index))
            }
            _ => None,
        }
    }
}

/// Reads the names of a list.
pub(crate) fn paths(names: &[String], key: &str) -> Result<Vec<FieldPath>, PipelineError> {
    if names.is_empty() {
        return Err(PipelineError::new(key, "names no field"));
    }
    let path = |(i, name): (usize, &String)| FieldPath::new(name, &format!("{key}[{i}]"));
    names.iter().enumerate().map(path).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(name: &str) -> FieldPath {
        FieldPath::new(name, "k").unwrap()
    }

    #[test]
    fn a_path_leads_into_objects_and_lists() {
        let item = json!({"a": {"b": [1, {"c": 2}]}, "x.y": 3});
        let get = |name: &str| path(name).get(&item).cloned();
        assert_eq!(
            (get("a.b.1.c"), get("x.y"), get("a.b.7")),
            (Some(2.into()), Some(3.into()), None)
        );
        assert!(FieldPath::new("a..b", "k").is_err() && FieldPath::new("", "k").is_err());
    }

    #[test]
    fn what_is_removed_is_gone_and_all_else_keeps_its_order() {
        let mut item = json!({"a": {"b": 1, "c": 2}, "l": [1, 2], "z": 0});
        assert_eq!(path("a.b").remove(&mut item), Some(json!(1)));
        assert_eq!(path("l.0").remove(&mut item), Some(json!(1)));
        assert_eq!(path("z.q").remove(&mut item), None);
        assert_eq!(item.to_string(), r#"{"a":{"c":2},"l":[2],"z":0}"#);
    }
}
