//! How a stream's body is cut into pieces: server-sent events, or lines.

use bytes::Bytes;

use crate::lines::Lines;
use crate::sse::Splitter;

#[derive(Debug)]
pub(super) enum Framing {
    Events(Splitter),
    Lines(Lines),
}

impl Framing {
    pub(super) fn new(by_lines: bool) -> Self {
        if by_lines {
            Self::Lines(Lines::default())
        } else {
            Self::Events(Splitter::default())
        }
    }

    pub(super) fn push(&mut self, data: Bytes) {
        match self {
            Self::Events(splitter) => splitter.push(data),
            Self::Lines(lines) => lines.push(&data),
        }
    }

    /// The data of the next whole piece.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        match self {
            Self::Events(splitter) => splitter.next().map(|event| event.data),
            Self::Lines(lines) => lines.next(),
        }
    }

    /// At the end of the stream: what stands after the last whole piece.
    pub(super) fn finish(&mut self) -> Option<Bytes> {
        match self {
            Self::Events(splitter) => splitter.finish().map(|event| event.data),
            Self::Lines(lines) => lines.finish(),
        }
    }
}
