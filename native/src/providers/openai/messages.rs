//! Messages as OpenAI takes them, where callers put them in older or other ways.

use bytes::Bytes;
use serde_json::{Value, json};

/// The body with its messages put right; None where there is nothing to put right, as in most bodies.
///
/// `knows_developers`: the model knows the role `developer`.
pub(crate) fn put_right(body: &Bytes, knows_developers: bool) -> Option<Bytes> {
    let holds = |text: &[u8]| memchr::memmem::find(body, text).is_some();
    let has_developer = !knows_developers && holds(b"\"developer\"");
    // A cheap look for what is rare: texts that happen to hold these words only cost the look at the messages.
    if !(has_developer || holds(b"\"image_url\":\"")) {
        return None;
    }
    let mut whole: Value = serde_json::from_slice(body).ok()?;
    for message in whole.get_mut("messages")?.as_array_mut()? {
        if has_developer && message["role"] == "developer" {
            message["role"] = "system".into();
        }
        for part in message
            .get_mut("content")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if part["image_url"].is_string() {
                let url = part["image_url"].take();
                part["image_url"] = json!({"url": url});
            }
        }
    }
    Some(Bytes::from(whole.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_otherwise_is_touched() {
        let plain = Bytes::from_static(br#"{"messages":[{"role":"user","content":"a developer"}]}"#);
        assert_eq!(put_right(&plain, false), None);
        let old = Bytes::from_static(
            br#"{"messages":[{"role":"developer","content":[{"type":"image_url","image_url":"u"}]}]}"#,
        );
        let read: Value = serde_json::from_slice(&put_right(&old, false).expect("a body")).expect("JSON");
        assert_eq!(read["messages"][0]["role"], "system");
        assert_eq!(read["messages"][0]["content"][0]["image_url"]["url"], "u");
        let kept = Bytes::from_static(br#"{"messages":[{"role":"developer","content":"x"}]}"#);
        assert_eq!(put_right(&kept, true), None);
    }
}
