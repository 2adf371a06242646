//! Sums for people: columns that fit from 40 columns on, small bars on a terminal.

use std::collections::BTreeMap;

use bowline_core::amounts::{Measure, dollars, grouped};
use bowline_runtime::moment;
use bowline_runtime::usage::accuracy::Accuracy;
use bowline_runtime::usage::{By, Report, Sums};

use super::open::Open;
use super::table::{money, ratio};
use crate::print::{Colour, Look, clean, duration};

/// Nothing is wider: numbers far apart are hard to read together.
const WIDEST: usize = 120;
const NARROWEST: usize = 40;
/// Room for keys at the least and at the most.
const KEY: std::ops::RangeInclusive<usize> = 10..=40;
/// The longest and the shortest bar.
const BAR: std::ops::RangeInclusive<usize> = 4..=20;

/// A column: its head, how wide it is, and what it shows.
struct Column {
    head: &'static str,
    width: usize,
    /// It is left out below this many columns of the terminal.
    from_width: usize,
    show: fn(&Sums) -> String,
}

const COLUMNS: [Column; 6] = [
    Column {
        head: "calls",
        width: 6,
        from_width: 56,
        show: |sums| tokens(sums.calls),
    },
    Column {
        head: "in",
        width: 7,
        from_width: 0,
        show: |sums| tokens(sums.charged.input_tokens),
    },
    Column {
        head: "cached",
        width: 7,
        from_width: 72,
        show: |sums| tokens(sums.reported.cached_input_tokens),
    },
    Column {
        head: "out",
        width: 7,
        from_width: 0,
        show: |sums| tokens(sums.charged.output_tokens),
    },
    Column {
        head: "money",
        width: 10,
        from_width: 0,
        show: cost,
    },
    Column {
        head: "of set aside",
        width: 12,
        from_width: 76,
        show: used,
    },
];

const OF_TOOLS: [Column; 5] = [
    Column {
        head: "calls",
        width: 6,
        from_width: 56,
        show: |sums| tokens(sums.tool_calls),
    },
    Column {
        head: "results",
        width: 8,
        from_width: 66,
        show: |sums| bytes(sums.result_bytes),
    },
    Column {
        head: "in",
        width: 7,
        from_width: 0,
        show: |sums| tokens(sums.charged.input_tokens),
    },
    Column {
        head: "out",
        width: 7,
        from_width: 0,
        show: |sums| tokens(sums.charged.output_tokens),
    },
    Column {
        head: "money",
        width: 10,
        from_width: 0,
        show: cost,
    },
];

/// The table, a line of totals, and what else is to be known. `titles` are those of sessions.
pub fn sums(
    look: &Look,
    report: &Report,
    titles: &BTreeMap<String, String>,
    open: &[Open],
) -> Vec<String> {
    let width = look.width.clamp(NARROWEST, WIDEST);
    let all: &[Column] = match report.by {
        By::Tool => &OF_TOOLS,
        _ => &COLUMNS,
    };
    let columns: Vec<&Column> = all.iter().filter(|it| it.from_width <= width).collect();
    let taken: usize = columns.iter().map(|column| column.width + 1).sum();
    let names: Vec<String> = report
        .groups
        .iter()
        .map(|group| name(report.by, &group.key, titles))
        .collect();
    let longest = names.iter().map(|name| name.chars().count()).max();
    let room = width.saturating_sub(taken);
    let keys = longest.unwrap_or(0).clamp(*KEY.start(), *KEY.end());
    // A bar says more than the end of a long key.
    let beside_bar = room.saturating_sub(BAR.start() + 2);
    let keys = keys.min(beside_bar.max(*KEY.start())).min(room);
    let bar = room.saturating_sub(keys + 2).min(*BAR.end());
    let bar = if look.is_terminal && bar >= *BAR.start() {
        bar
    } else {
        0
    };
    let has_money = report.total.charged.cost_micro_usd > 0;
    let measure = |sums: &Sums| match has_money {
        true => sums.charged.cost_micro_usd,
        false => sums.charged.total_tokens(),
    };
    let groups = report.groups.iter();
    let most = groups.map(|group| measure(&group.sums)).max().unwrap_or(0);
    let line = |key: &str, cells: Vec<String>, bar: &str| {
        let mut line = format!("{:<keys$}", cut(key, keys, report.by));
        for (column, cell) in columns.iter().zip(cells) {
            line.push_str(&format!(" {cell:>0$}", column.width));
        }
        if !bar.is_empty() {
            line = format!("{line}  {}", look.paint(Colour::Green, bar));
        }
        line.trim_end().to_owned()
    };
    let cells = |sums: &Sums| columns.iter().map(|column| (column.show)(sums)).collect();
    let heads = columns
        .iter()
        .map(|column| column.head.to_owned())
        .collect();
    let mut lines = vec![look.paint(Colour::Bold, &line(report.by.name(), heads, ""))];
    for (group, name) in report.groups.iter().zip(&names) {
        let blocks = blocks(measure(&group.sums), most, bar);
        lines.push(line(name, cells(&group.sums), &blocks));
    }
    lines.push(look.paint(Colour::Bold, &line("total", cells(&report.total), "")));
    lines.extend(notes(look, &report.total, open));
    lines
}

