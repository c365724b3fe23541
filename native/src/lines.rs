//! Lines, cut out of a byte stream: how Ollama frames the pieces of an answer.

use bytes::{Bytes, BytesMut};

/// A line without an end above this size is no line of an answer: its bytes are given up, not kept.
const LONGEST_LINE: usize = crate::sse::LONGEST_EVENT;

#[derive(Debug, Default)]
pub(crate) struct Lines {
    held: BytesMut,
    /// Up to where `held` has no end of a line.
    searched: usize,
}

impl Lines {
    /// Takes the next bytes; false where the line they belong to is too long to be kept.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> bool {
        if self.held.len() > LONGEST_LINE {
            self.held.clear();
            self.searched = 0;
            return false;
        }
        self.held.extend_from_slice(bytes);
        true
    }

    /// The next whole line, without its end.
    pub(crate) fn next(&mut self) -> Option<Bytes> {
        let Some(found) = memchr::memchr(b'\n', &self.held[self.searched..]) else {
            self.searched = self.held.len();
            return None;
        };
        let line = self.held.split_to(self.searched + found + 1).freeze();
        self.searched = 0;
        Some(line.slice(..line.len() - 1))
    }

    /// How many bytes of an unfinished line are held back.
    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    /// At the end of the stream: what stands after the last line's end.
    pub(crate) fn finish(&mut self) -> Option<Bytes> {
        self.searched = 0;
        let rest = self.held.split().freeze();
        (!rest.is_empty()).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_gives_the_same_lines() {
        let whole = b"{\"a\":1}\n\n{\"b\":2}\r\n{\"c\":3}";
        for cut in 0..whole.len() {
            let mut lines = Lines::default();
            let mut found = Vec::new();
            for piece in [&whole[..cut], &whole[cut..]] {
                assert!(lines.push(piece));
                while let Some(line) = lines.next() {
                    found.push(line.trim_ascii().to_vec());
                }
            }
            found.extend(lines.finish().map(|line| line.to_vec()));
            assert_eq!(
                found,
                [&b"{\"a\":1}"[..], b"", b"{\"b\":2}", b"{\"c\":3}"].map(<[u8]>::to_vec)
            );
        }
    }
}
