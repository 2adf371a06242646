//! `bowline models import FILE`: takes in a table of prices that others keep.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bowline_core::price::{Price, Rates};
use bowline_model::catalog::import::{self, Changed, Imported, Merged, Skipped, merge};
use bowline_model::catalog::table::{self, Row};
use bowline_model::catalog::{self, decimal};
use bowline_runtime::{Clock, date_and_time};

use crate::command::answer::refuse_under_a_keeper;
use crate::failure::Failure;
use crate::places::Places;
use crate::{config_folder, prices, print};

/// The largest table that is read, in bytes.
const BYTES_MAX: u64 = 64 << 20;

/// How many models are named that are new or broken.
const NAMED_MAX: usize = 20;

/// How many are named that matter less.
const FEW: usize = 5;

/// Reads the table, says what it changes, and writes it down.
pub fn run(
    places: &Places,
    file: &Path,
    provider: Option<&str>,
    dry_run: bool,
) -> Result<u8, Failure> {
    // The agent must not say what its own work costs.
    refuse_under_a_keeper()?;
    let name = if file == Path::new("-") {
        "standard input".to_owned()
    } else {
        file.display().to_string()
    };
    let bytes =
        read(file).map_err(|why| Failure::usage(format!("{name} cannot be read: {why}")))?;
    let day = date_and_time(Clock::system().now_ms());
    let day = day.split(' ').next().unwrap_or_default();
    let table = import::read(&bytes, day, provider)
        .map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    drop(bytes);
    if table.rows.is_empty() && table.skipped.is_empty() {
        let whose = provider.map_or_else(String::new, |provider| format!(" of `{provider}`"));
        return Err(Failure::usage(format!("{name} holds no model{whose}")));
    }
    let held = (!dry_run).then(|| config_folder::hold(&places.config));
    let _held = held.transpose().map_err(|error| cannot(places, &error))?;
    let before = prices::Imported::read(places)?.text;
    let merged = merge(&before, &table.rows, |row| catalog::row(&row.id));
    tell(&name, &table, &merged);
    if merged.text.len() as u64 > prices::TABLE_BYTES_MAX {
        return Err(Failure::usage(format!(
            "{name}: with it the table would be larger than 16 MiB: take one provider in, with \
             --provider"
        )));
    }
    if table.rows.is_empty() {
        print::err_line("nothing is written: there is no model with a price in it");
        return Ok(1);
    }
    if dry_run {
        print::line("nothing is written: --dry-run");
        return Ok(0);
    }
    let file = places.imported_models();
    config_folder::replace(&file, &merged.text).map_err(|error| cannot(places, &error))?;
    print::line(&print::clean(&format!("written to {}", file.display())));
    Ok(0)
}

fn cannot(places: &Places, error: &io::Error) -> Failure {
    let file = places.imported_models();
    Failure::stopped(format!("{} cannot be written: {error}", file.display()))
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    if file == Path::new("-") {
        return bounded(io::stdin());
    }
    let file = File::open(file).map_err(|error| error.to_string())?;
    let meta = file.metadata().map_err(|error| error.to_string())?;
    if !meta.is_file() {
        return Err("it is not a regular file; pipe it in with -".to_owned());
    }
    bounded(file)
}

fn bounded(from: impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    from.take(BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err("it is larger than 64 MiB: that is no table of models".to_owned());
    }
    Ok(bytes)
}

/// Says what the table changes.
fn tell(name: &str, table: &Imported, merged: &Merged) {
    let say = |text: &str| print::line(&print::clean(text));
    say(&format!(
        "{name}: {} models with a price, in the form of {}",
        table.rows.len(),
        table.form.name()
    ));
    group("new", &merged.new, NAMED_MAX, |row| {
        format!("{}  {}", row.id, in_words(row.price.as_ref()))
    });
    // What becomes dearer or cheaper is worth every line.
    if !merged.changed.is_empty() {
        say(&format!("changed ({})", merged.changed.len()));
        for changed in &merged.changed {
            say(&format!("  {}  {}", changed.new.id, difference(changed)));
        }
    }
    if merged.same > 0 {
        say(&format!("the same ({})", merged.same));
    }
    if merged.kept > 0 {
        say(&format!("kept from before ({})", merged.kept));
    }
    let free: Vec<&Row> = table.rows.iter().filter(|row| is_free(row)).collect();
    group("cost nothing by this table", &free, FEW, |row| {
        row.id.to_string()
    });
    let (broken, other): (Vec<&Skipped>, Vec<&Skipped>) =
        table.skipped.iter().partition(|row| row.is_broken);
    group("left out, cannot be read", &broken, NAMED_MAX, |row| {
        format!("{}: {}", row.name, row.why)
    });
    let mut reasons: Vec<&str> = other.iter().map(|row| row.why.as_str()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    for why in reasons {
        let rows: Vec<_> = other.iter().filter(|row| row.why == why).collect();
        group(&format!("left out, {why}"), &rows, FEW, |row| {
            row.name.clone()
        });
    }
}

/// Names the rows of one kind, not without end.
fn group<T>(title: &str, rows: &[T], named_max: usize, line: impl Fn(&T) -> String) {
    if rows.is_empty() {
        return;
    }
    print::line(&format!("{title} ({})", rows.len()));
    for row in rows.iter().take(named_max) {
        let line: String = line(row)
            .replace('\n', " ")
            .chars()
            .take(LINE_MAX)
            .collect();
        print::line(&print::clean(&format!("  {line}")));
    }
    if rows.len() > named_max {
        print::line(&format!("  and {} more", rows.len() - named_max));
    }
}

/// The most letters of a line about one row: names are foreign.
const LINE_MAX: usize = 300;

fn is_free(row: &Row) -> bool {
    row.price.is_some_and(|price| {
        price.rates.input_micro_usd_per_mtok == 0 && price.rates.output_micro_usd_per_mtok == 0
    })
}

fn in_words(price: Option<&Price>) -> String {
    price.map_or_else(
        || "price unknown".to_owned(),
        |price| {
            let show = decimal::show;
            let input = show(price.rates.input_micro_usd_per_mtok);
            format!(
                "input {input}, output {}",
                show(price.rates.output_micro_usd_per_mtok)
            )
        },
    )
}

/// What is different, each with old and new.
fn difference(changed: &Changed) -> String {
    let Changed { old, new } = changed;
    let number = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let money = |row: &Row, rate: fn(&Rates) -> u64| {
        let rates = row.price.map(|price| price.rates);
        rates.map_or_else(|| "-".to_owned(), |rates| decimal::show(rate(&rates)))
    };
    let long = |row: &Row| {
        let long = row.price.and_then(|price| price.long);
        table::show_long(long.as_ref())
    };
    let of = |row: &Row| {
        [
            ("input", money(row, |rates| rates.input_micro_usd_per_mtok)),
            (
                "output",
                money(row, |rates| rates.output_micro_usd_per_mtok),
            ),
            (
                "cache read",
                money(row, |rates| rates.cache_read_micro_usd_per_mtok),
            ),
            (
                "cache write",
                money(row, |rates| rates.cache_write_micro_usd_per_mtok),
            ),
            ("long", long(row)),
            ("context", number(row.context_tokens)),
            ("reply", number(row.output_tokens_max)),
        ]
    };
    let pairs = of(old).into_iter().zip(of(new));
    let differ = pairs.filter(|((_, old), (_, new))| old != new);
    let words: Vec<String> = differ
        .map(|((name, old), (_, new))| format!("{name} {old} -> {new}"))
        .collect();
    words.join(", ")
}
