//! Answers of our own client's that stay as they come: the surface says what the record needs of them.

use bytes::Bytes;
use serde_json::json;

use super::{AnswerProblem, Surface};
use crate::providers::Reading;
use crate::providers::dialect::{Answered, Events};
use crate::providers::openai::{EventKind, Facts};

/// Answers and events as the provider sends them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SurfaceReading(pub Surface);

impl Reading for SurfaceReading {
    fn answer(&self, body: &Bytes) -> Result<Answered, String> {
        match self.0.read_answer(body) {
            Ok(facts) => Ok(Answered::Whole(facts, body.clone())),
            Err(AnswerProblem::Failed(facts, error)) => Ok(Answered::Failed(*facts, body.clone(), error)),
            Err(AnswerProblem::Unreadable(why)) => Err(why),
        }
    }

    fn events(&self) -> Box<dyn Events> {
        Box::new(*self)
    }
}

impl Events for SurfaceReading {
    fn read(&mut self, facts: &mut Facts, data: &Bytes, chunks: &mut Vec<Bytes>) -> EventKind {
        let kind = self.0.read_event(facts, data);
        if matches!(kind, EventKind::Chunk | EventKind::Last | EventKind::UsageOnly) {
            chunks.push(data.clone());
        }
        kind
    }
}

/// A transcript: asked for as text or as subtitles, the whole body is what was said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TranscriptReading {
    pub is_text: bool,
}

impl Reading for TranscriptReading {
    fn answer(&self, body: &Bytes) -> Result<Answered, String> {
        if !self.is_text && body.trim_ascii_start().starts_with(b"{") {
            return SurfaceReading(Surface::Transcription).answer(body);
        }
        let text = std::str::from_utf8(body)
            .map_err(|error| format!("the transcript is not UTF-8 at byte {}", error.valid_up_to()))?;
        let told = super::media::read_transcript(body);
        Ok(Answered::Whole(told, Bytes::from(json!({"text": text}).to_string())))
    }

    fn events(&self) -> Box<dyn Events> {
        SurfaceReading(Surface::Transcription).events()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_a_transcript() {
        let whole = |is_text: bool, body: &'static str| match (TranscriptReading { is_text })
            .answer(&Bytes::from_static(body.as_bytes()))
        {
            Ok(Answered::Whole(facts, body)) => (facts.usage.is_some(), String::from_utf8_lossy(&body).into_owned()),
            other => panic!("no transcript: {other:?}"),
        };
        assert_eq!(whole(true, "hello\n"), (false, r#"{"text":"hello\n"}"#.to_owned()));
        assert_eq!(
            whole(false, r#"{"text":"x","duration":2}"#),
            (true, r#"{"text":"x","duration":2}"#.to_owned())
        );
    }

    #[test]
    fn a_response_that_failed_is_handed_on() {
        let body =
            Bytes::from_static(br#"{"id":"r","status":"failed","error":{"code":"server_error","message":"no"}}"#);
        let read = SurfaceReading(Surface::Responses).answer(&body);
        assert!(matches!(read, Ok(Answered::Failed(_, _, error)) if error.code.as_deref() == Some("server_error")));
    }
}
