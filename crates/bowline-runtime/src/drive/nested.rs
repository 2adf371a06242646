//! Instruction files of folders that a call came to: the model is given them beside its result.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bowline_core::action::PathKind;
use bowline_core::call::OutcomeStatus;
use bowline_core::state::{CallPhase, Turn};
use bowline_core::{Action, CallId, ContextText, Origin};
use bowline_policy::may_search;
use bowline_tools::Finish;

use super::Loop;
use crate::instructions::{self, Instruction, LeftOut, TOTAL_BYTES_MAX};
use crate::keep;

/// Most folders of one call that are looked into.
const FOLDERS_MAX: usize = 64;

impl Loop<'_> {
    /// The folders that a call which did what it was asked named, or saw or changed files in. One
    /// that failed or ends a turn that is to stop came to none.
    pub(super) fn touched(&self, call: CallId, finish: &Finish) -> BTreeSet<PathBuf> {
        let state = self.session.state();
        let is_stopping = state.turn().is_some_and(Turn::is_stopping);
        if is_stopping || finish.status != OutcomeStatus::Ok {
            return BTreeSet::new();
        }
        let actions = state.call(call).map(|open| match &open.phase {
            CallPhase::Started(decision, _) => &decision.actions[..],
            _ => &[],
        });
        let named = actions.unwrap_or_default().iter();
        let named = named.filter_map(|judged| match &judged.action {
            Action::ReadPath { path } | Action::WritePath { path } => {
                Some((path.resolved.as_str(), path.kind == PathKind::Folder))
            }
            _ => None,
        });
        let changed = finish.effect.files.iter().map(|file| file.path.as_str());
        let seen = finish.effect.seen.iter().map(|file| file.path.as_str());
        let files = changed.chain(seen).map(|path| (path, false));
        let folders = named.chain(files).filter_map(|(path, is_folder)| {
            let path = Path::new(path);
            if is_folder { Some(path) } else { path.parent() }
        });
        folders.take(FOLDERS_MAX).map(Path::to_owned).collect()
    }

    /// Gives the model the instruction files of these folders that it was not told yet, or that say
    /// something else now; and says once what it does not get.
    pub(super) fn tell_nested(&mut self, touched: &BTreeSet<PathBuf>) {
        if touched.is_empty() {
            return;
        }
        let cwd = PathBuf::from(self.session.state().cwd());
        let found = instructions::beneath(&cwd, touched);
        let mut left_out = found.left_out;
        for file in &found.files {
            let text = file.admit(self.masked(&file.text));
            if !self.session.state().told().is_news(&text) {
                continue;
            }
            if let Err(why) = self.tell_file(file, text) {
                let name = file.name.clone();
                left_out.push(LeftOut { name, why });
            }
        }
        let lines = left_out.iter().map(|one| self.masked(&one.line()));
        let lines: Vec<String> = lines.filter(|line| !self.said(line)).collect();
        if !lines.is_empty() {
            let told = instructions::told_left_out(&lines);
            self.session.note(ContextText::notice(told));
        }
    }

    /// Stages the text of a file, or says why the model does not get it.
    fn tell_file(&mut self, file: &Instruction, text: ContextText) -> Result<(), String> {
        let harness = self.harness;
        let kept = keep::taking(&harness.policy, &file.path, &*harness.provider)?;
        let policy = harness.policy.at(self.session.clock().now_ms());
        let is_local = harness.provider.place().is_local();
        if !may_search(&policy.asking(is_local), &file.path.display().to_string()) {
            return Err("it must be asked for by name".to_owned());
        }
        let told = self.session.state().told().bytes();
        if told.saturating_add(text.text().len() as u64) > TOTAL_BYTES_MAX as u64 {
            return Err(format!(
                "all instructions of a session together may have {TOTAL_BYTES_MAX} bytes"
            ));
        }
        self.session.keep_local(kept);
        self.session.note(text);
        Ok(())
    }

    fn masked(&self, text: &str) -> String {
        self.harness.masker.mask(text).text.into_owned()
    }

    /// Whether Bowline said this line, and the model can still read it.
    fn said(&self, line: &str) -> bool {
        let mut inputs = self.session.state().inputs();
        inputs.any(|input| {
            *input.text.origin() == Origin::Harness
                && input.text.text().lines().any(|said| said == line)
        })
    }
}
