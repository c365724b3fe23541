//! JSON text written by hand into a buffer: one object on one line, whatever its parts contain.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Appends a JSON string.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    // Writing a string into a Vec cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// Appends JSON text from elsewhere as it is, but on one line and so that DuckDB's parser takes it. What is not JSON becomes
/// a JSON string: a provider's odd answer must not cost the record.
pub(crate) fn embed(out: &mut Vec<u8>, text: &str) {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(value) => out.extend_from_slice(one_line(value.get()).as_bytes()),
        Err(_) => string(out, text),
    }
}

/// Lays the keys of `over` over those of `under`; where one of them is no JSON object there is nothing to lay, and `over`
/// stands alone.
pub(crate) fn embed_merged(out: &mut Vec<u8>, under: &str, over: &str) {
    let (under, over) = (one_line_if_json(under), one_line_if_json(over));
    let objects = (
        serde_json::from_str::<BTreeMap<String, &RawValue>>(&under),
        serde_json::from_str::<BTreeMap<String, &RawValue>>(&over),
    );
    let (Ok(mut merged), Ok(upper)) = objects else {
        return embed(out, &over);
    };
    merged.extend(upper);
    let mut object = Object::open(out);
    for (key, value) in merged {
        object.any_key(&key).extend_from_slice(value.get().as_bytes());
    }
    object.close();
}

fn one_line_if_json(text: &str) -> Cow<'_, str> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(value) => one_line(value.get()),
        Err(_) => Cow::Borrowed(text),
    }
}

/// `json` is valid: raw line breaks stand only between its tokens, backslashes only in its strings. Breaks go; half a
/// surrogate pair, which JSON's grammar allows and DuckDB's parser refuses together with the whole line, becomes U+FFFD.
fn one_line(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    if !bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r' | b'\\')) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len());
    let (mut kept, mut at) = (0, 0);
    while at < bytes.len() {
        let (skipped, replacement) = match bytes[at] {
            b'\n' | b'\r' => (1, ""),
            b'\\' => match surrogate(bytes, at) {
                Surrogate::Lone => (6, "\\ufffd"),
                Surrogate::Pair => {
                    at += 12;
                    continue;
                }
                Surrogate::None => {
                    at += 2;
                    continue;
                }
            },
            _ => {
                at += 1;
                continue;
            }
        };
        out.push_str(&json[kept..at]);
        out.push_str(replacement);
        at += skipped;
        kept = at;
    }
    out.push_str(&json[kept..]);
    Cow::Owned(out)
}

enum Surrogate {
    None,
    Lone,
    Pair,
}

fn surrogate(bytes: &[u8], at: usize) -> Surrogate {
    match code_unit(bytes, at) {
        Some(0xD800..=0xDBFF) => match code_unit(bytes, at + 6) {
            Some(0xDC00..=0xDFFF) => Surrogate::Pair,
            _ => Surrogate::Lone,
        },
        Some(0xDC00..=0xDFFF) => Surrogate::Lone,
        _ => Surrogate::None,
    }
}

/// The value of the escape `\uXXXX` that begins at `at`, if one does.
fn code_unit(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// An object being written; members whose value is not there are left out.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
    /// Strings are cut to so many characters.
    longest: usize,
}

impl<'a> Object<'a> {
    pub(crate) fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self {
            out,
            empty: true,
            longest: usize::MAX,
        }
    }

    pub(crate) fn with_longest(mut self, longest: usize) -> Self {
        self.longest = longest;
        self
    }

    pub(crate) fn close(self) {
        self.out.push(b'}');
    }

    fn separate(&mut self) {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
    }

    /// Writes a key of ours, which needs no escaping, and hands out the buffer for its value.
    pub(crate) fn key(&mut self, key: &'static str) -> &mut Vec<u8> {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// The same for a key that can be anything.
    pub(crate) fn any_key(&mut self, key: &str) -> &mut Vec<u8> {
        self.separate();
        string(self.out, key);
        self.out.push(b':');
        self.out
    }

    pub(crate) fn text(&mut self, key: &'static str, text: &str) {
        // No character is shorter than a byte, so a short text needs no counting.
        let text = match text.len() > self.longest {
            true => text
                .char_indices()
                .nth(self.longest)
                .map_or(text, |(end, _)| &text[..end]),
            false => text,
        };
        string(self.key(key), text);
    }

    pub(crate) fn text_if(&mut self, key: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    /// A text of ours that needs no escaping: decimals, hex.
    pub(crate) fn plain(&mut self, key: &'static str, text: std::fmt::Arguments<'_>) {
        use std::io::Write as _;
        // Writing into a Vec cannot fail.
        let _ = write!(self.key(key), "\"{text}\"");
    }

    pub(crate) fn integer(&mut self, key: &'static str, value: i64) {
        let _ = serde_json::to_writer(self.key(key), &value);
    }

    pub(crate) fn integer_if(&mut self, key: &'static str, value: Option<i64>) {
        if let Some(value) = value {
            self.integer(key, value);
        }
    }

    /// A count; the columns are BIGINT, and a provider that says more than that is not believed further than they reach.
    pub(crate) fn count_if(&mut self, key: &'static str, value: Option<u64>) {
        self.integer_if(key, value.map(|value| i64::try_from(value).unwrap_or(i64::MAX)));
    }

    pub(crate) fn boolean(&mut self, key: &'static str, value: bool) {
        self.key(key).extend_from_slice(if value { b"true" } else { b"false" });
    }

    pub(crate) fn json_if(&mut self, key: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            embed(self.key(key), text);
        }
    }
}
