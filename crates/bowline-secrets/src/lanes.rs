//! Looks at 64 bytes at a time: which of them belong to words, where a line ends. Written so that
//! the compiler makes vector instructions of it.

/// How many bytes are looked at as one.
const LANES: usize = 64;

/// Up to 64 bytes of a text, zeros after them.
type Lanes = [u8; LANES];

#[inline]
fn lanes(bytes: &[u8]) -> Lanes {
    if let Some(whole) = bytes.first_chunk::<LANES>() {
        return *whole;
    }
    let mut lanes = [0; LANES];
    lanes[..bytes.len()].copy_from_slice(bytes);
    lanes
}

/// Returns one bit for each byte that is `of` a kind.
#[inline]
fn mask(mut lanes: Lanes, of: impl Fn(u8) -> bool) -> u64 {
    // Gathers the lowest bits of eight bytes in the highest byte of the product.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    for lane in &mut lanes {
        *lane = u8::from(of(*lane));
    }
    let (eights, _) = lanes.as_chunks::<8>();
    let gathered = eights
        .iter()
        .map(|eight| u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56);
    (0..)
        .zip(gathered)
        .fold(0, |mask, (at, bits)| mask | bits << (8 * at))
}

/// Whether an identifier may hold this character, without a table.
#[inline]
fn of_word(byte: u8) -> bool {
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    letter | (byte.wrapping_sub(b'0') < 10) | (byte == b'_')
}

/// The runs of identifier characters of a text, in order.
#[derive(Debug)]
pub(crate) struct Words<'a> {
    text: &'a [u8],
    /// Where the bytes begin that `bits` tells of; past the text if it tells of none.
    base: usize,
    bits: u64,
    /// What the bytes hold that were looked at.
    pub(crate) signs: Signs,
}

/// Bytes that matter beside words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Signs {
    /// The beginning of a sequence for a terminal.
    pub(crate) terminal: bool,
    /// What could begin an escape.
    pub(crate) escape: bool,
}

impl Signs {
    #[inline]
    fn add(&mut self, lanes: &Lanes) {
        let (terminal, escape) = lanes.iter().fold((0, 0), |(terminal, escape), &byte| {
            let escapes = (byte == b'%') | (byte == b'\\') | (byte == b'&');
            (
                terminal | u8::from(byte == 0x1b),
                escape | u8::from(escapes),
            )
        });
        self.terminal |= terminal != 0;
        self.escape |= escape != 0;
    }
}

impl<'a> Words<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        let base = usize::MAX;
        Self {
            text,
            base,
            bits: 0,
            signs: Signs::default(),
        }
    }

    /// Returns the first run that begins at `from` or after, or what is left of one that `from`
    /// lies in; no more than `longest` bytes of it.
    #[inline]
    pub(crate) fn next(&mut self, from: usize, longest: usize) -> Option<(usize, usize)> {
        let mut at = from;
        let start = loop {
            if at >= self.text.len() {
                return None;
            }
            let bits = self.bits_from(at);
            if bits != 0 {
                break at + bits.trailing_zeros() as usize;
            }
            at = self.base + LANES;
        };
        let mut end = start;
        while end < self.text.len() && end - start < longest {
            let bits = self.bits_from(end);
            end += (!bits).trailing_zeros() as usize;
            if end < self.base + LANES {
                break;
            }
        }
        Some((start, end.min(start + longest).min(self.text.len())))
    }

    /// The bits from `at` on, of as many bytes as are looked at together with it.
    #[inline]
    fn bits_from(&mut self, at: usize) -> u64 {
        let base = at - at % LANES;
        if base != self.base {
            self.base = base;
            let lanes = lanes(&self.text[base..]);
            self.signs.add(&lanes);
            self.bits = mask(lanes, of_word);
        }
        self.bits >> (at % LANES)
    }
}

/// Returns the end of the line that begins at `from`, its line end included.
pub(crate) fn line_end(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < text.len() {
        let bits = mask(lanes(&text[at..]), |byte| byte == b'\n');
        if bits != 0 {
            return at + bits.trailing_zeros() as usize + 1;
        }
        at += LANES;
    }
    text.len()
}

#[cfg(test)]
mod tests;
