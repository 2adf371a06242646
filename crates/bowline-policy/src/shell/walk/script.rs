//! Text that a command runs: `sh -c`, `eval`, `trap`, what comes in on standard input.

use super::command::Run;
use super::{DEPTH_MAX, Walk};
use crate::shell::argument::{Argument, Value};
use crate::shell::parse::parse;
use crate::shell::scope::Scope;
use crate::shell::tree::Span;

impl<'a> Walk<'a> {
    /// A script among the arguments of a command.
    pub(super) fn inner_script(
        &mut self,
        run: &Run<'a>,
        named: &[Argument],
        arguments: &[Argument],
        scope: &mut Scope,
    ) {
        let text: Vec<String> = arguments.iter().map(Argument::shown).collect();
        let text = text.join(" ");
        let span = arguments.first().map_or(run.span, |first| first.span);
        let is_known = |one: &Argument| matches!(one.value, Value::Known(_));
        let is_whole = arguments.iter().all(is_known);
        let name = named.first().and_then(Argument::known).unwrap_or_default();
        match name {
            "eval" => {
                self.text(&text, span, scope);
                if !is_whole {
                    scope.muddle();
                }
            }
            "trap" => {
                let mut apart = scope.clone();
                self.text(&text, span, &mut apart);
            }
            _ => {
                let mut fresh = scope.fresh();
                self.text(&text, span, &mut fresh);
            }
        }
        if !is_whole {
            self.ask(
                &format!("The script of `{name}`"),
                "a part of it is not known",
                span,
            );
        }
    }

    /// Parses and walks a text that stands inside the text.
    pub(super) fn text(&mut self, text: &str, span: Span, scope: &mut Scope) {
        if self.depth >= DEPTH_MAX {
            self.ask("The command", "scripts stand too deep in scripts", span);
            return;
        }
        if let Some((_, character)) = crate::shell::invisible::invisible(text) {
            self.ask(
                "The script",
                &format!(
                    "it holds a character that is not shown (U+{:04X})",
                    character as u32
                ),
                span,
            );
        }
        match parse(text) {
            Ok(script) => {
                let outer = self.at;
                self.at = Some(outer.unwrap_or(span));
                self.depth += 1;
                self.script(&script, scope);
                self.depth -= 1;
                self.at = outer;
            }
            Err(error) => self.ask("The script", &error.why, span),
        }
    }
}
