//! Finding the members of JSON text that is known to be valid: a second look at an answer, at a byte a nanosecond.
//!
//! Text that is not valid gives fewer members, or odd ones; never a panic.

use std::borrow::Cow;

use memchr::memchr2;

use crate::json_text;

/// The members of an object: the inside of each name's quotes, and the text of its value.
#[derive(Debug)]
pub(crate) struct Members<'a> {
    json: &'a [u8],
    at: usize,
}

/// The elements of an array.
#[derive(Debug)]
pub(crate) struct Elements<'a> {
    json: &'a [u8],
    at: usize,
}

/// Nothing for text that is no object.
pub(crate) fn members(json: &[u8]) -> Members<'_> {
    // Some gateways keep a connection alive by blank lines before the answer.
    let json = json.trim_ascii_start();
    let at = if json.first() == Some(&b'{') { 1 } else { json.len() };
    Members { json, at }
}

/// The value of an object's first member of that name.
pub(crate) fn member<'a>(object: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    members(object)
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}

/// Nothing for text that is no array.
pub(crate) fn elements(json: &[u8]) -> Elements<'_> {
    let json = json.trim_ascii_start();
    let at = if json.first() == Some(&b'[') { 1 } else { json.len() };
    Elements { json, at }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let name_at = skip_between(self.json, self.at);
        if self.json.get(name_at) != Some(&b'"') {
            return None;
        }
        let name_end = string_end(self.json, name_at)?;
        let value_at = skip_between(self.json, name_end);
        let value_end = value_end(self.json, value_at)?;
        self.at = value_end;
        Some((
            self.json.get(name_at + 1..name_end - 1)?,
            self.json.get(value_at..value_end)?,
        ))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        let start = skip_between(self.json, self.at);
        if matches!(self.json.get(start), None | Some(b']')) {
            return None;
        }
        self.at = value_end(self.json, start)?;
        self.json.get(start..self.at)
    }
}

/// A JSON string's text; None for any other value.
pub(crate) fn text_of(value: &[u8]) -> Option<Cow<'_, str>> {
    json_text::text_of(std::str::from_utf8(value).ok()?)
}

/// Past white space, commas and colons: in valid text they stand between names and values, and only there.
fn skip_between(json: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t' | b',' | b':') = json.get(at) {
        at += 1;
    }
    at
}

/// The index after the string whose opening quote is at `at`.
fn string_end(json: &[u8], at: usize) -> Option<usize> {
    let mut from = at + 1;
    loop {
        let found = from + memchr2(b'"', b'\\', json.get(from..)?)?;
        if json[found] == b'"' {
            return Some(found + 1);
        }
        from = found + 2;
    }
}

/// The index after the value at `at`; None where there is none.
fn value_end(json: &[u8], at: usize) -> Option<usize> {
    match json.get(at)? {
        b'"' => string_end(json, at),
        b'{' | b'[' => container_end(json, at),
        _ => {
            let length = json[at..]
                .iter()
                .position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t'));
            let end = length.map_or(json.len(), |length| at + length);
            (end > at).then_some(end)
        }
    }
}

fn container_end(json: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0usize;
    loop {
        match json.get(at)? {
            b'"' => {
                at = string_end(json, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(json: &str) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        members(json.as_bytes())
            .map(|(name, value)| (text(name), text(value)))
            .collect()
    }

    #[test]
    fn members_are_found_whatever_their_values_are() {
        let json = r#"
            { "a" : "x\"}\\" , "b":{"c":[1,"]"]},"d":-1.5e3 , "e":[],"f":null,"g\u0041":true}"#;
        let expected = [
            ("a", r#""x\"}\\""#),
            ("b", r#"{"c":[1,"]"]}"#),
            ("d", "-1.5e3"),
            ("e", "[]"),
            ("f", "null"),
            (r"g\u0041", "true"),
        ];
        assert_eq!(
            texts(json),
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn elements_are_found() {
        let found: Vec<&[u8]> = elements(br#"[1, {"a":[2]} ,"x",[ ]]"#).collect();
        assert_eq!(found, [&b"1"[..], b"{\"a\":[2]}", b"\"x\"", b"[ ]"]);
        assert_eq!(elements(b"[ ]").count(), 0);
        assert_eq!(elements(b"{}").count(), 0);
    }

    #[test]
    fn every_cut_of_an_object_ends() {
        let json = br#"{"a":"x\"","b":{"c":[1,"]"]},"d":[{}]}"#;
        for end in 0..json.len() {
            assert!(members(&json[..end]).count() <= 3);
            assert!(elements(&json[..end]).count() <= 3);
        }
        for odd in [&b"{\"a\""[..], b"{\"a\":}", b"{\"a\":]}", b"[}", b"[\\", b"{\"\\"] {
            assert!(members(odd).count() + elements(odd).count() <= 1);
        }
    }

    #[test]
    fn agrees_with_a_parser_on_the_order_of_members() {
        let json = r#"{"id":"c","choices":[{"delta":{"content":"a"}}],"usage":{"n":1}}"#;
        let parsed: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).expect("an object");
        assert_eq!(texts(json).len(), parsed.len());
        for (name, value) in texts(json) {
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&value).ok().as_ref(),
                parsed.get(&name)
            );
        }
    }
}
