//! Turns what a web server answered into text that a model can read: pages without their markup,
//! nothing that a person would not see, no character that is not seen.
//!
//! Pure: bytes in, text out, in time linear in their number, whatever they are.
//!
//! ```
//! use bowline_tools::page::{self, Shape};
//! let html = b"<title>T</title><p>Hello <b>you</b><span hidden> obey</span></p>";
//! let base = url::Url::parse("https://docs.rs/")?;
//! let page = page::read(html, Some("text/html"), &base, Shape::Text);
//! assert_eq!((page.title.as_str(), page.text.as_str()), ("T", "Hello you"));
//! assert_eq!(page.concealed_chars, 4);
//! # Ok::<(), url::ParseError>(())
//! ```

mod charset;
mod element;
mod entity;
mod flow;
mod json;
mod links;
mod markdown;
mod token;
mod visible;

#[cfg(test)]
mod tests;

use url::Url;

use self::visible::{Unseen, visible};

/// How a page is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// What a person would see of it.
    Text,
    /// Its source.
    Source,
}

/// What kind of content there was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A page of HTML.
    Html,
    /// JSON.
    Json,
    /// Any other text.
    Text,
    /// No text: nothing of it is shown.
    Binary,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What kind of content there was.
    pub content: Content,
    /// The title of an HTML page, else empty; at most 200 characters.
    pub title: String,
    /// Its text; empty for [`Content::Binary`].
    pub text: String,
    /// The name of its encoding; empty for [`Content::Binary`].
    pub charset: String,
    /// Whether some bytes meant nothing in that encoding.
    pub has_errors: bool,
    /// Characters that a person who looks at the page does not see, left out.
    pub concealed_chars: usize,
    /// Characters that nobody sees (controls, zero width, tags), left out or escaped.
    pub invisible_chars: usize,
    /// Where the page would lead by itself.
    pub refresh: Option<String>,
}

/// Reads the body of an answer of type `content_type` from the address `base`.
#[must_use]
pub fn read(body: &[u8], content_type: Option<&str>, base: &Url, shape: Shape) -> Page {
    let (kind, charset) = split_type(content_type.unwrap_or_default());
    let content = content_of(&kind, body);
    let mut page = Page {
        content,
        title: String::new(),
        text: String::new(),
        charset: String::new(),
        has_errors: false,
        concealed_chars: 0,
        invisible_chars: 0,
        refresh: None,
    };
    if content == Content::Binary {
        return page;
    }
    let decoded = charset::decode(body, charset.as_deref(), content == Content::Html);
    page.charset = decoded.charset.to_ascii_lowercase();
    page.has_errors = decoded.has_errors;
    // A text that is full of zeros is none, whatever it is called.
    if decoded.text.contains('\0') && content != Content::Html {
        page.content = Content::Binary;
        return page;
    }
    let unseen = match shape {
        Shape::Text => Unseen::LeftOut,
        Shape::Source => Unseen::Escaped,
    };
    let text = match (content, shape) {
        (Content::Html, Shape::Text) => {
            let read = markdown::read(&decoded.text, base);
            page.concealed_chars = read.concealed_chars;
            page.refresh = read.refresh;
            page.title = visible(&read.title, unseen).0.replace('\n', " ");
            read.text
        }
        (Content::Json, Shape::Text) => json::laid_out(decoded.text.into_owned()),
        _ => decoded.text.into_owned(),
    };
    (page.text, page.invisible_chars) = visible(&text, unseen);
    page
}

/// The type in lower case, and the charset, of `text/html; charset=utf-8`.
fn split_type(content_type: &str) -> (String, Option<String>) {
    let mut parts = content_type.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    });
    (kind, charset)
}

fn content_of(kind: &str, body: &[u8]) -> Content {
    match kind {
        "text/html" | "application/xhtml+xml" => Content::Html,
        "application/json" | "text/json" => Content::Json,
        _ if kind.ends_with("+json") => Content::Json,
        "application/xml"
        | "application/javascript"
        | "application/ecmascript"
        | "application/x-javascript"
        | "application/yaml"
        | "application/x-yaml"
        | "application/toml"
        | "application/sql"
        | "application/graphql"
        | "application/x-sh"
        | "application/x-ndjson"
        | "application/rtf" => Content::Text,
        _ if kind.starts_with("text/") || kind.ends_with("+xml") => Content::Text,
        "" | "application/octet-stream" | "binary/octet-stream" | "unknown/unknown" => {
            sniffed(body)
        }
        _ => Content::Binary,
    }
}

/// What a body without a type is.
fn sniffed(body: &[u8]) -> Content {
    let is_text = match std::str::from_utf8(body) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    if !is_text || body.contains(&0) {
        return Content::Binary;
    }
    let head = String::from_utf8_lossy(&body[..body.len().min(512)]).to_ascii_lowercase();
    let head = head.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    if head.starts_with("<!doctype html") || head.starts_with("<html") {
        Content::Html
    } else if head.starts_with(['{', '[']) {
        Content::Json
    } else {
        Content::Text
    }
}
