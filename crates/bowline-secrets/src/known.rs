//! Values that are known to be secret, whatever they look like.

use std::ops::Range;

use crate::bytes::find;
use crate::mask::{holds_mask_token, touches_token};

/// Fewest bytes of a known value: shorter ones occur by chance.
const SHORTEST: usize = 8;

/// Exact values to be masked, the longest first; none holds a line end.
#[derive(Clone, Default)]
pub(crate) struct Known(Vec<Vec<u8>>);

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
        lines.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        lines.dedup();
        Self(lines)
    }

    /// How many values are known.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns where values occur, in order; what overlaps is joined. Mask tokens that are in the
    /// text already are left alone.
    pub(crate) fn places(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut places = Vec::new();
        for value in &self.0 {
            let mut at = 0;
            while let Some(start) = find(text, value, at) {
                let place = start..start + value.len();
                at = place.end;
                if !touches_token(text, &place) {
                    places.push(place);
                }
            }
        }
        places.sort_by_key(|place: &Range<usize>| place.start);
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
        self.0.iter().filter_map(longest).max().unwrap_or(0)
    }
}
