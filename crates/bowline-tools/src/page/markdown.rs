//! Turns an HTML page into text that reads like Markdown: what a person would see of it, without
//! what stands around it on every page of the site.
//!
//! It never recurses and keeps a bounded stack, so no page is too deep; the work is linear in the
//! length of the page.

mod tree;

use url::Url;

use super::element::{Kind, Unshown};
use super::entity::decode;
use super::flow::Flow;
use super::links::Links;
use super::token::{Tag, Token, Tokens};

/// Elements that are open at a time; deeper ones are counted and nothing else.
const DEPTH_MAX: usize = 256;

/// Longest title, in characters.
const TITLE_CHARS_MAX: usize = 200;

/// Text of the part that a page is about has at least so many bytes, or all of the page is shown.
const MAIN_BYTES_MIN: usize = 200;

/// What was read of an HTML page.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Its title.
    pub(super) title: String,
    /// Its text, links last.
    pub(super) text: String,
    /// Characters that a person who looks at the page does not see.
    pub(super) concealed_chars: usize,
    /// Where the page would lead by itself.
    pub(super) refresh: Option<String>,
}

/// Reads a page whose address is `base`.
pub(super) fn read(html: &str, base: &Url) -> Read {
    let mut reader = Reader {
        flow: Flow::default(),
        links: Links::new(base.clone()),
        stack: Vec::new(),
        deeper: 0,
        unshown: 0,
        verbatim: 0,
        tables: Vec::new(),
        main: Vec::new(),
        read: Read::default(),
    };
    for token in Tokens::new(html) {
        match token {
            Token::Text(text) => reader.text(&decode(text)),
            Token::Raw(text) => reader.raw(text),
            Token::Open(tag) => reader.open(&tag),
            Token::Close(name) => reader.close(&name),
        }
    }
    reader.finish()
}

/// An open element.
struct Open {
    name: String,
    kind: Kind,
    /// Why it and what it holds is not shown.
    unshown: Option<Unshown>,
    /// Where a link leads, by its number.
    link: Option<usize>,
    /// The number of the next item, in an ordered list.
    number: Option<u64>,
    /// How much was written before it, in bytes.
    start: usize,
}

/// An open table.
#[derive(Default)]
struct Table {
    /// Whether its first cell was the head of a column or a row.
    has_head: bool,
    rows: usize,
    cells: usize,
}

struct Reader {
    flow: Flow,
    links: Links,
    stack: Vec<Open>,
    /// Open elements beyond the stack.
    deeper: usize,
    /// Open elements that are not shown.
    unshown: usize,
    /// Open elements whose white space counts.
    verbatim: usize,
    tables: Vec<Table>,
    /// Where the parts are that the page is about.
    main: Vec<std::ops::Range<usize>>,
    read: Read,
}

impl Reader {
    fn text(&mut self, text: &str) {
        let mut open = self.stack.iter().filter(|_| self.unshown > 0);
        match open.find_map(|open| open.unshown) {
            Some(Unshown::Concealed) => {
                let seen = text.chars().filter(|letter| !letter.is_whitespace());
                self.read.concealed_chars += seen.count();
            }
            Some(_) => {}
            None if self.verbatim > 0 && !self.flow.is_flat() => self.flow.verbatim(text),
            None => self.flow.words(text),
        }
    }

    /// The content of an element that holds no markup.
    fn raw(&mut self, text: &str) {
        let is_title = self.stack.last().is_some_and(|open| open.name == "title");
        if is_title && self.read.title.is_empty() && !self.is_in_picture() {
            let decoded = decode(text);
            let words: Vec<&str> = decoded.split_whitespace().collect();
            self.read.title = words.join(" ").chars().take(TITLE_CHARS_MAX).collect();
        } else {
            self.text(text);
        }
    }

    fn is_in_picture(&self) -> bool {
        self.stack.iter().any(|open| open.name == "svg")
    }

    fn open(&mut self, tag: &Tag<'_>) {
        let kind = Kind::of(tag);
        if kind.ends_paragraph() {
            self.end(&[Kind::Paragraph], &[Kind::Cell, Kind::Table]);
        }
        self.end_implied(kind, &tag.name);
        if kind == Kind::Void {
            return self.void(tag);
        }
        let is_foreign = matches!(tag.name.as_str(), "svg" | "math") || self.is_in_picture();
        if tag.is_empty && is_foreign {
            return;
        }
        if self.stack.len() == DEPTH_MAX {
            self.deeper += 1;
            return;
        }
        let unshown = Unshown::of(tag);
        self.unshown += usize::from(unshown.is_some());
        let mut open = Open {
            name: tag.name.clone(),
            kind,
            unshown,
            link: None,
            number: None,
            start: self.flow.len(),
        };
        if self.unshown == 0 {
            self.begin(tag, &mut open);
        }
        self.stack.push(open);
    }

