//! Answers that are images, sound, transcripts or verdicts: what they say of their usage, which some do by what they are.

use super::AnswerProblem;
use super::typed::{self, take_usage};
use crate::json_scan::{elements, members, text_of};
use crate::providers::openai::{Facts, check_object};
use crate::sse::Splitter;

pub(super) fn is_event_stream(body: &[u8]) -> bool {
    body.starts_with(b"data:") || body.starts_with(b"event:")
}

/// Models that count no tokens are paid by image: then the number of images is the usage.
pub(super) fn read_images(body: &[u8]) -> Result<Facts, AnswerProblem> {
    let text = check_object(body).map_err(AnswerProblem::Unreadable)?;
    let mut facts = Facts::default();
    let (mut images, mut size, mut quality) = (0, None, None);
    for (name, value) in members(text.as_bytes()) {
        match name {
            b"data" => images = elements(value).count(),
            b"usage" => take_usage(&mut facts, value),
            b"model" => facts.model = text_of(value).map(|model| model.into_owned()),
            b"size" => size = text_of(value).map(|size| size.into_owned()),
            b"quality" => quality = text_of(value).map(|quality| quality.into_owned()),
            _ => {}
        }
    }
    facts.images = Some(crate::images::Images {
        count: images as u64,
        size,
        quality,
    });
    Ok(facts)
}

/// Sound says nothing; a stream of events that was read whole ends with its usage.
pub(super) fn read_speech(body: &[u8]) -> Facts {
    let mut facts = Facts::default();
    if is_event_stream(body) {
        let mut splitter = Splitter::default();
        splitter.push(bytes::Bytes::copy_from_slice(body));
        while let Some(event) = splitter.next() {
            typed::read_event(&mut facts, &event.data);
        }
    }
    facts
}

/// JSON, or plain text, subtitles and the like, which say nothing about what they cost.
pub(super) fn read_transcript(body: &[u8]) -> Facts {
    let mut facts = Facts::default();
    let mut duration = None;
    for (name, value) in members(body) {
        match name {
            b"usage" => take_usage(&mut facts, value),
            b"model" => facts.model = text_of(value).map(|model| model.into_owned()),
            b"duration" => duration = Some(value),
            _ => {}
        }
    }
    // The verbose form of models that are paid by the second; older ones wrote the number as text.
    let seconds = duration.and_then(|value| {
        let number = value
            .strip_prefix(b"\"")
            .and_then(|v| v.strip_suffix(b"\""))
            .unwrap_or(value);
        std::str::from_utf8(number)
            .ok()
            .filter(|text| text.parse::<f64>().is_ok_and(|s| s >= 0.0))
    });
    if let (None, Some(seconds)) = (&facts.usage, seconds) {
        facts.usage = Some(format!(r#"{{"type":"duration","seconds":{seconds}}}"#));
    }
    facts
}

pub(super) fn read_moderation(body: &[u8]) -> Result<Facts, AnswerProblem> {
    let text = check_object(body).map_err(AnswerProblem::Unreadable)?;
    let mut facts = Facts::default();
    for (name, value) in members(text.as_bytes()) {
        match name {
            b"id" => facts.response_id = text_of(value).map(|id| id.into_owned()),
            b"model" => facts.model = text_of(value).map(|model| model.into_owned()),
            b"usage" => take_usage(&mut facts, value),
            _ => {}
        }
    }
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_counted_and_their_usage_taken() {
        let facts = read_images(br#"{"created":1,"size":"1024x1024","quality":"high","data":[{"b64_json":"A"},{"url":"u"}],"usage":{"input_tokens":5}}"#)
            .expect("an answer");
        assert_eq!(facts.usage.as_deref(), Some(r#"{"input_tokens":5}"#));
        let images = facts.images.expect("images");
        assert_eq!((images.count, images.size.as_deref()), (2, Some("1024x1024")));
        assert!(read_images(b"<html>").is_err());
    }

    #[test]
    fn transcripts_tell_their_length_if_anything() {
        let usage = |body: &[u8]| read_transcript(body).usage;
        assert_eq!(
            usage(br#"{"text":"x","usage":{"type":"duration","seconds":4}}"#).as_deref(),
            Some(r#"{"type":"duration","seconds":4}"#)
        );
        assert_eq!(
            usage(br#"{"task":"transcribe","duration":"8.470000267028809","text":"x"}"#).as_deref(),
            Some(r#"{"type":"duration","seconds":8.470000267028809}"#)
        );
        assert_eq!(usage(b"plain text: {\"duration\":3}"), None);
        assert_eq!(usage(br#"{"text":"x","duration":"long"}"#), None);
    }

    #[test]
    fn speech_tells_its_usage_in_events_only() {
        let events = b"data: {\"type\":\"speech.audio.delta\",\"audio\":\"QQ==\"}\n\ndata: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":9}}\n\n";
        assert_eq!(read_speech(events).usage.as_deref(), Some(r#"{"input_tokens":9}"#));
        assert_eq!(read_speech(b"\xff\xf3\x84").usage, None);
    }
}
