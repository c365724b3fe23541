//! AWS's binary events, cut out of a byte stream: how Bedrock frames the pieces of an answer.
//!
//! Each is a prelude (its length, its headers' length, a checksum of both), headers, a payload and a checksum
//! (smithy.io, "Amazon Event Stream Specification"). The payload is JSON; of an invocation, JSON around the model's own
//! event in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};

use crate::json_scan::member;
use crate::sse::{Event, LONGEST_EVENT};

const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;

#[derive(Debug, Default)]
pub(crate) struct AwsEvents {
    held: BytesMut,
    /// What came is no such event: where the next one would begin, nobody knows.
    is_lost: bool,
}

impl AwsEvents {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if !self.is_lost {
            self.held.extend_from_slice(bytes);
        }
    }

    /// The next whole event.
    pub(crate) fn next(&mut self) -> Option<Event> {
        let length = self.length()?;
        if self.held.len() < length {
            return None;
        }
        let raw = self.held.split_to(length).freeze();
        let headers = number(&raw, 4)?;
        let payload = raw.slice((PRELUDE + headers).min(length - CHECKSUM)..length - CHECKSUM);
        Some(Event {
            data: inner(&payload).unwrap_or(payload),
            raw,
        })
    }

    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// The length of the event that `held` begins with, once its prelude is there and says so.
    fn length(&mut self) -> Option<usize> {
        let prelude = self.held.get(..PRELUDE)?;
        let mut checksum = flate2::Crc::new();
        checksum.update(&prelude[..8]);
        let length = number(prelude, 0)?;
        let fits = (PRELUDE + CHECKSUM..=LONGEST_EVENT).contains(&length);
        if number(prelude, 8)? != checksum.sum() as usize || !fits {
            self.is_lost = true;
            self.held = BytesMut::new();
            return None;
        }
        Some(length)
    }
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(four)).ok()
}

/// The model's own event; None where the payload is the event.
fn inner(payload: &[u8]) -> Option<Bytes> {
    let text = member(payload, b"bytes")?.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    STANDARD.decode(text).ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(payload: &[u8]) -> Vec<u8> {
        let headers = b"\x0d:message-type\x07\x00\x05event";
        let length = PRELUDE + headers.len() + payload.len() + CHECKSUM;
        let mut out = (length as u32).to_be_bytes().to_vec();
        out.extend_from_slice(&(headers.len() as u32).to_be_bytes());
        let mut checksum = flate2::Crc::new();
        checksum.update(&out);
        out.extend_from_slice(&checksum.sum().to_be_bytes());
        out.extend_from_slice(headers);
        out.extend_from_slice(payload);
        out.extend_from_slice(&[0; CHECKSUM]);
        out
    }

    fn all(events: &mut AwsEvents) -> Vec<Bytes> {
        std::iter::from_fn(|| events.next()).map(|event| event.data).collect()
    }

    #[test]
    fn every_cut_gives_the_same_events() {
        let invoked = br#"{"bytes":"eyJhIjoxfQ==","p":"abc"}"#;
        let whole = [framed(br#"{"usage":{}}"#), framed(invoked), framed(b"")].concat();
        let expected = [&br#"{"usage":{}}"#[..], br#"{"a":1}"#, b""];
        for cut in 0..whole.len() {
            let mut events = AwsEvents::default();
            events.push(&whole[..cut]);
            let mut found = all(&mut events);
            events.push(&whole[cut..]);
            found.extend(all(&mut events));
            assert_eq!(found, expected, "cut at {cut}");
            assert_eq!(events.held(), 0);
        }
    }

    #[test]
    fn what_is_no_event_is_given_up() {
        let mut events = AwsEvents::default();
        let mut spoilt = framed(b"{}");
        spoilt[9] ^= 1;
        events.push(&spoilt);
        assert_eq!(all(&mut events), Vec::<Bytes>::new());
        events.push(&framed(b"{}"));
        assert_eq!((all(&mut events), events.held()), (Vec::new(), 0));
    }
}
