//! Questions over many decisions read no more than they find, whatever they ask for.

use super::*;

/// So many decisions in CI; `BOWLINE_AUDIT_ROWS=1000000` for the figure in the documents.
const ROWS: u64 = 50_000;

fn rows() -> u64 {
    let asked = std::env::var("BOWLINE_AUDIT_ROWS").ok();
    asked.map_or(ROWS, |rows| rows.parse().unwrap())
}

fn session(number: u64) -> SessionId {
    SessionId::from_uuid(uuid::Uuid::from_u128(u128::from(number) + 1))
}

/// What row `at` is about, by small numbers that have no factor in common.
struct About {
    tool: &'static str,
    verdict: &'static str,
    rule: String,
    path: String,
    host: Option<String>,
    who: &'static str,
}

fn about(at: u64) -> About {
    let verdict = match at % 101 {
        0 => "deny",
        1..=7 => "ask",
        _ => "allow",
    };
    About {
        tool: ["shell", "read", "edit", "write", "grep"][usize::try_from(at % 5).unwrap()],
        verdict,
        rule: format!("rule {}", at % 97),
        path: format!("/srv/p{}/src/f{}.rs", at % 11, at % 1_009),
        host: at
            .is_multiple_of(499)
            .then(|| format!("h{}.example", at % 13)),
        who: if at.is_multiple_of(211) {
            "grant"
        } else {
            "policy"
        },
    }
}

/// The same in SQL, so that a million are made in seconds.
const FILL: &str = "
create temp table made as with recursive n (at) as (
    select 0 union all select at + 1 from n where at + 1 < ?1
) select at,
    case at % 5 when 0 then 'shell' when 1 then 'read' when 2 then 'edit' when 3 then 'write'
        else 'grep' end tool,
    case when at % 101 = 0 then 'deny' when at % 101 <= 7 then 'ask' else 'allow' end verdict,
    'rule ' || (at % 97) rule,
    '/srv/p' || (at % 11) || '/src/f' || (at % 1009) || '.rs' path,
    case when at % 499 = 0 then 'h' || (at % 13) || '.example' end host,
    case when at % 211 = 0 then 'grant' else 'policy' end who,
    printf('00000000-0000-0000-0000-%012x', at) id,
    printf('00000000-0000-0000-0000-%012x', at / 1000 + 1) session
from n;
insert into decisions (id, session, seq, what, call, decision, verdict, decided_by, tool, essence,
    reason, at_ms, mode, scope, rule, layer, tier)
select at, session, at, 'decision', id, id, verdict, who, tool, 'reads a file', 'mode ask', at,
    'ask', 'once', rule, 'built_in', 'built_in' from made;
create temp table borne as
    select at, 1 kind, tool value from made union all select at, 2, verdict from made
    union all select at, 3, rule from made union all select at, 4, 'built_in' from made
    union all select at, 5, path from made union all select at, 7, who from made
    union all select at, 6, host from made where host is not null;
insert into names (kind, value) select distinct kind, value from borne;
insert into facets (name, at_ms, decision)
    select names.id, at, at from borne join names using (kind, value) order by 1, 2, 3;
";

/// An index with `rows` decisions in sessions of a thousand.
fn filled(rows: u64) -> Index {
    let index = Index::in_memory().unwrap();
    let sql = FILL.replace("?1", &rows.to_string());
    index.db.execute_batch(&sql).unwrap();
    index
}

type Ask = fn(&mut AuditFilter);

/// Every part alone, common and rare, and parts together.
const ASKED: [(&str, Ask); 14] = [
    ("nothing", |_| {}),
    ("a tool", |it| it.tool = Some("edit".to_owned())),
    ("a common verdict", |it| it.verdict = Some(Verdict::Allow)),
    ("a rare verdict", |it| it.verdict = Some(Verdict::Deny)),
    ("a rule", |it| it.rule = Some("rule 44".to_owned())),
    ("a tier", |it| it.tier = Some(Tier::BuiltIn)),
    ("no row of a tier", |it| it.tier = Some(Tier::UserSkill)),
    ("a file", |it| {
        it.path = Some("/srv/p3/src/f3.rs".to_owned())
    }),
    ("a folder", |it| it.path = Some("/srv/p3".to_owned())),
    ("a host", |it| it.host = Some("h4.example".to_owned())),
    ("a person", |it| it.person = Some("grant".to_owned())),
    ("a session", |it| it.session = Some(session(7))),
    ("a span", |it| it.when = 20_000..21_000),
    ("all together", |it| {
        it.verdict = Some(Verdict::Allow);
        it.tool = Some("shell".to_owned());
        it.path = Some("/srv/p2".to_owned());
        it.rule = Some("rule 1".to_owned());
        it.when = 10..45_000;
    }),
];

/// The rows that fit, found by looking at each.
fn one_by_one(rows: u64, filter: &AuditFilter) -> Vec<u64> {
    let fits = |at: &u64| {
        let is = about(*at);
        let has = |asked: &Option<String>, value: &str| {
            asked.as_deref().is_none_or(|asked| value.contains(asked))
        };
        let within =
            |folder: &String| is.path == *folder || is.path.starts_with(&format!("{folder}/"));
        filter.when.contains(at)
            && has(&filter.tool, is.tool)
            && has(&filter.rule, &is.rule)
            && has(&filter.person, is.who)
            && filter.verdict.is_none_or(|it| it.name() == is.verdict)
            && filter.tier.is_none_or(|it| it == Tier::BuiltIn)
            && filter.path.as_ref().is_none_or(within)
            && (filter.host.is_none() || filter.host == is.host)
            && filter.session.is_none_or(|it| it == session(at / 1_000))
    };
    let mut found: Vec<u64> = (0..rows).rev().filter(fits).collect();
    found.truncate(filter.most.unwrap_or(usize::MAX));
    found
}

#[test]
fn many_decisions_are_found_by_any_part_and_no_question_reads_a_whole_table() {
    let rows = rows();
    let index = filled(rows);
    for (name, ask) in ASKED {
        let mut filter = AuditFilter {
            most: Some(100),
            ..AuditFilter::default()
        };
        ask(&mut filter);
        let began = std::time::Instant::now();
        let found = index.audit(&filter, |_| true).unwrap();
        let took = began.elapsed();
        eprintln!("{rows} decisions, {name}: {} rows in {took:?}", found.len());
        let found: Vec<u64> = found.iter().map(|row| row.seq.0).collect();
        assert_eq!(found, one_by_one(rows, &filter), "{name}");
        for step in index.plan(&filter).unwrap() {
            assert!(!step.starts_with("SCAN d"), "{name}: {step}");
            let is_of_many = filter.path.is_some() || filter.session.is_some();
            assert!(is_of_many || !step.contains("ORDER BY"), "{name}: {step}");
        }
    }
}

#[test]
fn a_decision_is_found_by_either_end_of_its_id() {
    let index = filled(1_000);
    for (text, expect) in [("3e7", 1), ("000003e7", 1), ("000000", 1), ("fff", 0)] {
        assert_eq!(
            index.decisions_called(text).unwrap().len(),
            expect,
            "{text}"
        );
    }
}
