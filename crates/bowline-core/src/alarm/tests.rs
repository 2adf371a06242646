//! Alarms are said in one line, and read back whatever version wrote them.

use super::*;

fn alarm(metric: Metric, figure: u64, baseline: u64, cause: AlarmCause) -> AlarmRaised {
    AlarmRaised {
        metric,
        figure,
        baseline,
        spread: 1,
        limit: 2,
        window: AlarmWindow {
            samples: 200,
            span_ms: 1,
        },
        model: "openai/x".parse().unwrap(),
        project: "/srv/app".to_owned(),
        cause,
        action: AlarmAction::Note,
        failed: None,
    }
}

#[test]
fn each_alarm_is_one_line() {
    let tool = AlarmCause::Tool {
        tool: "read".to_owned(),
        field: "description".to_owned(),
    };
    let children = AlarmCause::Children {
        cost_micro_usd: 4_000_000,
    };
    let table = [
        (
            alarm(Metric::Tools, 1, 0, tool),
            "a tool is not what the model was told: tool `read` has another description",
        ),
        (
            alarm(Metric::UsdPerHour, 5_004_000, 1_000_000, children),
            "$5.00 within an hour, usually $1.00: child sessions spent $4.00",
        ),
        (
            alarm(Metric::CacheHits, 104, 951, AlarmCause::Unknown),
            "10 % of the input from the cache, usually 95 %: nothing that was seen explains it",
        ),
    ];
    for (alarm, line) in table {
        assert_eq!(alarm.line(), line);
        let held = AlarmRaised {
            action: AlarmAction::Pause,
            ..alarm.clone()
        };
        assert_eq!(held.line(), format!("{line}; the session is on hold"));
        let failed = AlarmRaised {
            action: AlarmAction::WebhookFile,
            failed: Some("full".to_owned()),
            ..alarm
        };
        let line = format!("{line}; webhook_file could not be done: full");
        assert_eq!(failed.line(), line);
    }
}

#[test]
fn a_cause_of_a_newer_version_stays_readable() {
    let mut written =
        serde_json::to_value(alarm(Metric::Errors, 1, 0, AlarmCause::Unknown)).unwrap();
    written["cause"] = serde_json::json!({ "kind": "moon_rose", "full": true });
    let read: AlarmRaised = serde_json::from_value(written).unwrap();
    assert_eq!(read.cause, AlarmCause::Other);
}

#[test]
fn names_of_metrics_and_actions_are_what_is_written() {
    for metric in Metric::ALL {
        assert_eq!(serde_json::to_value(metric).unwrap(), metric.name());
    }
    for action in ["note", "webhook_file", "ask", "pause"] {
        let read: AlarmAction = action.parse().unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), action);
    }
    assert!("shout".parse::<AlarmAction>().is_err());
}
