//! Cuts the text of an HTML page into tags and text, in one pass, whatever it is.

/// A piece of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// Text with its entities as they stand.
    Text(&'t str),
    /// The text within an element whose content is no markup, such as `script`.
    Raw(&'t str),
    /// `<name ..>`.
    Open(Tag<'t>),
    /// `</name>`, in lower case.
    Close(String),
}

/// An opening tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag<'t> {
    /// In lower case.
    pub(super) name: String,
    /// Names as they stand, values without their quotes and with their entities.
    pub(super) attributes: Vec<(&'t str, &'t str)>,
    /// Whether it ends in `/>`.
    pub(super) is_empty: bool,
}

impl Tag<'_> {
    /// The value of an attribute, entities decoded; the first one counts.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        let mut all = self.attributes.iter();
        let (_, value) = all.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(super::entity::decode_value(value))
    }
}

/// Most attributes of one tag that are kept.
const ATTRIBUTES_MAX: usize = 64;

/// Elements whose content is no markup: it ends at their closing tag only.
const RAW: [&str; 9] = [
    "script",
    "style",
    "textarea",
    "title",
    "xmp",
    "iframe",
    "noembed",
    "noframes",
    "plaintext",
];

/// The pieces of a page, in order.
#[derive(Debug)]
pub(super) struct Tokens<'t> {
    rest: &'t str,
    /// The raw element that was just opened.
    raw: Option<String>,
}

impl<'t> Tokens<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self {
            rest: text,
            raw: None,
        }
    }

    /// Takes `bytes` bytes.
    fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }

    /// Drops everything up to and with `end`, or the rest.
    fn skip_past(&mut self, end: &str) {
        let bytes = self
            .rest
            .find(end)
            .map_or(self.rest.len(), |at| at + end.len());
        self.take(bytes);
    }

    /// The content of the raw element `name`, up to its closing tag or the end.
    fn raw_text(&mut self, name: &str) -> &'t str {
        let ends = |at: &usize| {
            let after = &self.rest.as_bytes()[at + 2..];
            let is_name = after.get(..name.len());
            is_name.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
                && matches!(
                    after.get(name.len()),
                    None | Some(b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' | b'/' | b'>')
                )
        };
        let mut places = self.rest.match_indices("</").map(|(at, _)| at);
        let end = places.find(ends).filter(|_| name != "plaintext");
        self.take(end.unwrap_or(self.rest.len()))
    }

    /// What begins with `<`; `None` if it was dropped.
    fn markup(&mut self) -> Option<Token<'t>> {
        let rest = self.rest;
        let second = rest.as_bytes().get(1).copied().unwrap_or(b' ');
        if rest.starts_with("<!--") {
            self.take("<!--".len());
            self.comment();
            return None;
        }
        match second {
            b'!' | b'?' => {
                self.skip_past(">");
                None
            }
            b'/' => match rest.as_bytes().get(2) {
                Some(letter) if letter.is_ascii_alphabetic() => {
                    self.take(2);
                    let tag = self.tag()?;
                    Some(Token::Close(tag.name))
                }
                _ => {
                    self.skip_past(">");
                    None
                }
            },
            letter if letter.is_ascii_alphabetic() => {
                self.take(1);
                let tag = self.tag()?;
                self.raw = RAW.contains(&tag.name.as_str()).then(|| tag.name.clone());
                Some(Token::Open(tag))
            }
            _ => {
                let next = rest[1..].find('<').map_or(rest.len(), |at| at + 1);
                Some(Token::Text(self.take(next)))
            }
        }
    }

    /// Drops the rest of a comment. `<!-->` and `<!--->` are whole ones.
    fn comment(&mut self) {
        for short in [">", "->"] {
            if self.rest.starts_with(short) {
                self.take(short.len());
                return;
            }
        }
        let closes = |at: &usize| {
            let before = &self.rest.as_bytes()[..*at];
            before.ends_with(b"--") || before.ends_with(b"--!")
        };
        let mut places = self.rest.match_indices('>').map(|(at, _)| at);
        let end = places.find(closes).map(|at| at + 1);
        self.take(end.unwrap_or(self.rest.len()));
    }

    /// A tag from its name on, with its `>`; `None` if it never ends.
    fn tag(&mut self) -> Option<Tag<'t>> {
        let is_end = |letter: char| is_blank(letter) || matches!(letter, '/' | '>');
        let name = self.take(self.rest.find(is_end).unwrap_or(self.rest.len()));
        let mut tag = Tag {
            name: name.to_ascii_lowercase(),
            attributes: Vec::new(),
            is_empty: false,
        };
        loop {
            let junk = |letter: char| is_blank(letter) || letter == '/';
            let after = self.rest.trim_start_matches(junk);
            let junk = self.take(self.rest.len() - after.len());
            match self.rest.chars().next()? {
                '>' => {
                    self.take(1);
                    tag.is_empty = junk.ends_with('/');
                    return Some(tag);
                }
                first => {
                    let attribute = self.attribute(first);
                    if tag.attributes.len() < ATTRIBUTES_MAX {
                        tag.attributes.push(attribute);
                    }
                }
            }
        }
    }

    /// One attribute that begins with `first`.
    fn attribute(&mut self, first: char) -> (&'t str, &'t str) {
        // A name may begin with `=`, nothing else may hold one.
        let from = first.len_utf8();
        let is_end = |letter: char| is_blank(letter) || matches!(letter, '/' | '>' | '=');
        let end = self.rest[from..].find(is_end);
        let name = self.take(end.map_or(self.rest.len(), |at| at + from));
        let after = self.rest.trim_start_matches(is_blank);
        let Some(value) = after.strip_prefix('=') else {
            return (name, "");
        };
        self.rest = value.trim_start_matches(is_blank);
        let quote = self
            .rest
            .chars()
            .next()
            .filter(|first| matches!(first, '"' | '\''));
        let Some(quote) = quote else {
            let is_end = |letter: char| is_blank(letter) || letter == '>';
            let end = self.rest.find(is_end).unwrap_or(self.rest.len());
            return (name, self.take(end));
        };
        self.take(1);
        let value = self.take(self.rest.find(quote).unwrap_or(self.rest.len()));
        self.take(usize::from(!self.rest.is_empty()));
        (name, value)
    }
}

impl<'t> Iterator for Tokens<'t> {
    type Item = Token<'t>;

    fn next(&mut self) -> Option<Token<'t>> {
        if let Some(name) = self.raw.take() {
            return Some(Token::Raw(self.raw_text(&name)));
        }
        while !self.rest.is_empty() {
            if !self.rest.starts_with('<') {
                let end = self.rest.find('<').unwrap_or(self.rest.len());
                return Some(Token::Text(self.take(end)));
            }
            if let Some(token) = self.markup() {
                return Some(token);
            }
        }
        None
    }
}

const fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r' | '\x0c')
}
