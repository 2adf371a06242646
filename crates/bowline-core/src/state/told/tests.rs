//! What of a file is news.

use super::ToldFiles;
use crate::context::{ContextText, Origin};

fn text(file: &str, text: &str) -> ContextText {
    let origin = Origin::File(file.to_owned());
    ContextText::admit(origin, text.to_owned(), 100, None)
}

#[test]
fn a_file_is_news_once_and_again_when_it_says_something_else() {
    let mut told = ToldFiles::default();
    for (one, is_news, bytes) in [
        (text("a", "one"), true, 3),
        (text("a", "one"), false, 3),
        (text("b", "one"), false, 3),
        (text("a", "other"), true, 8),
        (text("a", "one"), true, 11),
        (text("b", "two"), true, 14),
    ] {
        assert_eq!(told.is_news(&one), is_news, "{one:?}");
        if is_news {
            told.take(&one);
        }
        assert_eq!(told.bytes(), bytes, "{one:?}");
    }
    told.take(&ContextText::notice("of no file"));
    assert_eq!(told.bytes(), 14);
}
