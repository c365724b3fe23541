//! How a stream's bytes hold its events, which its content type says.

use bytes::Bytes;

use crate::aws_events::AwsEvents;
use crate::lines::Lines;
use crate::sse::{Event, Splitter};

/// The ways there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Framing {
    #[default]
    ServerSent,
    /// A line of JSON each: Ollama, Cohere's first interface.
    Lines,
    /// Bedrock.
    Aws,
}

const FRAMINGS: [(&str, Framing); 4] = [
    ("application/vnd.amazon.eventstream", Framing::Aws),
    ("application/x-ndjson", Framing::Lines),
    ("application/jsonl", Framing::Lines),
    ("application/stream+json", Framing::Lines),
];

impl Framing {
    /// What is not known is server-sent events.
    pub(crate) fn of(content_type: &str) -> Self {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        FRAMINGS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(kind))
            .map_or(Self::ServerSent, |(_, framing)| *framing)
    }
}

/// Cuts a stream of one of these ways into events.
#[derive(Debug)]
pub(crate) enum Cutter {
    ServerSent(Splitter),
    Lines(Lines),
    Aws(AwsEvents),
}

impl Cutter {
    pub(crate) fn new(framing: Framing) -> Self {
        match framing {
            Framing::ServerSent => Self::ServerSent(Splitter::default()),
            Framing::Lines => Self::Lines(Lines::default()),
            Framing::Aws => Self::Aws(AwsEvents::default()),
        }
    }

    /// Takes the next bytes; gives back those of a server-sent event that is too long to be kept.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Option<Bytes> {
        match self {
            Self::ServerSent(splitter) => return splitter.push(Bytes::copy_from_slice(bytes)),
            Self::Lines(lines) => drop(lines.push(bytes)),
            Self::Aws(events) => events.push(bytes),
        }
        None
    }

    /// The next whole event.
    pub(crate) fn next(&mut self) -> Option<Event> {
        match self {
            Self::ServerSent(splitter) => splitter.next(),
            Self::Lines(lines) => lines.next().map(of_line),
            Self::Aws(events) => events.next(),
        }
    }

    /// At the end of the stream: what stands after the last event's end.
    pub(crate) fn finish(&mut self) -> Option<Event> {
        match self {
            Self::ServerSent(splitter) => splitter.finish(),
            Self::Lines(lines) => lines.finish().map(of_line),
            Self::Aws(_) => None,
        }
    }

    /// How many bytes of an unfinished event are held back.
    pub(crate) fn held(&self) -> usize {
        match self {
            Self::ServerSent(splitter) => splitter.held(),
            Self::Lines(lines) => lines.held(),
            Self::Aws(events) => events.held(),
        }
    }

    /// Whether these bytes are whole events, after whole events: told by their end where that is quick to see.
    pub(crate) fn ends_with(&self, bytes: &[u8]) -> bool {
        matches!(self, Self::ServerSent(splitter) if !splitter.holds_back()) && bytes.ends_with(b"\n\n")
    }
}

/// A line is all data.
fn of_line(line: Bytes) -> Event {
    Event {
        data: line.clone(),
        raw: line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_type_names_the_framing() {
        for (content_type, framing) in [
            ("text/event-stream; charset=utf-8", Framing::ServerSent),
            ("application/vnd.amazon.eventstream", Framing::Aws),
            ("application/x-ndjson", Framing::Lines),
            ("Application/Stream+JSON", Framing::Lines),
            ("", Framing::ServerSent),
        ] {
            assert_eq!(Framing::of(content_type), framing, "{content_type}");
        }
    }

    #[test]
    fn lines_are_events_too() {
        let mut cutter = Cutter::new(Framing::Lines);
        cutter.push(b"{\"a\":1}\n{\"b\"");
        assert_eq!(
            cutter.next().map(|event| event.data),
            Some(Bytes::from_static(b"{\"a\":1}"))
        );
        assert_eq!((cutter.next(), cutter.held()), (None, 4));
        cutter.push(b":2}");
        assert_eq!(cutter.next(), None);
        assert_eq!(
            cutter.finish().map(|event| event.data),
            Some(Bytes::from_static(b"{\"b\":2}"))
        );
    }
}
