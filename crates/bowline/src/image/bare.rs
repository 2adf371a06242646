//! An image without the words that travel in it: comments, camera and editor data, what was put
//! behind its end. What shows is kept, byte for byte; how a camera was held is not.

#[cfg(test)]
mod tests;

/// Chunks of a PNG that say how it looks.
const PNG_KEPT: [&[u8; 4]; 13] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD",
    b"acTL", b"fcTL", b"fdAT",
];

/// Chunks of a WebP that say how it looks.
const WEBP_KEPT: [&[u8; 4]; 6] = [b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"];

/// The image without its words; `None` if it is not built as an image of its type is.
pub(super) fn bare(bytes: &[u8], media_type: &str) -> Option<Vec<u8>> {
    match media_type {
        "image/png" => png(bytes),
        "image/jpeg" => jpeg(bytes),
        "image/gif" => gif(bytes),
        "image/webp" => webp(bytes),
        _ => None,
    }
}

fn take<'b>(rest: &mut &'b [u8], count: usize) -> Option<&'b [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

fn number(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | usize::from(*byte))
}

fn png(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes;
    let mut kept = take(&mut rest, 8)?.to_vec();
    loop {
        let whole = rest;
        let length = number(take(&mut rest, 4)?);
        let kind = take(&mut rest, 4)?;
        take(&mut rest, length.checked_add(4)?)?;
        if PNG_KEPT.iter().any(|known| known.as_slice() == kind) {
            kept.extend_from_slice(&whole[..12 + length]);
        }
        if kind == b"IEND" {
            return Some(kept);
        }
    }
}

fn jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes;
    let mut kept = take(&mut rest, 2)?.to_vec();
    loop {
        if take(&mut rest, 1)? != [0xff] {
            return None;
        }
        let marker = take(&mut rest, 1)?[0];
        match marker {
            // Fill bytes may stand before a marker.
            0xff => {
                rest = &bytes[bytes.len() - rest.len() - 1..];
                continue;
            }
            0xd9 => {
                kept.extend_from_slice(&[0xff, marker]);
                return Some(kept);
            }
            0x01 | 0xd0..=0xd7 => {
                kept.extend_from_slice(&[0xff, marker]);
                continue;
            }
            _ => {}
        }
        let whole = rest;
        let length = number(take(&mut rest, 2)?);
        take(&mut rest, length.checked_sub(2)?)?;
        // How pixels and colours are coded: APP0 and APP14; all other APPs and comments are words.
        let is_words = matches!(marker, 0xe1..=0xed | 0xef | 0xfe);
        if !is_words {
            // Behind the fixed part APP0 may hold a small picture of its own.
            let told = if marker == 0xe0 {
                length.min(16)
            } else {
                length
            };
            kept.extend_from_slice(&[0xff, marker]);
            if told == length {
                kept.extend_from_slice(&whole[..length]);
            } else {
                let fixed = whole.get(2..14)?;
                kept.extend_from_slice(&[0, 16]);
                kept.extend_from_slice(fixed);
                kept.extend_from_slice(&[0, 0]);
            }
        }
        if marker == 0xda {
            let end = scan_end(rest)?;
            kept.extend_from_slice(take(&mut rest, end)?);
        }
    }
}

/// Where the coded pixels that a text begins with end: at a marker that is not one of theirs.
fn scan_end(bytes: &[u8]) -> Option<usize> {
    let is_end = |two: &[u8]| two[0] == 0xff && !matches!(two[1], 0 | 0xd0..=0xd7);
    bytes.windows(2).position(is_end)
}

fn gif(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes;
    let colours = |flags: u8| match flags & 0x80 {
        0 => 0,
        _ => 3 << ((flags & 7) + 1),
    };
    let head = take(&mut rest, 13)?;
    let mut kept = head.to_vec();
    kept.extend_from_slice(take(&mut rest, colours(head[10]))?);
    loop {
        let whole = rest;
        match take(&mut rest, 1)?[0] {
            0x3b => {
                kept.push(0x3b);
                return Some(kept);
            }
            0x2c => {
                let flags = take(&mut rest, 9)?[8];
                take(&mut rest, colours(flags) + 1)?;
                blocks(&mut rest)?;
                kept.extend_from_slice(&whole[..whole.len() - rest.len()]);
            }
            0x21 => {
                let label = take(&mut rest, 1)?[0];
                let is_loop = label == 0xff && rest.get(1..12) == Some(b"NETSCAPE2.0");
                blocks(&mut rest)?;
                if label == 0xf9 || is_loop {
                    kept.extend_from_slice(&whole[..whole.len() - rest.len()]);
                }
            }
            _ => return None,
        }
    }
}

/// Passes over the blocks of a part, to the empty one that ends it.
fn blocks(rest: &mut &[u8]) -> Option<()> {
    loop {
        let length = usize::from(take(rest, 1)?[0]);
        if length == 0 {
            return Some(());
        }
        take(rest, length)?;
    }
}

fn webp(bytes: &[u8]) -> Option<Vec<u8>> {
    /// Marks of a `VP8X` chunk for chunks that are left out: colours, camera, editor.
    const LEFT_OUT: u8 = 0x20 | 0x08 | 0x04;
    let little = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0, |all, byte| all << 8 | usize::from(*byte))
    };
    let mut rest = bytes;
    take(&mut rest, 4)?;
    let size = little(take(&mut rest, 4)?);
    let mut rest = take(&mut rest, size)?;
    let mut kept = take(&mut rest, 4)?.to_vec();
    while !rest.is_empty() {
        let whole = rest;
        let kind = take(&mut rest, 4)?;
        let length = little(take(&mut rest, 4)?);
        // Chunks begin at even places; the last one may lack the byte between.
        take(&mut rest, length)?;
        let _between = take(&mut rest, length % 2);
        if WEBP_KEPT.iter().any(|known| known.as_slice() == kind) {
            let start = kept.len();
            kept.extend_from_slice(&whole[..whole.len() - rest.len()]);
            if kind == b"VP8X" {
                *kept.get_mut(start + 8)? &= !LEFT_OUT;
            }
        }
    }
    let size = u32::try_from(kept.len()).ok()?;
    Some([b"RIFF".as_slice(), &size.to_le_bytes(), &kept].concat())
}
