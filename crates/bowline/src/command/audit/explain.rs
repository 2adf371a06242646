//! `bowline audit explain`: a decision taken again from its record.

use bowline_core::SessionId;
use bowline_journal::Store;
use bowline_runtime::audit::{Again, Case, Reevaluated, cases, reevaluate};
use serde_json::{Value, json};

use super::find;
use crate::args::AuditExplain;
use crate::failure::Failure;
use crate::print::{self, Colour, Look, clean};

/// So many decisions that differ are named where people read it.
const NAMED: usize = 20;

pub fn run(store: &Store, args: &AuditExplain) -> Result<u8, Failure> {
    match &args.id {
        Some(id) => {
            let case = find(store, id)?;
            Ok(one(&case, args.json))
        }
        None => all(store, args),
    }
}

fn one(case: &Case, as_json: bool) -> u8 {
    let found = reevaluate(case);
    if as_json {
        print::line(&object(case, &found).to_string());
    } else {
        for line in page(&Look::of_stdout(), case, &found) {
            print::line(&line);
        }
    }
    u8::from(found.again == Again::Different)
}

fn object(case: &Case, found: &Reevaluated) -> Value {
    let mut object = json!({
        "session": case.session,
        "seq": case.seq,
        "decision": case.decision.id,
        "essence": case.decision.essence,
    });
    if let (Some(object), Value::Object(found)) = (object.as_object_mut(), json!(found)) {
        object.extend(found);
    }
    object
}

fn page(look: &Look, case: &Case, found: &Reevaluated) -> Vec<String> {
    let id = case.decision.id.short();
    let mut lines = Vec::new();
    let mut say = |colour: Option<Colour>, text: &str, indent: usize| {
        for line in look.wrap(&clean(text), indent) {
            let line = colour.map_or(line.clone(), |colour| look.paint(colour, &line));
            lines.push(format!("{:indent$}{line}", ""));
        }
    };
    say(None, &format!("{id}  {}", case.decision.essence), 0);
    match found.again {
        Again::Same => {
            let verdict = found.recorded_verdict.name();
            say(
                Some(Colour::Green),
                &format!("decided again the same: {verdict}, by the same rules"),
                0,
            );
        }
        Again::Different => say(Some(Colour::Red), "decided again, something differs:", 0),
        Again::NotRecorded => {
            let why = found.why.as_deref().unwrap_or_default();
            say(
                Some(Colour::Yellow),
                &format!("it cannot be decided again: {why}"),
                0,
            );
        }
    }
    for difference in &found.differences {
        say(
            None,
            &format!("{} of {}", difference.what, difference.of),
            2,
        );
        say(None, &format!("recorded: {}", difference.recorded), 4);
        say(None, &format!("now:      {}", difference.now), 4);
    }
    if found.again != Again::NotRecorded {
        for judged in &found.judged {
            say(
                None,
                &format!("{}: {}", judged.verdict.name(), judged.reason),
                2,
            );
            say(Some(Colour::Dim), &super::show::rule(&judged.rule), 4);
        }
    }
    let versions = match (found.recorded_analyser, found.analyser) {
        (then, now) if then == now => format!("analyser {now}, as then"),
        (then, now) => format!(
            "recorded by analyser {then}, decided again by analyser {now}: a difference may be the \
             analyser's"
        ),
    };
    say(Some(Colour::Dim), &versions, 0);
    lines
}

/// What came of many.
#[derive(Default)]
struct Counts {
    same: usize,
    not_recorded: usize,
    other_analyser: usize,
    different: Vec<Value>,
}

fn all(store: &Store, args: &AuditExplain) -> Result<u8, Failure> {
    let sessions: Vec<SessionId> = match &args.session {
        Some(id) => vec![store.resolve(id)?],
        None => store.list()?,
    };
    let mut counts = Counts::default();
    for session in sessions {
        let intact = store.read_only(session)?.read_intact()?;
        if let Some(damage) = &intact.finding {
            print::err_line(&clean(&format!("bowline: {damage}")));
        }
        for case in cases(&intact.events) {
            let found = reevaluate(&case);
            counts.other_analyser += usize::from(found.recorded_analyser != found.analyser);
            match found.again {
                Again::Same => counts.same += 1,
                Again::NotRecorded => counts.not_recorded += 1,
                Again::Different => counts.different.push(object(&case, &found)),
            }
        }
    }
    let total = counts.same + counts.not_recorded + counts.different.len();
    if args.json {
        let object = json!({
            "decisions": total,
            "same": counts.same,
            "not_recorded": counts.not_recorded,
            "by_another_analyser": counts.other_analyser,
            "different": counts.different,
        });
        print::line(&object.to_string());
    } else {
        say(&counts, total);
    }
    Ok(u8::from(!counts.different.is_empty()))
}

fn say(counts: &Counts, total: usize) {
    print::line(&format!(
        "{total} decisions: {} decided again the same, {} differ, {} lack what is needed",
        counts.same,
        counts.different.len(),
        counts.not_recorded
    ));
    if counts.other_analyser > 0 {
        print::line(&format!(
            "{} of them were judged by another version of the analyser",
            counts.other_analyser
        ));
    }
    for one in counts.different.iter().take(NAMED) {
        let id = one["decision"].as_str().unwrap_or_default();
        let short = &id[id.len().saturating_sub(8)..];
        let essence = one["essence"].as_str().unwrap_or_default();
        print::line(&Look::of_stdout().fit(&format!("  {short}  {essence}"), 0));
    }
    if counts.different.len() > NAMED {
        print::line(&format!("  and {} more", counts.different.len() - NAMED));
    }
}
