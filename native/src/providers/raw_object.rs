//! A JSON object whose values stay the text that they came as: a provider's usage, digit by digit.

use crate::json_scan;

/// Fields in the order of their first coming.
#[derive(Debug, Default)]
pub(super) struct RawObject(Vec<(Vec<u8>, Vec<u8>)>);

impl RawObject {
    /// Takes the fields of `json` over those that are there, but no null over a value.
    pub(super) fn merge(&mut self, json: &[u8]) {
        for (name, value) in json_scan::members(json) {
            match self.0.iter_mut().find(|(known, _)| known == name) {
                Some(field) if value != b"null" => field.1 = value.to_vec(),
                Some(_) => {}
                None => self.0.push((name.to_vec(), value.to_vec())),
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn to_json(&self) -> String {
        let mut out = vec![b'{'];
        for (at, (name, value)) in self.0.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.push(b'"');
            out.extend_from_slice(name);
            out.extend_from_slice(b"\":");
            out.extend_from_slice(value);
        }
        out.push(b'}');
        String::from_utf8(out).unwrap_or_default()
    }
}

/// The text of an object's member that is an object itself and not empty.
pub(super) fn member<'a>(json: &'a [u8], name: &str) -> Option<&'a str> {
    let (_, value) = json_scan::members(json).find(|(known, _)| *known == name.as_bytes())?;
    let text = std::str::from_utf8(value).ok()?;
    (text.starts_with('{') && text.len() > 2).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_values_replace_earlier_ones_and_digits_stay() {
        let mut usage = RawObject::default();
        usage.merge(br#"{"input_tokens":3,"cost":0.10,"geo":null}"#);
        usage.merge(br#"{"input_tokens":null,"output_tokens":5,"cost":0.20}"#);
        assert_eq!(
            usage.to_json(),
            r#"{"input_tokens":3,"cost":0.20,"geo":null,"output_tokens":5}"#
        );
        assert_eq!(member(br#"{"a":1,"usage":{"x":1e2}}"#, "usage"), Some(r#"{"x":1e2}"#));
        assert_eq!(member(b"{\"usage\":{}}", "usage"), None);
    }
}
