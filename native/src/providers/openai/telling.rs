//! Telling from an event's bytes whether it is worth reading, without reading it.

use std::sync::LazyLock;

use memchr::memmem::Finder;

static FINISH_REASON: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"finish_reason\""));
static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"usage\""));
static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"error\""));
static DONE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("[DONE]"));
static CHOICES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"choices\""));

/// Whether a name that `finder` finds has a value that begins with `start`. Text that looks like it costs a parse.
fn has(finder: &Finder<'_>, start: u8, data: &[u8]) -> bool {
    finder
        .find_iter(data)
        .any(|at| value_at(data, at + finder.needle().len()).first() == Some(&start))
}

fn value_at(data: &[u8], at: usize) -> &[u8] {
    let colon = data.get(at..).unwrap_or_default().trim_ascii_start();
    colon.strip_prefix(b":").unwrap_or_default().trim_ascii_start()
}

/// Whether an event may say more than text.
pub(crate) fn is_telling(data: &[u8]) -> bool {
    !data.starts_with(b"{") || has(&FINISH_REASON, b'"', data) || has(&USAGE, b'{', data) || ERROR.find(data).is_some()
}

/// Whether there may be an event in `data` that carries nothing but usage: its list of choices is empty.
pub(crate) fn may_be_only_usage(data: &[u8]) -> bool {
    CHOICES.find_iter(data).any(|at| {
        let list = value_at(data, at + CHOICES.needle().len()).strip_prefix(b"[");
        list.is_some_and(|list| list.trim_ascii_start().starts_with(b"]"))
    })
}

/// Whether the mark of the end may stand in `data`.
pub(crate) fn may_end(data: &[u8]) -> bool {
    DONE.find(data).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_event_says_is_found_however_it_is_spaced() {
        for telling in [
            r#"{"choices":[{"finish_reason":null},{"finish_reason" : "stop"}]}"#,
            r#"{"choices":[],"usage": {"prompt_tokens":1}}"#,
            r#"{"error":{"message":"x"}}"#,
            "[DONE]",
        ] {
            assert!(is_telling(telling.as_bytes()), "{telling}");
        }
        assert!(!is_telling(
            br#"{"choices":[{"delta":{"content":"a"},"finish_reason":null}],"usage":null}"#
        ));
        assert!(may_be_only_usage(br#"data: {"choices": [ ],"usage":{}}"#));
        assert!(!may_be_only_usage(br#"data: {"choices": [{}],"usage":{}}"#));
    }
}
