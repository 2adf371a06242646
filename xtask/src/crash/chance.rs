//! Numbers that look random and follow from a seed.

/// A sequence of such numbers.
pub(super) struct Chance(u64);

impl Chance {
    /// The sequence of `seed`, apart from those of its neighbours.
    pub(super) fn new(seed: u64, number: u64) -> Self {
        let mut chance = Self(seed);
        let start = chance.next() ^ number.wrapping_mul(0x2545_f491_4f6c_dd1d);
        Self(start)
    }

    /// The next number.
    pub(super) fn next(&mut self) -> u64 {
        // Weyl steps, mixed until every bit depends on every other.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    /// True in about `parts` of `of` cases.
    pub(super) fn is(&mut self, parts: usize, of: usize) -> bool {
        self.below(of) < parts
    }
}
