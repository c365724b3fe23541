//! Lines on their way to the spool, as one write takes them.

use std::collections::VecDeque;

use crate::line::{Process, write_line};
use crate::record::CallRecord;

/// No line is added to a batch above this.
const ENOUGH: usize = 256 << 10;

/// A newline, then whole lines. The newline in front ends whatever another process left unfinished.
#[derive(Debug, Default)]
pub(super) struct Batch {
    text: Vec<u8>,
    lines: VecDeque<Line>,
}

#[derive(Debug)]
struct Line {
    /// Where its newline stands in `text`.
    end: usize,
    /// What the record counts for in the queue's bound.
    bytes: usize,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn has_room(&self) -> bool {
        self.text.len() < ENOUGH
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn add(&mut self, record: &CallRecord, bytes: usize, process: &Process) {
        self.add_line(bytes, |text| write_line(record, process, text));
    }

    fn add_line(&mut self, bytes: usize, write: impl FnOnce(&mut Vec<u8>)) {
        if self.text.is_empty() {
            self.text.push(b'\n');
        }
        write(&mut self.text);
        self.lines.push_back(Line {
            end: self.text.len() - 1,
            bytes,
        });
    }

    /// Takes off what the first `written` bytes complete: how many records, and what they counted for. A line that lacks
    /// only its newline is complete, since the next batch begins with one; one that lacks more is sent again whole.
    pub(super) fn settle(&mut self, written: usize) -> (u64, usize) {
        let (mut records, mut bytes, mut end) = (0, 0, 0);
        while let Some(line) = self.lines.front().filter(|line| line.end <= written) {
            records += 1;
            bytes += line.bytes;
            end = line.end;
            self.lines.pop_front();
        }
        // Up to the last complete line's newline, which then is the one that stands in front.
        self.text.drain(..end);
        for line in &mut self.lines {
            line.end -= end;
        }
        if self.lines.is_empty() {
            self.text.clear();
            self.text.shrink_to(2 * ENOUGH);
        }
        (records, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(lines: std::ops::Range<u32>) -> Batch {
        let mut batch = Batch::default();
        for line in lines {
            batch.add_line(1, |text| {
                text.extend_from_slice(format!("{{\"line\":{line}}}\n").as_bytes())
            });
        }
        batch
    }

    /// The disk takes so many bytes and no more, wherever that cuts: with what is sent again every line is there once.
    #[test]
    fn a_batch_that_was_cut_anywhere_is_finished_by_the_next() {
        let whole = batch(8..12).text().to_vec();
        for first in 0..=whole.len() {
            for second in [0, 1, 2, 7, 12, usize::MAX] {
                let mut batch = batch(8..12);
                let (mut disk, mut records, mut bytes) = (Vec::new(), 0, 0);
                for room in [first, second, usize::MAX] {
                    let taken = room.min(batch.text().len());
                    disk.extend_from_slice(&batch.text()[..taken]);
                    let settled = batch.settle(taken);
                    records += settled.0;
                    bytes += settled.1;
                }
                assert!(batch.is_empty() && batch.text().is_empty());
                assert_eq!((records, bytes), (4, 4));
                let disk = String::from_utf8(disk).unwrap();
                let sound: Vec<&str> = disk.lines().filter(|line| line.ends_with('}')).collect();
                assert_eq!(
                    sound,
                    ["{\"line\":8}", "{\"line\":9}", "{\"line\":10}", "{\"line\":11}"],
                    "{first} {second}"
                );
            }
        }
    }

    #[test]
    fn a_batch_is_a_newline_and_whole_lines() {
        assert_eq!(batch(1..3).text(), b"\n{\"line\":1}\n{\"line\":2}\n");
    }
}