/// What the numbers do not say by themselves.
fn notes(look: &Look, total: &Sums, open: &[Open]) -> Vec<String> {
    let mut notes = Vec::new();
    if !open.is_empty() {
        let tokens = open.iter().map(|open| open.amounts.total_tokens());
        let money = open.iter().map(|open| open.amounts.cost_micro_usd);
        notes.push(format!(
            "{} not settled: {} tokens and {} are set aside on top: bowline usage --open",
            calls(count(open.len())),
            grouped(tokens.fold(0, u64::saturating_add)),
            dollars(money.fold(0, u64::saturating_add)),
        ));
    }
    if total.unpriced > 0 {
        notes.push(format!(
            "price unknown for {}: set one with [[models]], or take a table in with bowline models \
             import",
            calls(total.unpriced)
        ));
    }
    if total.unreported > 0 {
        notes.push(format!(
            "use unknown for {}: counted at the worst case",
            calls(total.unreported)
        ));
    }
    let lines = notes.iter().flat_map(|note| look.wrap(note, 0));
    lines.map(|line| look.paint(Colour::Dim, &line)).collect()
}

fn calls(number: u64) -> String {
    match number {
        1 => "1 call".to_owned(),
        many => format!("{} calls", grouped(many)),
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// A key as people know it.
fn name(by: By, key: &str, titles: &BTreeMap<String, String>) -> String {
    let name = match (by, titles.get(key)) {
        (By::Session, title) => {
            let short = &key[key.len().saturating_sub(8)..];
            format!("{short} {}", title.map_or("", String::as_str))
        }
        _ => key.to_owned(),
    };
    clean(&name).replace(['\n', '\t'], " ")
}

/// A key that fits: of a folder the end says more, of others the beginning.
fn cut(key: &str, room: usize, by: By) -> String {
    let length = key.chars().count();
    if length <= room {
        return key.to_owned();
    }
    let kept = room.saturating_sub(1);
    if by == By::Project {
        let end: String = key.chars().skip(length - kept).collect();
        format!("…{end}")
    } else {
        let start: String = key.chars().take(kept).collect();
        format!("{start}…")
    }
}

fn blocks(value: u64, most: u64, room: usize) -> String {
    if room == 0 || most == 0 || value == 0 {
        return String::new();
    }
    let share = u128::from(value) * room as u128 / u128::from(most);
    let count = usize::try_from(share).unwrap_or(room).clamp(1, room);
    "█".repeat(count)
}

/// A number in few characters: exact below ten thousand, then to a tenth of its unit.
pub fn tokens(number: u64) -> String {
    let tenths = |unit: u64, name: &str| {
        let tenths = number / (unit / 10);
        format!("{}.{}{name}", tenths / 10, tenths % 10)
    };
    match number {
        0..10_000 => grouped(number),
        10_000..1_000_000 => tenths(1_000, "k"),
        1_000_000..1_000_000_000 => tenths(1_000_000, "M"),
        _ => tenths(1_000_000_000, "G"),
    }
}

fn bytes(number: u64) -> String {
    match number {
        0..10_000 => format!("{}B", grouped(number)),
        _ => format!("{}B", tokens(number)),
    }
}

/// Money; nothing where no price was known for any call.
fn cost(sums: &Sums) -> String {
    let is_known = sums.charged.cost_micro_usd > 0 || sums.unpriced == 0;
    let money = money(sums.charged.cost_micro_usd);
    match (is_known, sums.unpriced) {
        (false, _) => "unknown".to_owned(),
        (true, 0) => money,
        (true, _) => format!("{money}+"),
    }
}

/// Tokens charged for each hundred that were set aside.
fn used(sums: &Sums) -> String {
    let reserved = u128::from(sums.reserved.total_tokens());
    let charged = u128::from(sums.charged.total_tokens());
    match reserved {
        0 => String::new(),
        reserved => format!("{}%", charged * 100 / reserved),
    }
}

/// How good bounds were.
pub fn accuracy(look: &Look, found: &[Accuracy]) -> Vec<String> {
    let room = look.width.clamp(NARROWEST, WIDEST);
    let is_narrow = room < 76;
    let keys = room.saturating_sub(if is_narrow { 34 } else { 58 }).min(40);
    let mut lines = Vec::new();
    let mut put = |key: &str, evidence: &str, numbers: [&str; 6], used: &str| {
        let key = cut(&clean(key), keys, By::Model);
        let [calls, below, p50, p90, p99, max] = numbers;
        lines.push(if is_narrow {
            format!("{key:<keys$} {evidence:<7} {below:>5} {p50:>6} {max:>8}")
        } else {
            format!(
                "{key:<keys$} {evidence:<7} {calls:>6} {below:>5} {p50:>6} {p90:>6} {p99:>6} \
                 {max:>7} {used:>7}"
            )
        });
    };
    let heads = ["calls", "below", "p50", "p90", "p99", "max"];
    put("model", "by", heads, "settled");
    for one in found {
        let ratios = [
            one.p50_permille,
            one.p90_permille,
            one.p99_permille,
            one.max_permille,
        ];
        let [p50, p90, p99, max] = ratios.map(ratio);
        let (calls, below) = (tokens(one.calls), tokens(one.below));
        let used = Sums {
            charged: one.charged,
            reserved: one.reserved,
            ..Sums::default()
        };
        let numbers = [&*calls, &*below, &*p50, &*p90, &*p99, &*max];
        put(&one.model, &one.evidence, numbers, &self::used(&used));
    }
    if let Some(head) = lines.first_mut() {
        *head = look.paint(Colour::Bold, head);
    }
    let note = "bound on the input to what it really was: 1.000 is exact, below it a bound was too \
                low; settled: tokens charged of those set aside, replies included";
    let note = look.wrap(note, 0).into_iter();
    lines.extend(note.map(|line| look.paint(Colour::Dim, &line)));
    lines
}

/// What is set aside, a paragraph each.
pub fn open(look: &Look, all: &[Open], now_ms: u64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut is_left = false;
    for open in all {
        let (state, colour) = match (open.is_owned, open.claim.is_some()) {
            (true, _) => ("running", Colour::Green),
            (false, true) => ("left", Colour::Yellow),
            (false, false) => ("left, in its journal only", Colour::Yellow),
        };
        is_left |= !open.is_owned && open.claim.is_some();
        let head = format!("{} {}", open.kind, open.short());
        let rest = format!(
            "since {} ({} ago)",
            moment(open.at_ms),
            duration(now_ms.saturating_sub(open.at_ms))
        );
        lines.push(format!(
            "{}  {}  {rest}",
            look.paint(Colour::Bold, &head),
            look.paint(colour, state)
        ));
        let amounts = open.amounts;
        lines.push(look.fit(
            &format!(
                "  {}, {}, {}",
                Measure::InputTokens.show(amounts.input_tokens),
                Measure::OutputTokens.show(amounts.output_tokens),
                dollars(amounts.cost_micro_usd)
            ),
            0,
        ));
        let whose = format!("  session {}  {}", open.session.short(), open.project);
        lines.push(look.fit(&whose, 0));
    }
    if is_left {
        let note = "what is left by a process that is gone stays counted: look at what the provider \
                    lists, then bowline usage settle ID --tokens-in N --tokens-out N, or --nothing";
        let note = look.wrap(note, 0).into_iter();
        lines.extend(note.map(|line| look.paint(Colour::Dim, &line)));
    }
    lines
}
