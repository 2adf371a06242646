//! Values that are known to be secret, whatever they look like.

mod forms;

use std::ops::Range;
use std::sync::Arc;

use crate::token::{holds_mask_token, touches_token};

/// Fewest bytes of a known value: shorter ones occur by chance.
const SHORTEST: usize = 8;

/// Exact values to be masked, with what they are encoded as; none holds a line end.
#[derive(Clone, Default)]
pub(crate) struct Known {
    values: Vec<Vec<u8>>,
    /// What is looked for: values and their forms, the longest first.
    sought: Arc<Sought>,
}

/// Texts that are looked for all at once.
#[derive(Default)]
struct Sought {
    texts: Vec<Vec<u8>>,
    /// One bit for each pair of bytes that a text begins with.
    begins: Vec<u64>,
}

impl Known {
    /// Takes the values apart into lines, since text is masked by lines; of a value of several
    /// lines only those count that would not occur elsewhere.
    pub(crate) fn new(values: &[String]) -> Self {
        let mut lines: Vec<Vec<u8>> = Vec::new();
        for value in values {
            let several = value.trim_end().contains('\n');
            let common = |line: &str| several && (line.contains(' ') || line.len() < 2 * SHORTEST);
            let telling =
                |line: &&str| line.len() >= SHORTEST && !holds_mask_token(line) && !common(line);
            lines.extend(
                value
                    .lines()
                    .map(str::trim)
                    .filter(telling)
                    .map(|line| line.as_bytes().to_vec()),
            );
        }
        Self::of(lines)
    }

    /// Takes values that are lines already.
    pub(crate) fn of(mut values: Vec<Vec<u8>>) -> Self {
        values.retain(|value| value.len() >= SHORTEST);
        values.sort();
        values.dedup();
        let forms = values.iter().flat_map(|value| forms::of(value));
        let mut texts: Vec<Vec<u8>> = values.iter().cloned().chain(forms).collect();
        texts.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        texts.dedup();
        let sought = Arc::new(Sought::new(texts));
        Self { values, sought }
    }

    /// The values themselves.
    pub(crate) fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.values.iter().map(Vec::as_slice)
    }

    /// How many values are known.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether none is.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns where values occur, in order; what overlaps is joined. Mask tokens that are in the
    /// text already are left alone.
    pub(crate) fn places(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut places = self.sought.places(text);
        places.retain(|place| !touches_token(text, place));
        places.dedup_by(|later, earlier| {
            let overlap = later.start < earlier.end;
            if overlap {
                earlier.end = earlier.end.max(later.end);
            }
            overlap
        });
        places
    }

    /// Returns how many bytes at the end of the text could begin a value.
    pub(crate) fn begun(&self, text: &[u8]) -> usize {
        let longest = |value: &Vec<u8>| {
            let most = text.len().min(value.len() - 1);
            (1..=most)
                .rev()
                .find(|length| text.ends_with(&value[..*length]))
        };
        self.sought
            .texts
            .iter()
            .filter_map(longest)
            .max()
            .unwrap_or(0)
    }
}

impl Sought {
    const PAIRS: usize = 1 << 16;

    fn new(texts: Vec<Vec<u8>>) -> Self {
        let mut begins = vec![0; Self::PAIRS / 64];
        for text in &texts {
            let pair = Self::pair(text[0], text[1]);
            begins[pair / 64] |= 1 << (pair % 64);
        }
        Self { texts, begins }
    }

    fn pair(one: u8, two: u8) -> usize {
        usize::from(one) << 8 | usize::from(two)
    }

    /// Where the texts occur, by their beginnings; the longest one that begins at a place.
    fn places(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut places = Vec::new();
        if self.texts.is_empty() {
            return places;
        }
        for (at, two) in text.windows(2).enumerate() {
            let pair = Self::pair(two[0], two[1]);
            if self.begins[pair / 64] & 1 << (pair % 64) == 0 {
                continue;
            }
            let here = &text[at..];
            if let Some(found) = self.texts.iter().find(|sought| here.starts_with(sought)) {
                places.push(at..at + found.len());
            }
        }
        places
    }
}

#[cfg(test)]
mod tests;
