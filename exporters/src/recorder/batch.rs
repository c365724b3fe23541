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
        if self.text.is_empty() {
            self.text.push(b'\n');
        }
        write_line(record, process, &mut self.text);
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
