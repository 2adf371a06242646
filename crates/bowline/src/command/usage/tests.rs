//! What people see fits from 40 to 120 columns, and is plain in a pipe.

use std::collections::BTreeMap;

use bowline_core::Usage;
use bowline_core::amounts::Amounts;
use bowline_runtime::usage::{By, Group, Report, Sums};

use super::table;
use super::text::{sums, tokens};
use crate::print::Look;

fn amounts(input_tokens: u64, output_tokens: u64, cost_micro_usd: u64) -> Amounts {
    Amounts {
        input_tokens,
        output_tokens,
        cost_micro_usd,
        ..Amounts::ZERO
    }
}

fn group(key: &str, calls: u64, charged: Amounts) -> Group {
    let sums = Sums {
        calls,
        reported: Usage {
            input_tokens: charged.input_tokens,
            cached_input_tokens: charged.input_tokens / 3,
            output_tokens: charged.output_tokens,
            ..Usage::default()
        },
        charged,
        reserved: charged.plus(&charged).plus(&charged),
        tool_calls: calls * 2,
        result_bytes: calls * 70_000,
        ..Sums::default()
    };
    Group {
        key: key.to_owned(),
        sums,
    }
}

fn report(by: By, keys: [&str; 3]) -> Report {
    let mut total = group("", 1_240, amounts(10_405_778, 87_654, 31_415_926)).sums;
    total.unpriced = 3;
    total.unreported = 1;
    let groups = vec![
        group(keys[0], 1_200, amounts(9_876_543, 65_432, 30_000_000)),
        group(keys[1], 38, amounts(527_000, 22_000, 1_412_345)),
        group(keys[2], 2, amounts(2_235, 222, 3_581)),
    ];
    Report { by, groups, total }
}

fn look(width: usize, is_terminal: bool) -> Look {
    Look {
        colour: false,
        width,
        is_terminal,
    }
}

#[track_caller]
fn check(width: usize, is_terminal: bool, report: &Report, expect: &str) {
    let lines = sums(&look(width, is_terminal), report, &BTreeMap::new(), &[]);
    let shown = lines.join("\n");
    assert_eq!(shown, expect.trim_matches('\n'), "\n{shown}\n");
}

const DAYS: [&str; 3] = ["2026-11-24", "2026-11-25", "2026-11-26"];

#[test]
fn a_table_of_80_columns() {
    let expect = "
day         calls      in  cached     out      money of set aside
2026-11-24  1,200    9.8M    3.2M   65.4k     $30.00          33%  █████████████
2026-11-25     38  527.0k  175.6k   22.0k    $1.4124          33%  █
2026-11-26      2   2,235     745     222  $0.003581          33%  █
total       1,240   10.4M    3.4M   87.6k    $31.42+          33%
price unknown for 3 calls: set one with [[models]], or take a table in with
bowline models import
use unknown for 1 call: counted at the worst case
";
    check(80, true, &report(By::Day, DAYS), expect);
}

#[test]
fn a_table_of_48_columns() {
    let expect = "
day             in     out      money
2026-11-24    9.8M   65.4k     $30.00  █████████
2026-11-25  527.0k   22.0k    $1.4124  █
2026-11-26   2,235     222  $0.003581  █
total        10.4M   87.6k    $31.42+
price unknown for 3 calls: set one with
[[models]], or take a table in with bowline
models import
use unknown for 1 call: counted at the worst
case
";
    check(48, true, &report(By::Day, DAYS), expect);
}

#[test]
fn a_table_of_tools_of_80_columns() {
    let expect = "
tool        calls  results      in     out      money
shell       2,400   84.0MB    9.8M   65.4k     $30.00  ████████████████████
read           76    2.6MB  527.0k   22.0k    $1.4124  █
answer          4  140.0kB   2,235     222  $0.003581  █
total       2,480   86.8MB   10.4M   87.6k    $31.42+
price unknown for 3 calls: set one with [[models]], or take a table in with
bowline models import
use unknown for 1 call: counted at the worst case
";
    check(
        80,
        true,
        &report(By::Tool, ["shell", "read", "answer"]),
        expect,
    );
}

#[test]
fn a_table_in_a_pipe() {
    let expect = "
day         calls      in  cached     out      money of set aside
2026-11-24  1,200    9.8M    3.2M   65.4k     $30.00          33%
2026-11-25     38  527.0k  175.6k   22.0k    $1.4124          33%
2026-11-26      2   2,235     745     222  $0.003581          33%
total       1,240   10.4M    3.4M   87.6k    $31.42+          33%
price unknown for 3 calls: set one with [[models]], or take a table in with bowline models import
use unknown for 1 call: counted at the worst case
";
    check(200, false, &report(By::Day, DAYS), expect);
}

#[test]
fn every_width_is_kept_to_and_no_escape_gets_through() {
    let long = "/srv/a/very/long/path/to/a/project/that/no/terminal/is/wide/enough/for/\u{1b}[31m";
    for by in [By::Day, By::Session, By::Model, By::Tool, By::Project] {
        let report = report(by, [long, "b\nc", ""]);
        for width in 40..=120 {
            for is_terminal in [true, false] {
                let look = look(width, is_terminal);
                let lines = sums(&look, &report, &BTreeMap::new(), &[]);
                for line in &lines[..5] {
                    assert!(line.chars().count() <= width, "{width}: {line}");
                    assert!(!line.contains(['\u{1b}', '\n']), "{line:?}");
                }
                let has_bars = lines.iter().any(|line| line.contains('█'));
                assert!(is_terminal || !has_bars);
                assert!(has_bars || !is_terminal || width < 48, "{width}");
            }
        }
    }
}

#[test]
fn numbers_are_short_and_never_too_low_in_money() {
    let rows = [
        (0, "0"),
        (9_999, "9,999"),
        (10_000, "10.0k"),
        (999_999, "999.9k"),
        (1_000_000, "1.0M"),
        (u64::MAX, "18446744073.7G"),
    ];
    for (number, expect) in rows {
        assert_eq!(tokens(number), expect);
    }
    let rows = [
        (0, "$0.00"),
        (1, "$0.000001"),
        (9_999, "$0.009999"),
        (10_001, "$0.0101"),
        (9_999_901, "$10.00"),
        (1_234_567_891, "$1,234.57"),
    ];
    for (micro_usd, expect) in rows {
        assert_eq!(table::money(micro_usd), expect);
    }
}

#[test]
fn a_table_for_spreadsheets_runs_nothing() {
    let report = report(By::Project, ["=cmd|' /C calc'!A0", "a,\"b\"", "@SUM(A1)"]);
    let text = table::sums(&report);
    let read = bowline_runtime::usage::csv::read(&text).expect("a table");
    assert_eq!(read.len(), 4);
    let head = &read[0].cells;
    assert_eq!(head[0], "project");
    for record in &read[1..] {
        assert_eq!(record.cells.len(), head.len());
        for cell in &record.cells {
            assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
        }
    }
    assert_eq!(read[1].cells[10], "30.00", "money is exact: {}", head[10]);
    assert_eq!(read[3].cells[10], "0.003581");
}