    /// What an element begins with.
    fn begin(&mut self, tag: &Tag<'_>, open: &mut Open) {
        let flow = &mut self.flow;
        match open.kind {
            Kind::Inline | Kind::Void | Kind::Rows => {}
            Kind::Block | Kind::Main | Kind::Row | Kind::Term => flow.end_line(1),
            Kind::Paragraph => flow.end_line(2),
            Kind::List => {
                let is_within = self.stack.iter().any(|open| open.kind == Kind::List);
                flow.end_line(if is_within { 1 } else { 2 });
                let start = tag.attribute("start").and_then(|start| start.parse().ok());
                open.number = (tag.name == "ol").then_some(start.unwrap_or(1));
            }
            Kind::Heading(level) => {
                flow.end_line(2);
                if !flow.is_flat() {
                    flow.set_in("", Some(format!("{} ", "#".repeat(level.into()))));
                }
            }
            Kind::Item => {
                let marker = self.item();
                self.flow.end_line(1);
                self.flow.set_in("  ", Some(marker));
            }
            Kind::Quote => {
                flow.end_line(2);
                flow.set_in("> ", None);
            }
            Kind::Verbatim => {
                self.verbatim += 1;
                flow.end_line(2);
                if !flow.is_flat() {
                    flow.sign("```");
                    flow.end_line(1);
                }
            }
            Kind::Code if self.verbatim == 0 => flow.sign("`"),
            Kind::Code => {}
            Kind::Link => {
                let target = tag.attribute("href");
                open.link = target.and_then(|target| self.links.add(&target));
            }
            Kind::Raised(sign) => flow.sign(sign),
            Kind::Table => {
                flow.end_line(2);
                self.tables.push(Table::default());
            }
            Kind::Cell => self.begin_cell(tag.name == "th"),
        }
    }

    /// What the next item of the innermost list begins with.
    fn item(&mut self) -> String {
        let mut lists = self.stack.iter_mut().rev();
        let list = lists.find(|open| open.kind == Kind::List);
        match list.and_then(|list| list.number.as_mut()) {
            Some(number) => {
                let marker = format!("{number}. ");
                *number = number.saturating_add(1);
                marker
            }
            None => "- ".to_owned(),
        }
    }

    fn begin_cell(&mut self, is_head: bool) {
        let Some(table) = self.tables.last_mut() else {
            return self.flow.end_line(1);
        };
        let is_first = table.cells == 0;
        if is_first && table.rows == 0 {
            table.has_head = is_head;
        }
        table.cells += 1;
        match (table.has_head, is_first) {
            (true, true) => {
                self.flow.end_line(1);
                self.flow.sign("|");
            }
            (true, false) => self.flow.attach(" |"),
            (false, true) => self.flow.end_line(1),
            (false, false) => self.flow.separate(" | "),
        }
        if table.has_head {
            self.flow.flatten();
            self.flow.end_line(1);
        }
    }

    /// What an element ends with.
    fn conclude(&mut self, open: &Open) {
        let flow = &mut self.flow;
        match open.kind {
            Kind::Inline | Kind::Void | Kind::Raised(_) | Kind::Rows => {}
            Kind::Block | Kind::Term => flow.end_line(1),
            Kind::Paragraph => flow.end_line(2),
            Kind::List => {
                let is_within = self.stack.iter().any(|open| open.kind == Kind::List);
                flow.end_line(if is_within { 1 } else { 2 });
            }
            Kind::Heading(_) => {
                if !flow.is_flat() {
                    flow.set_out();
                }
                flow.end_line(2);
            }
            Kind::Item | Kind::Quote => {
                flow.set_out();
                flow.end_line(1);
            }
            Kind::Verbatim => {
                self.verbatim = self.verbatim.saturating_sub(1);
                if !flow.is_flat() {
                    flow.end_line(1);
                    flow.sign("```");
                }
                flow.end_line(2);
            }
            Kind::Code if self.verbatim == 0 => flow.attach("`"),
            Kind::Code => {}
            Kind::Link => {
                if let Some(number) = open.link.filter(|_| flow.len() > open.start) {
                    flow.attach(&format!(" [{number}]"));
                }
            }
            Kind::Table => {
                self.end_row();
                self.tables.pop();
                self.flow.end_line(2);
            }
            Kind::Row => self.end_row(),
            Kind::Cell => {
                flow.unseparate();
                if self.tables.last().is_some_and(|table| table.has_head) {
                    flow.unflatten();
                }
            }
            Kind::Main => {
                flow.end_line(1);
                self.main.push(open.start..flow.len());
            }
        }
    }

    fn end_row(&mut self) {
        /// More columns than this are none.
        const RULE_MAX: usize = 64;
        let Some(table) = self.tables.last_mut() else {
            return self.flow.end_line(1);
        };
        let cells = std::mem::take(&mut table.cells);
        if cells == 0 {
            return;
        }
        table.rows += 1;
        if table.has_head {
            self.flow.attach(" |");
            if table.rows == 1 && !self.flow.is_flat() {
                self.flow.end_line(1);
                self.flow.sign("|");
                self.flow.attach(&"---|".repeat(cells.min(RULE_MAX)));
            }
        }
        self.flow.end_line(1);
    }
}
