//! JSON values as bytes: faster than their text, and numbers arrive bit by bit as they were.

use serde_json::{Map, Number, Value};

use super::bytes::{Reader, Wire, WireError, put_bytes, put_uint};

/// Levels of nesting; JSON's own reader stops at 128.
const MAX_DEPTH: u32 = 512;

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const UNSIGNED: u8 = 3;
const SIGNED: u8 = 4;
const FLOAT: u8 = 5;
const TEXT: u8 = 6;
const LIST: u8 = 7;
const OBJECT: u8 = 8;

impl Wire for Value {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.push(NULL),
            Self::Bool(false) => out.push(FALSE),
            Self::Bool(true) => out.push(TRUE),
            Self::Number(number) => put_number(out, number),
            Self::String(text) => {
                out.push(TEXT);
                put_bytes(out, text.as_bytes());
            }
            Self::Array(list) => {
                out.push(LIST);
                list.put(out);
            }
            Self::Object(map) => {
                out.push(OBJECT);
                put_uint(out, map.len() as u64);
                for (name, value) in map {
                    put_bytes(out, name.as_bytes());
                    value.put(out);
                }
            }
        }
    }

    fn get(from: &mut Reader<'_>) -> Result<Self, WireError> {
        get_value(from, MAX_DEPTH)
    }
}

fn put_number(out: &mut Vec<u8>, number: &Number) {
    if let Some(number) = number.as_u64() {
        out.push(UNSIGNED);
        number.put(out);
    } else if let Some(number) = number.as_i64() {
        out.push(SIGNED);
        number.put(out);
    } else {
        out.push(FLOAT);
        // Without serde_json's `arbitrary_precision` what is no integer is a float.
        let bits = number.as_f64().unwrap_or_default().to_bits();
        out.extend_from_slice(&bits.to_le_bytes());
    }
}

fn get_value(from: &mut Reader<'_>, depth: u32) -> Result<Value, WireError> {
    let inner = |from: &mut Reader<'_>| match depth.checked_sub(1) {
        Some(depth) => get_value(from, depth),
        None => Err(WireError::Wrong("depth of nesting")),
    };
    Ok(match from.byte()? {
        NULL => Value::Null,
        FALSE => Value::Bool(false),
        TRUE => Value::Bool(true),
        UNSIGNED => Value::Number(from.uint()?.into()),
        SIGNED => Value::Number(from.get::<i64>()?.into()),
        FLOAT => {
            let number = Number::from_f64(f64::from_le_bytes(from.array()?));
            Value::Number(number.ok_or(WireError::Wrong("number"))?)
        }
        TEXT => Value::String(from.get()?),
        LIST => {
            let count = from.count()?;
            let mut list = Vec::with_capacity(count.min(256));
            for _ in 0..count {
                list.push(inner(from)?);
            }
            Value::Array(list)
        }
        OBJECT => {
            let count = from.count()?;
            let mut map = Map::with_capacity(count.min(64));
            for _ in 0..count {
                let name = from.get()?;
                map.insert(name, inner(from)?);
            }
            Value::Object(map)
        }
        _ => return Err(WireError::Wrong("kind of JSON value")),
    })
}
