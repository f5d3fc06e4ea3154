//! Questions to values that several steps ask.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

/// Whether a value says something: it is not null, no empty text, list or object.
pub(crate) fn is_filled(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty(),
    }
}

/// A value as it stands in a text: a text without its quotes, all else as JSON.
pub(crate) fn as_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// Whether two values are the same; 1 and 1.0 are.
pub(crate) fn is_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(a, b)| is_equal(a, b))
        }
        _ => a == b,
    }
}

/// Which is greater; `None` if they are not both numbers or both texts.
pub(crate) fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x.as_f64()?.partial_cmp(&y.as_f64()?),
        (Value::String(x), Value::String(y)) => Some(x.cmp(y)),
        _ => None,
    }
}

/// A value of a config as JSON has it: TOML's dates become texts.
pub(crate) fn from_config(value: &Value) -> Value {
    /// How the toml crate hands dates to types that know nothing of them.
    const DATE: &str = "$__toml_private_datetime";
    match value {
        Value::Object(object) => match object.get(DATE) {
            Some(date) if object.len() == 1 => date.clone(),
            _ => object.iter().map(|(k, v)| (k.clone(), from_config(v))).collect(),
        },
        Value::Array(list) => list.iter().map(from_config).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_equal_by_value_and_texts_sort() {
        assert!(
            is_equal(&json!([1, "a"]), &json!([1.0, "a"])) && !is_equal(&json!(1), &json!("1"))
        );
        assert_eq!(compare(&json!("2024-01-02"), &json!("2024-01-10")), Some(Ordering::Less));
        assert_eq!(compare(&json!("2"), &json!(3)), None);
    }

    #[test]
    fn dates_of_a_config_are_texts() {
        let table: Value = toml::from_str("a = { d = 2024-01-02, n = 1 }").unwrap();
        assert_eq!(from_config(&table), json!({"a": {"d": "2024-01-02", "n": 1}}));
    }
}
