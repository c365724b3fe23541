//! How a stream's body is cut into pieces: server-sent events, or lines.

use bytes::Bytes;

use crate::failure::{Failure, FailureKind};
use crate::lines::Lines;
use crate::sse::{LONGEST_EVENT, Splitter};

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

    /// Takes the next bytes.
    ///
    /// # Errors
    /// The piece they belong to is longer than any provider sends one.
    pub(super) fn push(&mut self, data: Bytes) -> Result<(), Failure> {
        let is_kept = match self {
            Self::Events(splitter) => splitter.push(data).is_none(),
            Self::Lines(lines) => lines.push(&data),
        };
        if is_kept {
            return Ok(());
        }
        let most = LONGEST_EVENT >> 20;
        let message = format!("an event of the stream is longer than {most} MiB: the stream was cut off there");
        Err(Failure::new(FailureKind::InvalidResponse, message))
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
