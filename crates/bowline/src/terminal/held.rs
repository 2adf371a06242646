//! A session that an alarm put on hold, where the alarm asks: a person says whether it goes on.

use std::sync::atomic::Ordering;

use bowline_core::Command;
use bowline_core::command::Ask;
use bowline_runtime::Session;
use bowline_runtime::alarms::ASKS;

use super::{Next, ROUTE, Terminal};
use crate::print::{self, Colour};

impl Terminal {
    /// Asks whether a session on hold goes on. One that a person put on hold, or an alarm that does
    /// not ask, stays so.
    pub(super) async fn ask_about_hold(&mut self, session: &Session, by: &str) -> Next {
        let Some(what) = by.strip_prefix(ASKS) else {
            return Next::Park;
        };
        // What was typed before is no answer to what is only shown now.
        while self.answers.try_recv().is_ok() {}
        let what = print::clean(what).replace(['\n', '\t'], " ");
        let sign = self.look.paint(Colour::Yellow, "?");
        print::err_line(&format!("{sign} on hold: {what}"));
        print::err_line("  go on?  [y]es  [q]uit and leave it on hold");
        self.interrupts.asking.store(true, Ordering::SeqCst);
        let next = self.said_of_hold(session).await;
        self.interrupts.asking.store(false, Ordering::SeqCst);
        next
    }

    async fn said_of_hold(&mut self, session: &Session) -> Next {
        loop {
            let line = match self.typed(session).await {
                Ok(line) => line,
                Err(next) => return next,
            };
            match line.trim().to_lowercase().as_str() {
                "y" | "yes" => {
                    return Next::Give(vec![Command {
                        key: format!("continue-{}", session.clock().new_id()),
                        at_ms: None,
                        ask: Ask::Continue {
                            by: ROUTE.to_owned(),
                        },
                    }]);
                }
                "q" | "quit" | "n" | "no" => return Next::Park,
                _ => print::err_line("  answer y or q"),
            }
        }
    }
}
