//! JSON strings whose escapes a strict parser refuses (lone surrogates): read leniently, as Python's `json` does.

use std::borrow::Cow;

/// A JSON string's text; None for any other value.
pub(crate) fn text_of(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    Some(if inner.contains('\\') {
        Cow::Owned(unescape(inner))
    } else {
        Cow::Borrowed(inner)
    })
}

/// The text of a JSON string's inside. A lone surrogate becomes U+FFFD, which no Unicode string can do without.
pub(crate) fn unescape(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = rest.as_bytes().get(at + 1).copied();
        rest = rest.get(at + 2..).unwrap_or_default();
        match escape {
            Some(b'n') => out.push('\n'),
            Some(b't') => out.push('\t'),
            Some(b'r') => out.push('\r'),
            Some(b'b') => out.push('\u{8}'),
            Some(b'f') => out.push('\u{c}'),
            Some(b'u') => {
                let (character, length) = unicode(rest);
                out.push(character);
                rest = rest.get(length..).unwrap_or_default();
            }
            Some(other) => out.push(char::from(other)),
            None => {}
        }
    }
    out.push_str(rest);
    out
}

/// The character of the escape whose four digits `rest` begins with, and how many bytes it took.
fn unicode(rest: &str) -> (char, usize) {
    let digits = |text: &str| text.get(..4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let Some(first) = digits(rest) else {
        return (char::REPLACEMENT_CHARACTER, 0);
    };
    if (0xd800..0xdc00).contains(&first) {
        let second = rest.get(4..).and_then(|r| r.strip_prefix("\\u")).and_then(digits);
        if let Some(second @ 0xdc00..0xe000) = second {
            let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 10);
        }
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 4)
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn escapes_become_characters() {
        assert_eq!(unescape(r#"a\n\"b\"\\\u00e9\ud83d\ude00"#), "a\n\"b\"\\é😀");
    }

    #[test]
    fn a_lone_surrogate_becomes_the_replacement_character() {
        assert_eq!(unescape(r"x\ud83dy\ude00"), "x\u{fffd}y\u{fffd}");
        assert_eq!(unescape(r"\u12"), "\u{fffd}12");
    }
}
