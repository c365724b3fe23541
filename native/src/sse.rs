//! Server-sent events, cut out of a byte stream as the WHATWG standard defines them.

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memchr2};

/// An event without an end above this size is no event stream: its bytes are given up, not kept.
pub(crate) const LONGEST_EVENT: usize = 64 << 20;

/// One event: its data, and the bytes it was cut from (the blank line at its end included).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub data: Bytes,
    pub raw: Bytes,
}

/// Cuts events at blank lines. Bytes of an event that has not ended yet are held back.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    held: BytesMut,
    /// Up to where `held` has no event end.
    searched: usize,
    ready: Bytes,
}

impl Splitter {
    /// Takes the next bytes of the stream; then [`Self::next`] gives the events that are whole.
    ///
    /// Gives back the bytes of an event that is too long to be kept: what follows is read as if they had not been there.
    pub(crate) fn push(&mut self, bytes: Bytes) -> Option<Bytes> {
        if self.held.is_empty() && self.ready.is_empty() {
            self.ready = bytes;
            self.searched = 0;
            return None;
        }
        if !self.ready.is_empty() {
            self.held.extend_from_slice(&self.ready);
            self.ready.clear();
        }
        self.held.extend_from_slice(&bytes);
        if event_end(&self.held, self.searched.saturating_sub(3)).is_some() {
            self.ready = self.held.split().freeze();
        } else if self.held.len() > LONGEST_EVENT {
            self.searched = 0;
            return Some(self.held.split().freeze());
        }
        self.searched = self.held.len();
        None
    }

    /// The next whole event.
    pub(crate) fn next(&mut self) -> Option<Event> {
        if self.ready.is_empty() {
            return None;
        }
        let Some(end) = event_end(&self.ready, 0) else {
            self.held.extend_from_slice(&self.ready);
            self.searched = self.held.len();
            self.ready.clear();
            return None;
        };
        let raw = self.ready.split_to(end);
        Some(Event {
            data: data_of(&raw),
            raw,
        })
    }

    /// At the end of the stream: the bytes after the last event, as an event if they hold data.
    ///
    /// The standard drops them; the vendors' own SDKs read a last event that lacks its blank line, and so do we.
    pub(crate) fn finish(&mut self) -> Option<Event> {
        self.held.extend_from_slice(&self.ready);
        self.ready.clear();
        self.searched = 0;
        let raw = self.held.split().freeze();
        (!raw.is_empty()).then(|| Event {
            data: data_of(&raw),
            raw,
        })
    }

    /// How many bytes of an unfinished event are held back.
    pub(crate) fn held(&self) -> usize {
        self.held.len() + self.ready.len()
    }

    /// Whether bytes of an unfinished event are held back.
    pub(crate) fn holds_back(&self) -> bool {
        !self.held.is_empty() || !self.ready.is_empty()
    }
}

/// The index after the first blank line at or after `from`. Lines end with LF, CR LF or CR.
fn event_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(found) = memchr2(b'\n', b'\r', &bytes[at..]) {
        let line_end = at + found;
        let next = after_line_break(bytes, line_end)?;
        match bytes.get(next) {
            Some(b'\n') => return Some(next + 1),
            // A lone CR at the end may be the first half of CR LF: wait for what follows.
            Some(b'\r') => return after_line_break(bytes, next),
            Some(_) => at = next,
            None => return None,
        }
    }
    None
}

/// The index after the line break at `at`; None where a CR is the last byte, which may be half of CR LF.
fn after_line_break(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes[at] {
        b'\n' => Some(at + 1),
        _ => match bytes.get(at + 1) {
            Some(b'\n') => Some(at + 2),
            Some(_) => Some(at + 1),
            None => None,
        },
    }
}

