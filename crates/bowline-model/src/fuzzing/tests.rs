//! A small sample of what fuzzing does, the same at every run: recorded streams, changed a little.

use std::path::Path;

use super::check;
use crate::Dialect;

/// A small generator of repeatable numbers (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % most as u64).unwrap()
    }
}

/// Changes a few places: another byte, a piece lost, a piece twice, the end lost.
fn changed(body: &[u8], random: &mut Random) -> Vec<u8> {
    let mut body = body.to_vec();
    for _ in 0..random.below(4) {
        let start = random.below(body.len());
        let end = (start + random.below(40) + 1).min(body.len());
        match random.below(4) {
            0 => body[start] = b"\"{}[]:,\n\r\0\xff0"[random.below(12)],
            1 => drop(body.drain(start..end)),
            2 => {
                let piece = body[start..end].to_vec();
                drop(body.splice(start..start, piece));
            }
            _ => body.truncate(start + 1),
        }
        if body.is_empty() {
            body.push(b'd');
        }
    }
    body
}

#[test]
fn recorded_streams_changed_a_little_are_read_or_refused() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/wire");
    for dialect in Dialect::ALL {
        let folder = root.join(dialect.name());
        let mut seeds = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let body = std::fs::read(entry.unwrap().path()).unwrap();
            seeds += 1;
            for seed in 0..300 {
                let mut random = Random(seed);
                let body = if seed == 0 {
                    body.clone()
                } else {
                    changed(&body, &mut random)
                };
                let pieces: Vec<&[u8]> = body.chunks(random.below(30) + 1).collect();
                check(dialect, &body, &pieces);
            }
        }
        assert!(seeds >= 2, "{} has recordings", dialect.name());
    }
}
