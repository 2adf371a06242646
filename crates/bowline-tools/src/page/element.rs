//! What the elements of a page are to its text.

use super::token::Tag;

/// What an element does to the text around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing.
    Inline,
    /// Begins and ends on a line of its own.
    Block,
    /// A paragraph: as [`Kind::Block`], and whatever is a block ends it.
    Paragraph,
    /// `h1` to `h6`.
    Heading(u8),
    /// `ul`, `ol` and their like.
    List,
    /// `li`.
    Item,
    /// `dt` or `dd`.
    Term,
    /// `blockquote`.
    Quote,
    /// `pre`.
    Verbatim,
    /// `code` and its like.
    Code,
    /// `a`.
    Link,
    /// `sup` or `sub`, with the sign that stands for it.
    Raised(&'static str),
    /// `table`.
    Table,
    /// A group of rows.
    Rows,
    /// `tr`.
    Row,
    /// `td` or `th`.
    Cell,
    /// The part of the page that it is about.
    Main,
    /// `br`, `hr`, `img` and the others that hold nothing.
    Void,
}

/// Why the text of an element is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unshown {
    /// It is no text: a script, a style, a picture.
    NoText,
    /// The same on every page of the site.
    Around,
    /// A person who looks at the page does not see it.
    Concealed,
}

impl Kind {
    pub(super) fn of(tag: &Tag<'_>) -> Self {
        match tag.name.as_str() {
            "p" => Self::Paragraph,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => Self::Heading(tag.name.as_bytes()[1] - b'0'),
            "ul" | "ol" | "menu" | "dir" => Self::List,
            "li" => Self::Item,
            "dt" | "dd" => Self::Term,
            "blockquote" => Self::Quote,
            "pre" | "listing" | "xmp" | "plaintext" => Self::Verbatim,
            "code" | "tt" => Self::Code,
            "a" => Self::Link,
            "sup" => Self::Raised("^"),
            "sub" => Self::Raised("_"),
            "table" => Self::Table,
            "thead" | "tbody" | "tfoot" => Self::Rows,
            "tr" => Self::Row,
            "td" | "th" => Self::Cell,
            "main" => Self::Main,
            "area" | "base" | "br" | "col" | "embed" | "hr" | "img" | "input" | "link" | "meta"
            | "param" | "source" | "track" | "wbr" => Self::Void,
            "address" | "article" | "aside" | "body" | "caption" | "center" | "details" | "div"
            | "dl" | "fieldset" | "figcaption" | "figure" | "footer" | "form" | "header"
            | "hgroup" | "html" | "legend" | "nav" | "search" | "section" | "summary" => {
                if tag.attribute("role").as_deref() == Some("main") {
                    Self::Main
                } else {
                    Self::Block
                }
            }
            _ => Self::Inline,
        }
    }

    /// Whether it ends a paragraph that stands open.
    pub(super) const fn ends_paragraph(self) -> bool {
        !matches!(
            self,
            Self::Inline
                | Self::Code
                | Self::Link
                | Self::Raised(_)
                | Self::Void
                | Self::Rows
                | Self::Row
                | Self::Cell
        )
    }
}

impl Unshown {
    /// Why the element that `tag` opens is not shown, if it is not.
    pub(super) fn of(tag: &Tag<'_>) -> Option<Self> {
        let name = tag.name.as_str();
        if tag.attribute("hidden").is_some() || tag.attribute("style").is_some_and(conceals) {
            return Some(Self::Concealed);
        }
        match name {
            "script" | "style" | "title" | "textarea" | "iframe" | "noembed" | "noframes"
            | "template" | "svg" | "canvas" | "object" | "video" | "audio" | "select"
            | "datalist" | "button" => return Some(Self::NoText),
            "dialog" if tag.attribute("open").is_none() => return Some(Self::Concealed),
            "nav" | "footer" | "search" => return Some(Self::Around),
            _ => {}
        }
        let role = tag.attribute("role");
        match role.as_deref() {
            Some("navigation" | "contentinfo" | "search") => Some(Self::Around),
            _ => None,
        }
    }
}

/// Whether what has this style is not to be seen.
fn conceals(style: String) -> bool {
    let style = without_comments(&style.to_ascii_lowercase());
    style.split(';').any(|line| {
        let Some((name, value)) = line.split_once(':') else {
            return false;
        };
        let value = value.trim().trim_end_matches("!important").trim_end();
        match name.trim() {
            "display" => value == "none",
            "visibility" => matches!(value, "hidden" | "collapse"),
            "content-visibility" => value == "hidden",
            "opacity" => number(value).is_some_and(|number| number < 0.05),
            "font-size" => number(value).is_some_and(|number| number < 0.05),
            "color" => value == "transparent",
            "left" | "right" | "top" | "bottom" | "text-indent" | "margin-left" | "margin-top" => {
                number(value).is_some_and(|number| number <= -500.0)
            }
            "clip" => value.starts_with("rect(0"),
            "clip-path" => matches!(value, "inset(50%)" | "inset(100%)" | "circle(0)"),
            _ => false,
        }
    })
}

/// The number that a length begins with.
fn number(value: &str) -> Option<f64> {
    let is_digit = |letter: char| letter.is_ascii_digit() || matches!(letter, '.' | '-');
    let end = value
        .find(|letter| !is_digit(letter))
        .unwrap_or(value.len());
    value[..end].parse().ok()
}

fn without_comments(style: &str) -> String {
    let mut out = String::with_capacity(style.len());
    let mut rest = style;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    out
}
