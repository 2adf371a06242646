//! The most tokens that a piece can be cut into.

use super::pieces::may_split;
use super::tables::{is_beginning, is_ending, is_pair, is_quad, is_triple, run_known};

/// Taken off a number of tokens that cannot be: more than any text has.
const NEVER: i64 = 1 << 40;

/// The most tokens that the bytes up to some place can be cut into, by how long the last one is.
#[derive(Clone, Copy)]
struct Ends {
    one: i64,
    two: i64,
    /// Three bytes and more.
    long: i64,
}

impl Ends {
    const NONE: Self = Self {
        one: -NEVER,
        two: -NEVER,
        long: -NEVER,
    };

    fn most(self) -> i64 {
        self.one.max(self.two).max(self.long)
    }
}

/// Tokens of one piece at most.
pub(super) fn most_of_piece(piece: &[u8]) -> u64 {
    most(piece, |_| false)
}

/// Tokens at most of a text beyond ASCII, in which it is open where pieces end.
pub(super) fn most_of_mixed(text: &[u8]) -> u64 {
    most(text, |at| may_split(text, at))
}

/// The most parts in which no two neighbours make up a token that is known. Where `may_split`, they
/// may, for they may belong to two pieces.
#[inline]
fn most(text: &[u8], may_split: impl Fn(usize) -> bool) -> u64 {
    let never_if = |is: bool| if is { NEVER } else { 0 };
    // How the bytes before the last one, before the last two, and before the last three end.
    let mut back = [Ends::NONE; 3];
    // Before the first byte there is nothing that could be merged with it.
    back[0].two = 0;
    // The most parts with one of three bytes and more that may go on.
    let mut open = -NEVER;
    let (mut earliest, mut earlier, mut before) = (0, 0, 0);
    let mut split_before = true;
    for (at, &last) in text.iter().enumerate() {
        let pair = is_pair(before, last);
        let triple = is_triple(earlier, before, last);
        let quad = is_quad([earliest, earlier, before, last]);
        let [one_back, two_back, three_back] = back;
        let split = may_split(at);
        let one = one_back
            .long
            .max(one_back.one - never_if(pair & !split))
            .max(one_back.two - never_if(triple & !split));
        let two = two_back
            .long
            .max(two_back.two - never_if(quad & !split_before))
            .max(two_back.one - never_if(triple & !split_before));
        let begun = three_back.most() + 1 - never_if(!is_beginning(earlier, before));
        open = open.max(begun);
        let ends = Ends {
            one: one + 1,
            two: two + 1 - never_if(!pair),
            long: open - never_if(!is_ending(before, last)),
        };
        back = [ends, one_back, two_back];
        (earliest, earlier, before) = (earlier, before, last);
        split_before = split;
    }
    u64::try_from(back[0].most()).unwrap_or(text.len() as u64)
}

/// Tokens of one piece at most, seen as runs of equal bytes: of two neighbours within a run, both
/// together are longer than the runs that are tokens up to their length, and each end of a run is
/// within one token at most.
pub(super) fn most_of_runs(piece: &[u8]) -> u64 {
    let runs = piece.chunk_by(|one, other| one == other);
    let most: usize = runs
        .map(|run| 2 * (run.len() / (run_known(run[0]) + 1)) + 2)
        .sum();
    (most as u64).saturating_sub(1)
}
