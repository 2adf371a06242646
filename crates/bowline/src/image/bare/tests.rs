//! Tests of `bare`. The images are put together here: a few bytes stand for their pixels.

use super::bare;

const SECRET: &[u8] = b"canary-of-an-image-0123456789";

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length, kind.as_slice(), data, &[1, 2, 3, 4]].concat()
}

fn segment(marker: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
    [&[0xff, marker], length.as_slice(), data].concat()
}

fn little(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap().to_le_bytes();
    let between: &[u8] = if data.len() % 2 == 1 { &[0] } else { &[] };
    [kind.as_slice(), &length, data, between].concat()
}

/// Holds an image with words against the same one without.
fn check(media_type: &str, worded: &[u8], expect: &[u8]) {
    assert!(worded.windows(SECRET.len()).any(|part| part == SECRET));
    assert_eq!(
        bare(worded, media_type).as_deref(),
        Some(expect),
        "{media_type}"
    );
    assert_eq!(
        bare(expect, media_type).as_deref(),
        Some(expect),
        "{media_type}"
    );
    for end in 1..expect.len() {
        let cut = bare(&expect[..end], media_type);
        assert!(
            cut.is_none_or(|cut| cut.len() <= end),
            "{media_type} cut at {end}"
        );
    }
}

#[test]
fn a_png_keeps_what_shows() {
    let sign = b"\x89PNG\r\n\x1a\n".to_vec();
    let (head, pixels, end) = (
        chunk(b"IHDR", &[0; 13]),
        chunk(b"IDAT", &[7; 9]),
        chunk(b"IEND", &[]),
    );
    let words: Vec<Vec<u8>> = [b"tEXt", b"iTXt", b"zTXt", b"eXIf", b"iCCP", b"prVt"]
        .map(|kind| chunk(kind, SECRET))
        .to_vec();
    check(
        "image/png",
        &[
            sign.clone(),
            head.clone(),
            words.concat(),
            pixels.clone(),
            words.concat(),
            end.clone(),
            SECRET.to_vec(),
        ]
        .concat(),
        &[sign, head, pixels, end].concat(),
    );
}

#[test]
fn a_jpeg_keeps_what_shows() {
    let start = vec![0xff, 0xd8];
    let fixed = segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    let tables = [
        segment(0xdb, &[3; 65]),
        segment(0xc2, &[4; 9]),
        segment(0xee, b"Adobe\0\0\0\0\0\0\0"),
    ]
    .concat();
    let scan = [segment(0xda, &[5; 6]), vec![1, 0xff, 0, 2, 0xff, 0xd0, 3]].concat();
    let end = vec![0xff, 0xd9];
    let worded = [
        segment(0xfe, SECRET),
        segment(0xe1, SECRET),
        segment(0xed, SECRET),
        segment(0xe2, SECRET),
    ]
    .concat();
    check(
        "image/jpeg",
        &[
            start.clone(),
            fixed.clone(),
            worded.clone(),
            tables.clone(),
            scan.clone(),
            worded,
            scan.clone(),
            end.clone(),
            SECRET.to_vec(),
        ]
        .concat(),
        &[start, fixed, tables, scan.clone(), scan, end].concat(),
    );
}

#[test]
fn a_gif_keeps_what_shows() {
    let head = [b"GIF89a".as_slice(), &[1, 0, 1, 0, 0x80, 0, 0], &[9; 6]].concat();
    let length = u8::try_from(SECRET.len()).unwrap();
    let comment = [&[0x21, 0xfe, length], SECRET, &[0]].concat();
    let editor = [
        &[0x21, 0xff, 11],
        b"XMP DataXMP".as_slice(),
        &[length],
        SECRET,
        &[0],
    ]
    .concat();
    let looped = [
        &[0x21, 0xff, 11],
        b"NETSCAPE2.0".as_slice(),
        &[3, 1, 0, 0, 0],
    ]
    .concat();
    let picture = [vec![0x2c], vec![0; 9], vec![2, 2, 0x44, 1, 0]].concat();
    check(
        "image/gif",
        &[
            head.clone(),
            comment,
            looped.clone(),
            editor,
            picture.clone(),
            vec![0x3b],
            SECRET.to_vec(),
        ]
        .concat(),
        &[head, looped, picture, vec![0x3b]].concat(),
    );
}

#[test]
fn a_webp_keeps_what_shows() {
    let riff = |chunks: Vec<u8>| {
        let size = u32::try_from(chunks.len() + 4).unwrap().to_le_bytes();
        [b"RIFF".as_slice(), &size, b"WEBP", &chunks].concat()
    };
    let pixels = little(b"VP8L", &[6; 7]);
    let wide = |flags: u8| little(b"VP8X", &[flags, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let words = [
        little(b"EXIF", SECRET),
        little(b"XMP ", SECRET),
        little(b"ICCP", SECRET),
    ]
    .concat();
    check(
        "image/webp",
        &riff([wide(0x3c), words, pixels.clone()].concat()),
        &riff([wide(0x10), pixels].concat()),
    );
}

#[test]
fn what_is_no_image_is_told() {
    for media_type in [
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "text/plain",
    ] {
        assert_eq!(bare(SECRET, media_type), None);
        assert_eq!(bare(b"", media_type), None);
    }
}
