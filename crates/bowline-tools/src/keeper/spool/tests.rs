//! Tests of the bounded spool.

use super::*;

/// Pushes `count` numbered bytes in chunks of `chunk` and returns them with what is read back.
fn spooled(head: u64, tail: u64, count: usize, chunk: usize) -> (Vec<u8>, Spooled, u64) {
    let dir = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = (0..count).map(|n| (n % 251) as u8).collect();
    let mut spool = Spool::new(dir.path(), head, tail);
    for piece in bytes.chunks(chunk) {
        spool.push(piece);
    }
    assert_eq!(spool.lost(), None);
    let on_disk = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    (bytes, read(dir.path()), on_disk)
}

#[test]
fn keeps_the_first_and_the_last_bytes() {
    for (head, tail, count, chunk) in [
        (10, 4096, 0, 1),
        (10, 4096, 9, 4),
        (10, 4096, 10, 4),
        (10, 4096, 11, 11),
        (10, 4096, 10 + 4096, 100),
        (10, 4096, 10 + 8192, 100),
        (10, 4096, 10 + 8193, 100),
        (0, 4096, 50_000, 7),
        (5_000, 5_000, 1_000_000, 65_536),
        (1_000_000, 4096, 1_000_000, 65_536),
    ] {
        let (bytes, spooled, on_disk) = spooled(head, tail, count, chunk);
        let case = format!("head {head} tail {tail} count {count} chunk {chunk}");
        assert_eq!(spooled.total_bytes, count as u64, "{case}");
        assert_eq!(spooled.head, bytes[..count.min(head as usize)], "{case}");
        assert_eq!(spooled.tail, bytes[count - spooled.tail.len()..], "{case}");
        let kept = (spooled.head.len() + spooled.tail.len()) as u64;
        assert_eq!(spooled.dropped_bytes + kept, count as u64, "{case}");
        assert!(
            kept >= (head + tail).min(count as u64),
            "{case}: only {kept} kept"
        );
        assert!(
            on_disk <= head + 2 * tail,
            "{case}: {on_disk} bytes on disk"
        );
    }
}

#[test]
fn reads_whole_pieces_while_the_writer_rotates() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::new(dir.path(), 1_000, 8_000);
    let writer = std::thread::spawn(move || {
        let mut next: u64 = 0;
        while next < 2_000_000 {
            let piece: Vec<u8> = (next..next + 997).map(|n| (n % 251) as u8).collect();
            spool.push(&piece);
            next += 997;
        }
    });
    let mut seen_tails = 0;
    while !writer.is_finished() {
        let spooled = read(dir.path());
        let start = spooled.total_bytes - spooled.tail.len() as u64;
        for (index, byte) in spooled.tail.iter().enumerate() {
            assert_eq!(u64::from(*byte), (start + index as u64) % 251);
        }
        seen_tails += usize::from(!spooled.tail.is_empty());
    }
    writer.join().unwrap();
    assert!(seen_tails > 0);
}

#[test]
fn a_full_or_missing_disk_loses_output_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::new(&dir.path().join("gone"), 10, 10);
    spool.push(b"one\ntwo\n");
    spool.push(b"three\n");
    assert_eq!((spool.total(), spool.lines()), (14, 3));
    assert!(spool.lost().unwrap().contains("failed at byte 0"));
}

#[test]
fn foreign_files_are_an_empty_output() {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        "out.tail.x",
        "out.tail.-1",
        "out.tail.99999999999999999999999",
    ] {
        std::fs::write(dir.path().join(name), "x").unwrap();
    }
    std::fs::create_dir(dir.path().join("out.tail.7")).unwrap();
    assert_eq!(read(dir.path()), Spooled::default());
    assert_eq!(read(&dir.path().join("gone")), Spooled::default());
}
