//! Which elements are open: what ends where, also where a page does not say so.

use super::{Flow, Kind, MAIN_BYTES_MIN, Read, Reader, Tag};

impl Reader {
    /// An element that holds nothing.
    pub(super) fn void(&mut self, tag: &Tag<'_>) {
        if tag.name == "meta" {
            return self.meta(tag);
        }
        if tag.name == "base" {
            if let Some(target) = tag.attribute("href") {
                self.links.rebase(&target);
            }
            return;
        }
        if self.unshown > 0 || super::Unshown::of(tag).is_some() {
            return;
        }
        match tag.name.as_str() {
            "br" => self.flow.end_line(1),
            "hr" => {
                self.flow.end_line(2);
                self.flow.sign("---");
                self.flow.end_line(2);
            }
            "img" => {
                let alt = tag.attribute("alt").unwrap_or_default();
                if !alt.trim().is_empty() {
                    self.flow.words(&format!("[image: {}]", alt.trim()));
                }
            }
            "input" if tag.attribute("type").as_deref() == Some("checkbox") => {
                let is_checked = tag.attribute("checked").is_some();
                self.flow.words(if is_checked { "[x] " } else { "[ ] " });
            }
            _ => {}
        }
    }

    /// A page that leads on by itself: `<meta http-equiv="refresh" content="0; url=..">`.
    fn meta(&mut self, tag: &Tag<'_>) {
        let kind = tag.attribute("http-equiv").unwrap_or_default();
        if !kind.eq_ignore_ascii_case("refresh") {
            return;
        }
        let content = tag.attribute("content").unwrap_or_default();
        let target = content.split_once('=').map(|(_, target)| target);
        let target = target.map(|target| target.trim().trim_matches(['\'', '"']));
        self.read.refresh = target.and_then(|target| self.links.resolve(target));
    }

    /// Ends what an element of this kind cannot stand in.
    pub(super) fn end_implied(&mut self, kind: Kind, name: &str) {
        match kind {
            Kind::Item => self.end(&[Kind::Item], &[Kind::List, Kind::Cell]),
            Kind::Term => self.end(&[Kind::Term], &[Kind::Cell, Kind::List]),
            Kind::Cell => self.end(&[Kind::Cell], &[Kind::Row, Kind::Table]),
            Kind::Row => self.end(&[Kind::Row], &[Kind::Table]),
            Kind::Rows => self.end(&[Kind::Rows], &[Kind::Table]),
            Kind::Link => self.end(&[Kind::Link], &[Kind::Cell, Kind::Table]),
            // A new body or a heading ends nothing but a heading.
            Kind::Heading(_) => self.end_heading(),
            _ if name == "body" => self.end_head(),
            _ => {}
        }
    }

    fn end_heading(&mut self) {
        let is_heading = |kind| matches!(kind, Kind::Heading(_));
        if self.stack.last().is_some_and(|open| is_heading(open.kind)) {
            self.pop();
        }
    }

    /// Whatever a head left open ends with it.
    fn end_head(&mut self) {
        if let Some(at) = self.stack.iter().position(|open| open.name == "head") {
            self.pop_to(at);
        }
    }

    /// Ends the innermost element of these kinds that no element of the others encloses.
    pub(super) fn end(&mut self, kinds: &[Kind], within: &[Kind]) {
        if self.deeper > 0 {
            return;
        }
        for at in (0..self.stack.len()).rev() {
            let kind = self.stack[at].kind;
            if kinds.contains(&kind) {
                return self.pop_to(at);
            }
            if within.contains(&kind) {
                return;
            }
        }
    }

    /// A closing tag: ends the innermost element of that name, unless a cell or a table encloses it.
    pub(super) fn close(&mut self, name: &str) {
        if name == "br" {
            return self.flow.end_line(1);
        }
        if self.deeper > 0 {
            self.deeper -= 1;
            return;
        }
        for at in (0..self.stack.len()).rev() {
            let open = &self.stack[at];
            if open.name == name {
                return self.pop_to(at);
            }
            let is_edge = match open.kind {
                Kind::Cell => !matches!(name, "td" | "th" | "tr" | "table" | "tbody" | "thead"),
                Kind::Table => name != "table",
                _ => false,
            };
            if is_edge {
                return;
            }
        }
    }

    /// Ends the elements from the `at`th on.
    fn pop_to(&mut self, at: usize) {
        while self.stack.len() > at {
            self.pop();
        }
    }

    fn pop(&mut self) {
        let Some(open) = self.stack.pop() else {
            return;
        };
        if self.unshown == 0 {
            self.conclude(&open);
        }
        self.unshown -= usize::from(open.unshown.is_some());
    }

    /// Ends all that is open and gives what was read.
    pub(super) fn finish(mut self) -> Read {
        self.pop_to(0);
        let text = Flow::into_text(self.flow);
        let main: usize = self.main.iter().map(std::ops::Range::len).sum();
        let mut shown = if main < MAIN_BYTES_MIN {
            text
        } else {
            let parts = self.main.iter().filter_map(|range| text.get(range.clone()));
            parts.collect::<Vec<_>>().join("\n\n")
        };
        let start = shown.len() - shown.trim_start_matches('\n').len();
        shown.drain(..start);
        shown.truncate(shown.trim_end().len());
        self.read.text = self.links.append_to(shown);
        self.read
    }
}
