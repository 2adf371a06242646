//! Pages of the web: read, bounded, without a character that nobody sees.

use bowline_tools::page::{self, Content, Shape};
use url::Url;

/// Last byte: which type, and whether the source is wanted. What is before it: the body.
pub(crate) fn read(data: &[u8]) {
    const TYPES: [Option<&str>; 5] = [
        None,
        Some("text/html"),
        Some("text/html; charset=shift_jis"),
        Some("application/json"),
        Some("text/plain"),
    ];
    let Some((which, body)) = data.split_last() else {
        return;
    };
    let content_type = TYPES[usize::from(which >> 1) % TYPES.len()];
    let shape = if which & 1 == 1 {
        Shape::Source
    } else {
        Shape::Text
    };
    let base = Url::parse("https://docs.rs/a/b").expect("an address");
    let page = page::read(body, content_type, &base, shape);
    let most = 16 * body.len() + (16 << 10);
    assert!(
        page.text.len() <= most,
        "{} bytes of {}",
        page.text.len(),
        body.len()
    );
    assert!(page.title.chars().count() <= 200);
    assert!(page.content != Content::Binary || page.text.is_empty());
    let is_unseen = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t');
    assert!(!page.text.contains(is_unseen), "{:?}", page.text);
    assert!(
        !page
            .text
            .contains(['\u{200b}', '\u{202e}', '\u{e0041}', '\u{feff}'])
    );
}
