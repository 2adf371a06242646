//! What becomes of pages.

use super::*;

fn base() -> Url {
    Url::parse("https://docs.rs/a/b").unwrap()
}

fn html(text: &str) -> Page {
    read(text.as_bytes(), Some("text/html"), &base(), Shape::Text)
}

fn check(text: &str, expect: &str) {
    assert_eq!(html(text).text, expect, "{text}");
}

#[test]
fn pages_become_text() {
    check(
        "<h1>A</h1><p>one\n two<p>three<br>four",
        "# A\n\none two\n\nthree\nfour",
    );
    check("a<b>b</b> <i>c</i>d", "ab cd");
    check(
        "x&amp;y &lt;b&gt; &#65;&#x42; &copy &nosuch; &#150;",
        "x&y <b> AB © &nosuch; –",
    );
    check("10<sup>6</sup> H<sub>2</sub>O", "10^6 H_2O");
    check(
        "<code>a  b</code> and <pre>x\n  y\n</pre>z",
        "`a b` and\n\n```\nx\n  y\n```\n\nz",
    );
    check(
        "<pre><code>fn <b>a</b>() {\n\n}</code></pre>",
        "```\nfn a() {\n\n}\n```",
    );
    check("a<hr>b", "a\n\n---\n\nb");
    check("<img alt='a cat' src=x> <img alt=''>", "[image: a cat]");
    check("<blockquote><p>a<p>b</blockquote>c", "> a\n\n> b\n\nc");
    check("<dl><dt>a<dd>b<dt>c<dd>d</dl>", "a\nb\nc\nd");
    check(
        "<input type=checkbox checked>a <input type=checkbox>b",
        "[x] a [ ] b",
    );
    check("<html><head><title>t</title><body>x", "x");
    check(
        "a<!-- b -->c<!-->d<!--->e<!---->f<!-- g --!>h<!-- -> i --->j",
        "acdefhj",
    );
    check("a<?php b ?>c<![CDATA[d]]>e</3>f", "acef");
    check("1 < 2 <3 <a", "1 < 2 <3");
    check("<p title='>'>a</p>", "a");
    check(
        "<script>if (a</b/) '<p>'</script>x<SCRIPT>y</ScRiPt >z",
        "xz",
    );
    check("<svg/>a<svg><title>b</title><text>c</text></svg>d", "ad");
    check("", "");
}

#[test]
fn lists_are_set_in() {
    check(
        "<ul><li>a<li>b<ol start=3><li>c<li>d</ol><li>e</ul>f",
        "- a\n- b\n  3. c\n  4. d\n- e\n\nf",
    );
    check(
        "<ul><li><p>a</p><p>b</p></li><li><p>c</p></li></ul>",
        "- a\n\n  b\n\n- c",
    );
    check("<ul><li><ul><li>a</ul></ul>", "- - a");
}

#[test]
fn tables_stand_in_lines() {
    check(
        "<table><tr><th>a<th>b<tr><td>1<td><p>2</p><p>3</p><tr><td><td>4</table>x",
        "| a | b |\n|---|---|\n| 1 | 2 3 |\n| | 4 |\n\nx",
    );
    check(
        "<table><tr><td>a<td>b</tr><tr><td>c<td><p>d<p>e</table>",
        "a | b\nc | d\n\ne",
    );
    check(
        "<table><tr><td><table><tr><td>a<td>b</table><td>c</table>",
        "a | b\n\nc",
    );
}

#[test]
fn links_are_listed() {
    check(
        "<a href='/x'>a</a> <a href=c>b</a> <a href='/x#y'>c</a> <a href='/x'>d</a>",
        "a [1] b [2] c [3] d [1]\n\nLinks:\n[1]: https://docs.rs/x\n[2]: https://docs.rs/a/c\n\
         [3]: https://docs.rs/x#y",
    );
    check(
        "<a href='#x'>a</a> <a href='javascript:b()'>b</a> <a href=data:,x>c</a> <a>d</a>",
        "a b c d",
    );
    check(
        "<a href='?a=1&copy=2'>a</a>",
        "a [1]\n\nLinks:\n[1]: https://docs.rs/a/b?a=1&copy=2",
    );
    check(
        "<base href='//x.org/'><a href=y>a</a>",
        "a [1]\n\nLinks:\n[1]: https://x.org/y",
    );
    check("<a href=/x><svg></svg></a>a", "a");
    let many: String = (0..1_000).map(|n| format!("<a href=/{n}>x</a> ")).collect();
    assert_eq!(html(&many).text.matches("]: https").count(), 150);
    let long = format!(
        "<base href='/{}'>{}",
        "b".repeat(400),
        many.replace("=/", "=")
    );
    assert!(html(&long).text.len() < 20_000);
}

