//! How fast text is scanned: source code without a secret, and output full of them.

use bowline_secrets::{Masker, StreamMasker, find};
use divan::Bencher;
use divan::counter::BytesCount;

const MEGABYTE: usize = 1 << 20;

const SOURCE: &str = r#"
/// Returns the entries of a folder, sorted, or the error that stopped the walk.
pub fn entries(root: &Path, options: &Options) -> Result<Vec<Entry>, WalkError> {
    let mut found = Vec::with_capacity(options.expected_entries.unwrap_or(64));
    for entry in root.read_dir().map_err(|source| WalkError::Open { path: root.into(), source })? {
        let entry = entry?;
        if options.skip_hidden && entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue; // hidden: `.git`, `.cache`
        }
        found.push(Entry { name: entry.file_name(), depth: options.depth + 1, key: 0x1f_a4 });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(tokens.next(), Some(Token::Ident("password_hint".into())));
    Ok(found)
}
"#;

fn main() {
    divan::main();
}

fn source() -> String {
    SOURCE.repeat(MEGABYTE / SOURCE.len() + 1)
}

#[divan::bench]
fn find_in_source(bencher: Bencher) {
    let text = source();
    assert!(find(&text).is_empty());
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| find(&text));
}

#[divan::bench]
fn stream_source(bencher: Bencher) {
    let text = source();
    bencher.counter(BytesCount::of_str(&text)).bench(|| {
        let mut out = Vec::with_capacity(text.len());
        let mut masker = StreamMasker::new(Masker::default());
        for piece in text.as_bytes().chunks(8192) {
            masker.push(piece, &mut out);
        }
        masker.finish(&mut out);
        out
    });
}

#[divan::bench]
fn find_in_settings(bencher: Bencher) {
    let line = "export SERVICE_API_TOKEN=Zq7Xw9Kd2Rt5Mn8Vb3Jf6Hc1 # and its password: none\n";
    let text = line.repeat(MEGABYTE / line.len());
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| find(&text));
}

#[divan::bench]
fn find_in_base64(bencher: Bencher) {
    let line =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ+/";
    let text = line.repeat(MEGABYTE / line.len());
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| find(&text));
}
