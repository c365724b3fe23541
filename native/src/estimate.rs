//! Token estimates, for streams whose provider reported nothing.

/// Tokens that a text of this kind usually makes: about four characters of ASCII each, and a token or so for every
/// character of a script that tokenizers hold in few merges (OpenAI's rule of thumb for English; measured ratios of
/// o200k_base for CJK lie between 0.7 and 1.1 tokens a character).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TextSize {
    ascii: u64,
    other: u64,
}

impl TextSize {
    pub(crate) fn add(&mut self, text: &str) {
        let other = if text.is_ascii() {
            0
        } else {
            text.chars().filter(|c| !c.is_ascii()).count() as u64
        };
        let wide: u64 = if other == 0 {
            0
        } else {
            text.chars()
                .filter(|c| !c.is_ascii())
                .map(|c| c.len_utf8() as u64)
                .sum()
        };
        self.ascii += text.len() as u64 - wide;
        self.other += other;
    }

    /// About how many bytes the text takes.
    pub(crate) fn bytes(self) -> usize {
        usize::try_from(self.ascii + 3 * self.other).unwrap_or(usize::MAX)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.ascii == 0 && self.other == 0
    }

    pub(crate) fn tokens(self) -> u64 {
        self.ascii.div_ceil(4) + self.other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_counts_by_four_and_other_scripts_by_character() {
        let mut size = TextSize::default();
        size.add("twelve chars");
        assert_eq!(size.tokens(), 3);
        size.add("東京");
        assert_eq!(size.tokens(), 5);
    }
}