#[test]
fn what_a_person_does_not_see_is_left_out() {
    let hidden = |text: &str, chars: usize| {
        let page = html(text);
        assert_eq!(
            (page.text.as_str(), page.concealed_chars),
            ("a c", chars),
            "{text}"
        );
    };
    hidden("a <span hidden>b</span>c", 1);
    hidden("a <span style='display:none'>b<b>b</b></span>c", 2);
    hidden(
        "a <span style='DISPLAY : None !important; x:y'>b</span>c",
        1,
    );
    hidden("a <span style='x:y;display:/* z */none'>b</span>c", 1);
    hidden("a <span style='visibility:hidden'>b</span>c", 1);
    hidden("a <span style='opacity:0'>b</span>c", 1);
    hidden("a <span style='opacity:.01'>b</span>c", 1);
    hidden("a <span style='font-size:0px'>b</span>c", 1);
    hidden(
        "a <span style='position:absolute;left:-9999px'>b</span>c",
        1,
    );
    hidden("a <span style='text-indent:-9999em'>b</span>c", 1);
    hidden("a <span style='color:transparent'>b</span>c", 1);
    hidden("a <span style='&#100;isplay:none'>b</span>c", 1);
    hidden("a <dialog>b</dialog>c", 1);
    hidden("a <!-- b -->c", 0);
    hidden(
        "a <template>b</template><style>b</style><textarea>b</textarea>c",
        0,
    );
    hidden(
        "a <select><option>b</select><button>b</button><svg><text>b</text></svg>c",
        0,
    );
    check(
        "<div hidden><p>b</div>c<p style=display:none>b<p>d",
        "c\n\nd",
    );
    check(
        "a<span style='opacity:0.9;font-size:12px;left:-5px'>b</span>",
        "ab",
    );
    check(
        "<nav>b</nav>a<footer>b</footer><div role=navigation>b</div>",
        "a",
    );
    let main = "word ".repeat(60);
    check(&format!("x<main>{main}</main>y"), main.trim());
    check("x<main>a</main>y", "x\na\ny");
}

#[test]
fn characters_that_nobody_sees_are_left_out() {
    let check = |text: &str, expect: &str, count: usize| {
        let page = read(text.as_bytes(), Some("text/plain"), &base(), Shape::Text);
        assert_eq!(
            (page.text.as_str(), page.invisible_chars),
            (expect, count),
            "{text:?}"
        );
    };
    check("a\u{200b}b\u{202e}c\u{2066}d\u{feff}", "abcd", 4);
    check(
        "a\u{e0041}\u{e007f}\u{e0101}b\u{1b}[31mc\u{7}\u{9b}",
        "ab[31mc",
        6,
    );
    check("a\r\nb\rc\u{2028}d\te", "a\nb\nc\nd\te", 0);
    check(
        "\u{2764}\u{fe0f} \u{1f469}\u{200d}\u{1f469} \u{645}\u{200c}\u{645}",
        "\u{2764}\u{fe0f} \u{1f469}\u{200d}\u{1f469} \u{645}\u{200c}\u{645}",
        0,
    );
    check(
        "a\u{fe01}\u{fe02}\u{200d}\u{200c}b\u{2764}\u{fe0f}\u{fe0e}",
        "ab\u{2764}\u{fe0f}",
        5,
    );
    check("\u{3164}\u{ad}\u{180e}x", "x", 3);
    assert_eq!(html("a&#8203;&zwj;&#xE0041;b").text, "ab");
    let source = read(
        b"a\xe2\x80\x8bb",
        Some("text/plain"),
        &base(),
        Shape::Source,
    );
    assert_eq!(source.text, "a\\u{200b}b");
}

#[test]
fn bytes_are_decoded_as_they_say() {
    let check = |body: &[u8], kind: &str, text: &str, charset: &str| {
        let page = read(body, Some(kind), &base(), Shape::Text);
        assert_eq!(
            (page.text.as_str(), page.charset.as_str()),
            (text, charset),
            "{kind}"
        );
    };
    check(
        b"\xe4",
        "text/plain; charset=iso-8859-1",
        "ä",
        "windows-1252",
    );
    check("ä".as_bytes(), "text/plain", "ä", "utf-8");
    check(b"\xe4", "text/plain", "ä", "windows-1252");
    check(b"\xc3", "text/plain; charset=utf-8", "\u{fffd}", "utf-8");
    check(
        b"\x82\xa0",
        "text/html; charset=\"Shift_JIS\"",
        "あ",
        "shift_jis",
    );
    check(b"<meta charset=koi8-r>\xc1", "text/html", "а", "koi8-r");
    check(
        b"<meta http-equiv=x content='text/html; charset=koi8-r'>\xc1",
        "text/html",
        "а",
        "koi8-r",
    );
    check(b"\xff\xfea\0", "text/plain; charset=utf-8", "a", "utf-16le");
    check(b"\xef\xbb\xbfa", "text/plain; charset=koi8-r", "a", "utf-8");
    check(b"<meta charset=utf-16>a", "text/html", "a", "utf-8");
    check(b"a", "text/plain; charset=utf-7", "a", "utf-8");
}

