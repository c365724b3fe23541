//! A response that is fetched, as its bytes come: an object, or a stream of events that come to one.

use bytes::Bytes;

use super::read;
use crate::json_scan::member;
use crate::sse::Splitter;

/// More than any response is long.
const LONGEST: usize = 64 << 20;

#[derive(Debug, Default)]
pub(crate) struct Reply {
    /// An object, as far as it has come.
    begun: Vec<u8>,
    events: Option<Splitter>,
}

impl Reply {
    /// Takes the next bytes; gives the response once an event says that it is over.
    pub(crate) fn feed(&mut self, data: &[u8]) -> Option<Bytes> {
        if self.begun.is_empty() && self.events.is_none() {
            let first = data.trim_ascii_start().first()?;
            self.events = (*first != b'{').then(Splitter::default);
        }
        let Some(events) = &mut self.events else {
            if self.begun.len() + data.len() <= LONGEST {
                self.begun.extend_from_slice(data);
            }
            return None;
        };
        events.push(Bytes::copy_from_slice(data));
        let mut over = None;
        while let Some(event) = events.next() {
            over = over.or_else(|| response_in(&event.data));
        }
        over
    }

    /// There is no more: gives the response where it came as an object, or its last event without its end.
    pub(crate) fn finish(&mut self) -> Option<Bytes> {
        match &mut self.events {
            Some(events) => events.finish().and_then(|event| response_in(&event.data)),
            None => Some(std::mem::take(&mut self.begun))
                .filter(|body| !body.is_empty())
                .map(Bytes::from),
        }
    }
}

/// The response in an event, where it is over.
fn response_in(event: &Bytes) -> Option<Bytes> {
    let response = member(event, b"response")?;
    read(response).is_over.then(|| event.slice_ref(response))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] =
        b"event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"status\":\"queued\"}}\n\n\
        data: {\"type\":\"response.output_text.delta\",\"delta\":\"x\"}\n\n\
        data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\"}}\n\n";

    #[test]
    fn the_last_event_is_found_however_the_bytes_are_cut() {
        for size in [1, 7, STREAM.len()] {
            let mut reply = Reply::default();
            let found: Vec<Bytes> = STREAM.chunks(size).filter_map(|piece| reply.feed(piece)).collect();
            assert_eq!(found, [&b"{\"status\":\"completed\"}"[..]], "{size}");
            assert_eq!(reply.finish(), None);
        }
    }

    #[test]
    fn an_object_is_there_at_its_end() {
        let mut reply = Reply::default();
        assert_eq!(reply.feed(b"\n{\"status\":"), None);
        assert_eq!(reply.feed(b"\"queued\"}"), None);
        assert_eq!(reply.finish().as_deref(), Some(&b"\n{\"status\":\"queued\"}"[..]));
    }
}