/// The `data` of an event: one line's bytes as they are, more than one joined by LF.
fn data_of(raw: &Bytes) -> Bytes {
    let mut first: Option<Bytes> = None;
    let mut joined: Option<BytesMut> = None;
    let mut at = 0;
    while at < raw.len() {
        let rest = &raw[at..];
        let (length, step) = match memchr(b'\n', rest) {
            Some(lf) => match memchr(b'\r', &rest[..lf]) {
                Some(cr) if cr + 1 == lf => (cr, lf + 1),
                Some(cr) => (cr, cr + 1),
                None => (lf, lf + 1),
            },
            None => memchr(b'\r', rest).map_or((rest.len(), rest.len()), |cr| (cr, cr + 1)),
        };
        if let Some(value) = rest[..length].strip_prefix(b"data:") {
            let space = usize::from(value.first() == Some(&b' '));
            let start = at + 5 + space;
            let line = raw.slice(start..at + length);
            match (&first, &mut joined) {
                (None, _) => first = Some(line),
                (Some(one), None) => {
                    let mut all = BytesMut::from(&one[..]);
                    all.extend_from_slice(b"\n");
                    all.extend_from_slice(&line);
                    joined = Some(all);
                }
                (Some(_), Some(all)) => {
                    all.extend_from_slice(b"\n");
                    all.extend_from_slice(&line);
                }
            }
        }
        at += step;
    }
    joined.map(BytesMut::freeze).or(first).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn events_of(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut splitter = Splitter::default();
        let mut out = Vec::new();
        for piece in pieces {
            splitter.push(Bytes::copy_from_slice(piece));
            while let Some(event) = splitter.next() {
                out.push(event.data.to_vec());
            }
        }
        out.extend(splitter.finish().map(|event| event.data.to_vec()));
        out
    }

    #[test]
    fn an_event_that_is_too_long_is_given_back() {
        let mut splitter = Splitter::default();
        assert_eq!(splitter.push(Bytes::from_static(b"data: ")), None);
        assert_eq!(splitter.next(), None);
        let given_up = splitter.push(Bytes::from(vec![b'x'; LONGEST_EVENT]));
        assert_eq!(given_up.map(|bytes| bytes.len()), Some(LONGEST_EVENT + 6));
        assert_eq!(splitter.push(Bytes::from_static(b"xx\n\ndata: a\n\n")), None);
        let rest: Vec<Bytes> = std::iter::from_fn(|| splitter.next()).map(|event| event.data).collect();
        assert_eq!(rest, [Bytes::new(), Bytes::from_static(b"a")]);
    }

    #[test]
    fn every_cut_of_the_bytes_gives_the_same_events() {
        let whole: &[u8] =
            b": hi\n\ndata: {\"a\":1}\n\nevent: x\r\ndata: two\r\ndata: lines\r\n\r\ndata:no space\r\rdata: [DONE]\n\n";
        let expected: Vec<Vec<u8>> = [&b""[..], b"{\"a\":1}", b"two\nlines", b"no space", b"[DONE]"]
            .map(<[u8]>::to_vec)
            .to_vec();
        assert_eq!(events_of(&[whole]), expected);
        for i in 0..whole.len() {
            for j in i..whole.len() {
                assert_eq!(
                    events_of(&[&whole[..i], &whole[i..j], &whole[j..]]),
                    expected,
                    "cut at {i} and {j}"
                );
            }
        }
    }

    #[test]
    fn raw_bytes_of_all_events_are_the_stream() {
        let whole = b"data: 1\n\n\n\ndata: 2\r\n\r\ndata: 3";
        let mut splitter = Splitter::default();
        let mut raw = Vec::new();
        for byte in whole {
            splitter.push(Bytes::copy_from_slice(&[*byte]));
            while let Some(event) = splitter.next() {
                raw.extend_from_slice(&event.raw);
            }
        }
        raw.extend(splitter.finish().into_iter().flat_map(|event| event.raw.to_vec()));
        assert_eq!(raw, whole);
    }

    #[test]
    fn a_last_event_without_its_blank_line_counts() {
        assert_eq!(events_of(&[b"data: a\n\ndata: b"]), [b"a".to_vec(), b"b".to_vec()]);
    }

    /// What the syntax is made of, and anything else.
    fn a_piece() -> impl Strategy<Value = Vec<u8>> {
        let syntax = select(vec![
            "data:", "data: ", "event: ", ":", "\n", "\r", "\r\n", "\n\n", "[DONE]", "\u{feff}",
        ]);
        prop_oneof![
            3 => syntax.prop_map(|text| text.as_bytes().to_vec()),
            1 => vec(any::<u8>(), 0..12),
        ]
    }

    proptest! {
        #[test]
        fn any_bytes_give_the_same_events_however_they_are_cut(pieces in vec(a_piece(), 0..40)) {
            let whole = pieces.concat();
            let cut: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(events_of(&cut), events_of(&[&whole]));
            let single: Vec<&[u8]> = whole.chunks(1).collect();
            prop_assert_eq!(events_of(&single), events_of(&[&whole]));
        }
    }
}
