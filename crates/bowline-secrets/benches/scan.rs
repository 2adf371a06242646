//! How fast text is scanned: source code, logs, minified text, text full of secrets.

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

const LOG: &str = "\
2026-03-01T10:00:00.123456Z  INFO request{method=GET path=/v1/items/38c67e76-079f-464c-aaa6-711728a1e70c}: served status=200 took=12.4ms
2026-03-01T10:00:00.130001Z DEBUG pool: connection 17 returned, 12 idle, oldest 00:03:12
10.0.3.7 - - [01/Mar/2026:10:00:00 +0000] \"GET /assets/index-Bq3xZ.css HTTP/1.1\" 304 0 \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"
2026-03-01T10:00:01.004200Z  WARN retry attempt=2 error=\"connection reset by peer\" trace_id=0a9337a343d387fea83575a836e96519
";

const MINIFIED: &str = "!function(e,t){\"object\"==typeof exports?module.exports=t():e.x=t()}(this,\
function(){var e={},t=function(n){if(e[n])return e[n].exports;var r=e[n]={i:n,l:!1,exports:{}};return \
a[n].call(r.exports,r,r.exports,t),r.l=!0,r.exports};t.m=a,t.c=e,t.d=function(e,n,r){t.o(e,n)||Object.\
defineProperty(e,n,{enumerable:!0,get:r})},t.p=\"/\",t(t.s=41)}([function(e,t){e.exports=n(\"q7Fa\")},";

const SETTINGS: &str =
    "export SERVICE_API_TOKEN=Zq7Xw9Kd2Rt5Mn8Vb3Jf6Hc1 # and its password: none\n";

const BASE64: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ+/";

fn main() {
    divan::main();
}

#[divan::bench(args = ["source", "log", "minified", "settings", "base64"])]
fn found(bencher: Bencher, kind: &str) {
    let piece = match kind {
        "source" => SOURCE,
        "log" => LOG,
        "minified" => MINIFIED,
        "settings" => SETTINGS,
        _ => BASE64,
    };
    let text = piece.repeat(MEGABYTE / piece.len());
    assert_eq!(find(&text).is_empty(), kind != "settings");
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| find(&text));
}

#[divan::bench]
fn streamed_source(bencher: Bencher) {
    let text = SOURCE.repeat(MEGABYTE / SOURCE.len());
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
