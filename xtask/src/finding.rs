//! What a check has to say: where, what, and what to do next.

use crate::say;

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// A file, `file:line`, crate or package.
    pub(crate) place: String,
    /// What is wrong, in words.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) next: String,
}

/// Everything that one check has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// Faults; one is enough to fail the check.
    pub(crate) faults: Vec<Finding>,
    /// Lines worth reading that fail nothing.
    pub(crate) notices: Vec<String>,
}

impl Findings {
    /// Adds one fault.
    pub(crate) fn fault(
        &mut self,
        place: impl Into<String>,
        what: impl Into<String>,
        next: impl Into<String>,
    ) {
        self.faults.push(Finding {
            place: place.into(),
            what: what.into(),
            next: next.into(),
        });
    }

    /// Adds one line that fails nothing.
    pub(crate) fn notice(&mut self, line: impl Into<String>) {
        self.notices.push(line.into());
    }

    /// Takes over all that `other` has to say.
    pub(crate) fn extend(&mut self, other: Self) {
        self.faults.extend(other.faults);
        self.notices.extend(other.notices);
    }

    /// Prints everything, faults last.
    pub(crate) fn print(&self) {
        for notice in &self.notices {
            say::line(format!("  note: {notice}"));
        }
        for Finding { place, what, next } in &self.faults {
            say::line(format!("  {place}: {what}\n      next: {next}"));
        }
    }

    /// The faults as `place: what` lines, for tests.
    #[cfg(test)]
    pub(crate) fn lines(&self) -> Vec<String> {
        self.faults
            .iter()
            .map(|fault| format!("{}: {}", fault.place, fault.what))
            .collect()
    }
}