#[test]
fn kinds_are_told_apart() {
    let check = |body: &[u8], kind: Option<&str>, expect: Content, text: &str| {
        let page = read(body, kind, &base(), Shape::Text);
        assert_eq!(
            (page.content, page.text.as_str()),
            (expect, text),
            "{kind:?}"
        );
    };
    check(b"<html>a", None, Content::Html, "a");
    check(
        b"  <!DOCTYPE html><p>a",
        Some("application/octet-stream"),
        Content::Html,
        "a",
    );
    check(b"a", None, Content::Text, "a");
    check(b"a\0", None, Content::Binary, "");
    check(b"\x89PNG\xff", None, Content::Binary, "");
    check(b"a\0b", Some("text/plain"), Content::Binary, "");
    check(b"%PDF", Some("application/pdf"), Content::Binary, "");
    check(
        b"<a>b</a>",
        Some("application/rss+xml"),
        Content::Text,
        "<a>b</a>",
    );
    check(
        b"{\"a\":1}",
        Some("application/ld+json; x"),
        Content::Json,
        "{\"a\":1}",
    );
    check(b"", Some("text/html"), Content::Html, "");
}

#[test]
fn json_is_laid_out_and_nothing_else() {
    let filler = "x".repeat(400);
    let given = format!("{{\"a\":[1,2.50,1e400,{{}},[]],\"b\":\"{filler}, [\\\"\"}}");
    let page = read(
        given.as_bytes(),
        Some("application/json"),
        &base(),
        Shape::Text,
    );
    let expect = format!(
        "{{\n  \"a\": [\n    1,\n    2.50,\n    1e400,\n    {{}},\n    []\n  ],\n  \"b\": \"{filler}, [\\\"\"\n}}"
    );
    assert_eq!(page.text, expect);
    for kept in [
        "[".repeat(5_000),
        format!("{filler} no json"),
        "[1,2]".to_owned(),
    ] {
        let page = read(
            kept.as_bytes(),
            Some("application/json"),
            &base(),
            Shape::Text,
        );
        assert_eq!(page.text, kept);
    }
}

#[test]
fn a_page_that_leads_on_is_told() {
    let check =
        |text: &str, expect: Option<&str>| assert_eq!(html(text).refresh.as_deref(), expect);
    check(
        "<meta http-equiv=Refresh content='0; url=/x'>",
        Some("https://docs.rs/x"),
    );
    check(
        "<meta http-equiv=refresh content=\"5;URL='http://127.0.0.1/'\">",
        Some("http://127.0.0.1/"),
    );
    check("<meta http-equiv=refresh content=5>", None);
    check(
        "<meta http-equiv=refresh content='0;url=file:///etc/passwd'>",
        None,
    );
    assert_eq!(html("<title> A\n b&amp;c </title>").title, "A b&c");
}

/// The worst that we know: time and size stay within bounds. `BOWLINE_PAGE_BYTES` makes them longer.
#[test]
fn no_page_is_too_much() {
    let bytes = std::env::var("BOWLINE_PAGE_BYTES")
        .ok()
        .and_then(|bytes| bytes.parse().ok());
    let bytes: usize = bytes.unwrap_or(128 << 10);
    for part in [
        "<div>",
        "<p>",
        "<table><tr><td>",
        "<ul><li>",
        "<blockquote>",
        "<",
        "</",
        "<!--",
        "<!--x",
        "<!",
        "<a href=",
        "<a href='",
        "<a =",
        "&",
        "&#",
        "&amp",
        "<pre>\n",
        "<b>",
        "</b>",
        "<script>",
        "<svg>",
        "<x y ",
        "<li>",
        "<td>",
        "<th>",
        "<tr>",
        "<sup>",
        "<br>x",
        "<ul><li><br>x",
        "<title>",
        "-->",
        "<span hidden>",
        "<a href=/x>y</a>",
        "<base href=a/>",
        "<h1>",
        "<code>",
        "\u{200b}",
        "<div style='a:b;a:b'>",
        "<table>",
    ] {
        let text = part.repeat(bytes / part.len());
        let clock = std::time::Instant::now();
        let page = html(&text);
        assert!(
            clock.elapsed().as_millis() < 5_000 + bytes as u128 / 500,
            "{part} took {:?}",
            clock.elapsed()
        );
        assert!(
            page.text.len() <= 10 * bytes,
            "{part} gave {} bytes",
            page.text.len()
        );
    }
}

proptest::proptest! {
    /// Whatever comes is read; twice the same is read the same.
    #[test]
    fn any_bytes_are_read(body: Vec<u8>, kind in "(text/html|text/plain|application/json|)") {
        let page = read(&body, Some(&kind), &base(), Shape::Text);
        proptest::prop_assert_eq!(page, read(&body, Some(&kind), &base(), Shape::Text));
    }

    #[test]
    fn any_markup_is_read(parts in proptest::collection::vec("(</?(p|li|ul|td|th|tr|table|pre|a|h1|div|main|nav|b)( hidden| href=x)?>|x |&lt;|<!--|-->|\")", 0..60)) {
        html(&parts.concat());
    }
}
