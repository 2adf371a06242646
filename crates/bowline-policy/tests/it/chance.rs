//! Chance that is the same for the same seed.

/// Draws numbers.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Chance {
        Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let drawn = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(drawn).unwrap() % bound
    }

    /// Once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub(crate) fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    /// One character of these.
    pub(crate) fn letter(&mut self, all: &str) -> char {
        let at = self.below(all.chars().count());
        all.chars().nth(at).unwrap()
    }
}

/// How many cases there are to make, and the seed.
pub(crate) fn cases_and_seed() -> (usize, u64) {
    let number = |name: &str| {
        let text = std::env::var(name).ok()?;
        Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
    };
    let cases = number("BOWLINE_SHELL_CASES").unwrap_or(400);
    let seed = number("BOWLINE_SHELL_SEED").unwrap_or(6);
    (usize::try_from(cases).unwrap(), seed)
}
