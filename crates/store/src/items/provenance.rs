//! What is known of a stored item beside its fields.

use std::time::{Duration, UNIX_EPOCH};

use humantime_serde::re::humantime::{format_rfc3339_millis, parse_rfc3339};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// What is known of a stored item beside its fields. As JSON it stands in the rows of
/// `crawl inspect STORE items`; the field names are stable. Times are milliseconds since the Unix
/// epoch, and texts in RFC 3339 as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// The spider that made it.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub spider: Box<str>,
    /// Its kind: the name of its type or of its table in the configuration, else the label of its
    /// page; empty if it has none of these.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub kind: Box<str>,
    /// Which version of its kind it is: a number, or `#` and a hash over the fields; empty if
    /// nothing is known of that.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub version: Box<str>,
    /// When it was seen for the first time: by its key if it has one, else as an item of its page
    /// with this content, or in this place.
    #[serde(rename = "first_seen", skip_serializing_if = "is_zero", with = "time")]
    pub first_ms: u64,
    /// When it was last seen.
    #[serde(rename = "last_seen", skip_serializing_if = "is_zero", with = "time")]
    pub seen_ms: u64,
    /// When it was last found to be another than before; 0 if it never was.
    #[serde(rename = "changed", skip_serializing_if = "is_zero", with = "time")]
    pub changed_ms: u64,
    /// How often it was.
    pub changes: u64,
}

impl Provenance {
    /// The names of its fields as JSON.
    pub const FIELDS: [&str; 7] =
        ["spider", "kind", "version", "first_seen", "last_seen", "changed", "changes"];

    /// The value of a field; null if it has none, or there is no such field.
    #[must_use]
    pub fn field(&self, name: &str) -> Value {
        let text = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
        let at = |ms: u64| if ms == 0 { Value::Null } else { time::text(ms).into() };
        match name {
            "spider" => text(&self.spider),
            "kind" => text(&self.kind),
            "version" => text(&self.version),
            "first_seen" => at(self.first_ms),
            "last_seen" => at(self.seen_ms),
            "changed" => at(self.changed_ms),
            "changes" => self.changes.into(),
            _ => Value::Null,
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Milliseconds as a time, RFC 3339.
mod time {
    use super::*;

    /// The end of the year 9999, behind which RFC 3339 has no times.
    const LAST_MS: u64 = 253_402_300_799_999;

    pub(super) fn text(ms: u64) -> String {
        format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(ms.min(LAST_MS))).to_string()
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    pub(super) fn serialize<S: Serializer>(ms: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&text(*ms))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        let at = parse_rfc3339(&String::deserialize(from)?).map_err(D::Error::custom)?;
        let since = at.duration_since(UNIX_EPOCH).map_err(D::Error::custom)?;
        u64::try_from(since.as_millis()).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_comes_back_from_its_row_and_says_nothing_of_what_is_not_known() {
        let all = Provenance {
            spider: "books".into(),
            kind: "Book".into(),
            version: "2".into(),
            first_ms: 1_700_000_000_123,
            seen_ms: 1_700_000_000_124,
            changed_ms: 0,
            changes: 0,
        };
        let row = serde_json::to_value(&all).unwrap();
        let expected = json!({"spider": "books", "kind": "Book", "version": "2",
            "first_seen": "2023-11-14T22:13:20.123Z", "last_seen": "2023-11-14T22:13:20.124Z",
            "changes": 0});
        assert_eq!(row, expected);
        assert_eq!(serde_json::from_value::<Provenance>(row.clone()).unwrap(), all);
        for name in Provenance::FIELDS {
            let value = row.get(name).cloned().unwrap_or_default();
            assert_eq!(all.field(name), value, "{name}");
        }
        // Years beyond what RFC 3339 can write must not break a listing.
        let wild = Provenance { first_ms: u64::MAX, ..all };
        assert!(serde_json::to_value(&wild).is_ok());
    }
}
