//! The one pass that takes secrets out of text before any of it leaves the process.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

const MASK: &str = "[redacted]";

/// Beginnings of credentials that vendors document, and what ends one is the first byte that cannot stand in a token.
const PREFIXES: &[&str] = &[
    "sk-", "sk_", "pk-lf-", "gsk_", "xai-", "AIza", "nvapi-", "hf_", "r8_", "pplx-", "csk-", "fw_", "tgp_v1_",
    "Bearer ", "bearer ", "Basic ", "eyJ", "ghp_", "AKIA",
];

/// Whether one of them begins with a byte.
const FIRST_BYTES: [bool; 256] = {
    let mut first = [false; 256];
    let mut at = 0;
    while at < PREFIXES.len() {
        first[PREFIXES[at].as_bytes()[0] as usize] = true;
        at += 1;
    }
    first
};

/// Those that names of models, sessions and runs begin with too (`xai-chat-7`, `hf_llama_run`). Keys of these vendors are
/// letters and digits without a break.
const UNBROKEN: &[&str] = &["xai-", "hf_", "r8_", "pplx-", "csk-", "fw_"];
const SHORTEST_UNBROKEN: usize = 16;

/// What may follow a prefix in ordinary prose is shorter than this.
const SHORTEST_TOKEN: usize = 8;

/// Stand-ins for a key, as local servers take them, are parts of words.
const SHORTEST_SECRET: usize = 4;

/// Whether the program gave a redactor of its own. It is Python's and runs on a Python thread, after this pass.
static PROGRAMS_OWN: AtomicBool = AtomicBool::new(false);

pub(crate) fn set_programs_own(given: bool) {
    PROGRAMS_OWN.store(given, Ordering::Relaxed);
}

pub(crate) fn is_programs_own() -> bool {
    PROGRAMS_OWN.load(Ordering::Relaxed)
}

/// `text` without any of `secrets` (the call's own key and headers) and without whatever looks like a credential.
pub(crate) fn redact<'a>(text: &'a str, secrets: &[String]) -> Cow<'a, str> {
    let mut out = Cow::Borrowed(text);
    for secret in secrets {
        if secret.len() >= SHORTEST_SECRET && out.contains(secret.as_str()) {
            out = Cow::Owned(out.replace(secret.as_str(), MASK));
        }
    }
    mask_tokens(out)
}

/// Whether a header of this name carries a credential.
pub(crate) fn names_a_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["authorization", "key", "token", "secret", "cookie", "password"]
        .iter()
        .any(|word| name.contains(word))
}

/// Adds the value of a header to `secrets` if the header's name says that it carries a credential: whole, and without
/// its scheme (`Bearer`), as a provider would repeat it.
pub(crate) fn note_header(name: &str, value: &str, secrets: &mut Vec<String>) {
    if names_a_credential(name) {
        secrets.push(value.to_owned());
        secrets.extend(
            value
                .split_once(' ')
                .map(|(_, credential)| credential.trim().to_owned()),
        );
    }
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'*' | b'=' | b'+' | b'/')
}

fn has_unbroken_run(token: &[u8]) -> bool {
    token
        .split(|byte| !byte.is_ascii_alphanumeric())
        .any(|run| run.len() >= SHORTEST_UNBROKEN)
}

fn mask_tokens(text: Cow<'_, str>) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut cuts: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let may_begin = FIRST_BYTES[usize::from(bytes[at])] && (at == 0 || !bytes[at - 1].is_ascii_alphanumeric());
        let found = may_begin.then(|| {
            PREFIXES
                .iter()
                .find(|prefix| bytes[at..].starts_with(prefix.as_bytes()))
        });
        let Some(prefix) = found.flatten() else {
            at += 1;
            continue;
        };
        let start = at + prefix.len();
        let length = bytes[start..].iter().take_while(|b| is_token_byte(**b)).count();
        let token = &bytes[start..start + length];
        if length >= SHORTEST_TOKEN && (!UNBROKEN.contains(prefix) || has_unbroken_run(token)) {
            // The scheme's name may stay: it says what was there.
            let from = if prefix.ends_with(' ') { start } else { at };
            cuts.push((from, start + length));
        }
        at = start + length.max(1);
    }
    if cuts.is_empty() {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (start, end) in cuts {
        out.push_str(&text[from..start]);
        out.push_str(MASK);
        from = end;
    }
    out.push_str(&text[from..]);
    Cow::Owned(out)
}

/// The first `limit` bytes of `text`, cut at a character's boundary.
pub(crate) fn shorten(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calls_own_key_goes_whatever_it_looks_like() {
        let secrets = ["canary key/1".to_owned()];
        assert_eq!(redact("bad key: canary key/1.", &secrets), "bad key: [redacted].");
    }

    #[test]
    fn what_looks_like_a_credential_goes() {
        assert_eq!(
            redact("Incorrect API key provided: sk-proj-abcdEFGH1234.", &[]),
            "Incorrect API key provided: [redacted]"
        );
        assert_eq!(
            redact("Authorization: Bearer abc.def-123456", &[]),
            "Authorization: Bearer [redacted]"
        );
    }

    #[test]
    fn names_that_begin_like_a_key_stay() {
        for text in ["xai-chat-grok-code-fast-1-703043a6", "hf_llama_finetune_run_12"] {
            assert_eq!(redact(text, &[]), text);
        }
        assert_eq!(redact("xai-0123456789abcdefABCDEF", &[]), "[redacted]");
    }

    #[test]
    fn prose_stays() {
        for text in [
            "a risk-averse task-oriented disk-bound plan",
            "Bearer of news",
            "ask-me: sk-",
            "größer als AIza",
        ] {
            assert_eq!(redact(text, &[]), text);
        }
    }

    #[test]
    fn shorten_cuts_between_characters() {
        assert_eq!(shorten("größe", 4), "grö");
        assert_eq!(shorten("größe", 3), "gr");
    }
}
