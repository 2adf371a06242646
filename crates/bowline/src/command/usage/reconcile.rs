//! `bowline usage reconcile FILE`: the provider's own export against the journals.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use bowline_core::amounts::{dollars, grouped};
use bowline_journal::Store;
use bowline_runtime::usage::export::{self, Export, MOST_BYTES};
use bowline_runtime::usage::minute;
use bowline_runtime::usage::reconcile::{
    EARLIER_MS, Finding, LATER_MS, Options, Reconciliation, Tokens, reconcile,
};
use serde_json::json;

use crate::args::Reconcile;
use crate::failure::Failure;
use crate::print::{self, Colour, Look};

pub fn run(store: &Store, args: &Reconcile) -> Result<u8, Failure> {
    let permille = export::scaled(args.tolerance.trim_end_matches('%'), 1);
    let Some(tolerance_permille) = permille.filter(|permille| *permille <= 1_000) else {
        return Err(Failure::usage(format!(
            "--tolerance: `{}` is no percentage from 0 to 100",
            args.tolerance
        )));
    };
    let export = read(&args.file)?;
    let view = store.view()?;
    let (from_ms, to_ms) = export.covers_ms;
    let when = from_ms.saturating_sub(LATER_MS)..to_ms + EARLIER_MS;
    let rows = view.usage_within(&when)?;
    let options = Options {
        providers: args.provider.clone(),
        tolerance_permille,
    };
    let found = reconcile(&export, &rows, &options);
    for summary in view.sessions(None) {
        if let Some(damage) = &summary.damage {
            print::err_line(&print::clean(&format!(
                "bowline: session {} is damaged, so some of what looks foreign may be its own: \
                 {damage}",
                summary.session.short()
            )));
        }
    }
    if args.json {
        print::line(&json!(found).to_string());
    } else {
        let look = Look::of_stdout();
        for line in lines(&look, &found) {
            print::line(&line);
        }
    }
    Ok(u8::from(!found.foreign.is_empty()))
}

fn read(path: &Path) -> Result<Export, Failure> {
    let name = path.display();
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin()
            .take(MOST_BYTES + 1)
            .read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
    };
    let length = read.map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))?;
    if length as u64 > MOST_BYTES {
        return Err(Failure::usage(format!(
            "{name} is larger than {} MiB: export a shorter time",
            MOST_BYTES >> 20
        )));
    }
    export::read(&bytes).map_err(|why| Failure::usage(format!("{name}: {why}")))
}

/// What came out, for people.
pub fn lines(look: &Look, found: &Reconciliation) -> Vec<String> {
    let mut lines = vec![
        format!(
            "{}, {} to {} UTC",
            found.form.name(),
            minute(found.from_ms),
            minute(found.to_ms)
        ),
        format!("  they list {}", tokens(&found.theirs)),
        format!(
            "  ours are  {}, in {} calls",
            tokens(&found.ours),
            grouped(found.calls)
        ),
    ];
    let put = |lines: &mut Vec<String>, text: &str| {
        lines.extend(
            look.wrap(text, 2)
                .into_iter()
                .map(|line| format!("  {line}")),
        );
    };
    if found.foreign.is_empty() {
        lines.push(look.paint(Colour::Green, "all use is ours"));
    } else {
        let count = found.foreign.len();
        let head = format!(
            "{count} use{} not ours",
            if count == 1 { " is" } else { "s are" }
        );
        lines.push(look.paint(Colour::Red, &head));
        for finding in &found.foreign {
            put(&mut lines, &told(finding));
        }
    }
    if !found.unlisted.is_empty() {
        lines.push(look.paint(Colour::Yellow, "ours, and not listed"));
        for finding in &found.unlisted {
            put(&mut lines, &told(finding));
        }
    }
    if !found.cost_differences.is_empty() {
        lines.push(look.paint(Colour::Yellow, "same tokens, other money"));
        for one in &found.cost_differences {
            let text = format!(
                "{}  {}: they ask {}, we charged {}",
                minute(one.from_ms),
                one.models.join(", "),
                dollars(one.theirs_micro_usd),
                dollars(one.ours_micro_usd)
            );
            put(&mut lines, &text);
        }
    }
    for note in notes(found) {
        let note = look.wrap(&note, 0).into_iter();
        lines.extend(note.map(|line| look.paint(Colour::Dim, &line)));
    }
    lines
}

fn notes(found: &Reconciliation) -> Vec<String> {
    let mut notes = Vec::new();
    if found.untold.total() > 0 {
        notes.push(format!(
            "{} are explained only by calls of ours that were cut, of which nobody told us what \
             they used: so much foreign use could hide there",
            tokens(&found.untold)
        ));
    }
    if found.tolerated > 0 {
        let count = grouped(found.tolerated);
        notes.push(format!("{count} differences are within the tolerance"));
    }
    if found.has_more {
        notes.push("the file is one page of several: export the others too".to_owned());
    }
    if !found.foreign.is_empty() {
        notes.push(
            "use that is not ours: other programs with the same key, or a key in other hands. \
             Revoke the key if nobody else should have it"
                .to_owned(),
        );
    }
    notes
}

fn told(finding: &Finding) -> String {
    let models = match finding.models.as_slice() {
        [] => "all models".to_owned(),
        models => models.join(", "),
    };
    let request = finding.request_id.as_ref();
    let request = request.map_or_else(String::new, |id| format!(", request {id}"));
    let keys = match finding.keys.as_slice() {
        [] => String::new(),
        keys => format!(", with key {}", keys.join(", ")),
    };
    format!(
        "{}  {models}: {}{request}{keys}: {}",
        minute(finding.from_ms),
        tokens(&finding.tokens),
        finding.why
    )
}

fn tokens(tokens: &Tokens) -> String {
    format!(
        "{} tokens in, {} out",
        grouped(tokens.input_tokens),
        grouped(tokens.output_tokens)
    )
}
