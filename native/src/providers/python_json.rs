//! JSON text as Python's `json.dumps` writes it: what litellm's users get as the arguments of a tool call.

use std::io;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}

pub(super) fn dumps(value: &Value) -> String {
    let mut out = Vec::new();
    // Writing a `Value` into memory cannot fail.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut out, Spaced));
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_stand_where_python_puts_them() {
        let value: Value = serde_json::from_str(r#"{"city":"Paris","l":[1,2.5,{}],"e":[]}"#).expect("JSON");
        assert_eq!(dumps(&value), r#"{"city": "Paris", "l": [1, 2.5, {}], "e": []}"#);
    }
}
