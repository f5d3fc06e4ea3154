//! How long each phase of a fetch took.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The phases of one fetch. A phase that did not happen is absent: a kept connection needs no
/// lookup, no connection and no handshake.
///
/// As JSON each is a number of microseconds: `{"dns_us": 812, "connect_us": 95}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timing {
    /// Name lookup.
    #[serde(rename = "dns_us", with = "micros", skip_serializing_if = "Option::is_none")]
    pub dns: Option<Duration>,
    /// TCP connection, the way through a proxy included.
    #[serde(rename = "connect_us", with = "micros", skip_serializing_if = "Option::is_none")]
    pub connect: Option<Duration>,
    /// TLS handshake.
    #[serde(rename = "tls_us", with = "micros", skip_serializing_if = "Option::is_none")]
    pub tls: Option<Duration>,
    /// From the request's first byte sent to the response's head.
    #[serde(rename = "first_byte_us", with = "micros", skip_serializing_if = "Option::is_none")]
    pub first_byte: Option<Duration>,
    /// From the head to the last body byte.
    #[serde(rename = "body_us", with = "micros", skip_serializing_if = "Option::is_none")]
    pub body: Option<Duration>,
}

impl Timing {
    /// Whether no phase was measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An optional time as a number of microseconds.
pub(crate) mod micros {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        time: &Option<Duration>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(Duration::from_micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_microseconds_and_absent_ones_are_left_out() {
        let timing = Timing { dns: Some(Duration::from_micros(812)), ..Timing::default() };
        let text = serde_json::to_string(&timing).unwrap();
        assert_eq!(text, r#"{"dns_us":812}"#);
        assert_eq!(serde_json::from_str::<Timing>(&text).unwrap(), timing);
        assert!(serde_json::from_str::<Timing>("{}").unwrap().is_empty());
    }
}
