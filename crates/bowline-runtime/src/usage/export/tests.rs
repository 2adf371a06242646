//! Exports of every form are read to the token; what is none is refused in one line.

use super::{Form, number, read};
use crate::usage::tests::DAY;

/// The form, and of each line: place, hours since the day began, model, tokens in and out.
type Line = (&'static str, u64, u64, &'static str, u64, u64);

#[track_caller]
fn check(text: &str, form: Form, expect: &[Line]) {
    let export = read(text.as_bytes()).unwrap();
    assert_eq!(export.form, form);
    let lines: Vec<_> = export
        .lines
        .iter()
        .map(|line| {
            let hour = |at_ms: u64| (at_ms - DAY) / 3_600_000;
            let model = line.model.as_deref().unwrap_or("");
            let tokens = (line.input_tokens, line.output_tokens);
            let (from, to) = (hour(line.from_ms), hour(line.to_ms));
            (&*line.place, from, to, model, tokens.0, tokens.1)
        })
        .collect();
    assert_eq!(lines, expect);
}

#[test]
fn an_openai_table_is_read() {
    // As the dashboard gives it: numbers with a point, a line without use for a day without any.
    let text = "start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,\
        user_id,api_key_id,model,batch,service_tier,input_tokens,output_tokens,\
        input_cached_tokens,input_uncached_tokens\n\
        1795564800,1795651200,2026-11-25T00:00:00+00:00,2026-11-26T00:00:00+00:00,proj_a,10.0,\
        user-a,key_a,gpt-4o-2024-08-06,FALSE,default,59200.0,10646.0,5760.0,53440.0\n\
        1795651200,1795737600,2026-11-26T00:00:00+00:00,2026-11-27T00:00:00+00:00,,,,,,,,,,,\n";
    let expect = [("line 2", 0, 24, "gpt-4o-2024-08-06", 59_200, 10_646)];
    check(text, Form::OpenaiTable, &expect);
    check(&text.replace(',', "\t"), Form::OpenaiTable, &expect);
    let export = read(text.as_bytes()).unwrap();
    assert_eq!(export.covers_ms, (DAY, DAY + 2 * 86_400_000));
    assert_eq!(export.lines[0].key.as_deref(), Some("key_a"));
}

#[test]
fn openai_buckets_are_read() {
    let result = r#"{"object":"organization.usage.completions.result","input_tokens":1000,
        "output_tokens":500,"input_cached_tokens":800,"num_model_requests":5,"project_id":null,
        "api_key_id":"key_a","model":"gpt-5","batch":null}"#;
    let page = |more: bool| {
        format!(
            r#"{{"object":"page","data":[
            {{"object":"bucket","start_time":1795564800,"end_time":1795651200,"results":[{result}]}},
            {{"object":"bucket","start_time":1795651200,"end_time":1795737600,"results":[]}}],
            "has_more":{more},"next_page":null}}"#
        )
    };
    let line = ("bucket 1", 0, 24, "gpt-5", 1_000, 500);
    check(&page(false), Form::OpenaiBuckets, &[line]);
    let again = ("bucket 3", 0, 24, "gpt-5", 1_000, 500);
    // Pages in a list, or one after the other.
    let two = [line, again];
    check(
        &format!("[{},{}]", page(true), page(false)),
        Form::OpenaiBuckets,
        &two,
    );
    check(
        &format!("{}\n{}", page(true), page(false)),
        Form::OpenaiBuckets,
        &two,
    );
    assert!(read(page(true).as_bytes()).unwrap().has_more);
}

#[test]
fn an_anthropic_table_is_read() {
    let head = "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,\
        usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,\
        usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,\
        web_search_count,inference_geo,speed\n";
    let row = "claude-opus-5,\"App, mine\",Default,standard,≤ 200k,46981,15969,5,100,16932,0,\
        global,\n";
    let tokens = (46_981 + 15_969 + 5 + 100, 16_932);
    check(
        &format!("{head}2026-11-25,{row}"),
        Form::AnthropicTable,
        &[("line 2", 0, 24, "claude-opus-5", tokens.0, tokens.1)],
    );
    check(
        &format!("{head}2026-11-25T13:00:00Z,{row}"),
        Form::AnthropicTable,
        &[("line 2", 13, 14, "claude-opus-5", tokens.0, tokens.1)],
    );
}

#[test]
fn anthropic_buckets_are_read() {
    let text = r#"{"data":[{"starting_at":"2026-11-25T00:00:00Z","ending_at":"2026-11-26T00:00:00Z",
        "results":[{"uncached_input_tokens":1500,"cache_creation":{"ephemeral_1h_input_tokens":1000,
        "ephemeral_5m_input_tokens":500},"cache_read_input_tokens":200,"output_tokens":500,
        "server_tool_use":{"web_search_requests":10},"api_key_id":"apikey_a","workspace_id":null,
        "model":"claude-sonnet-5","service_tier":"standard","context_window":"0-200k"}]}],
        "has_more":false,"next_page":null}"#;
    let line = ("bucket 1", 0, 24, "claude-sonnet-5", 3_200, 500);
    check(text, Form::AnthropicBuckets, &[line]);
}

#[test]
fn any_table_is_read() {
    let text = "Request ID;Time;Model;Input Tokens;Output Tokens;Cost\n\
        req_1;2026-11-25 10:30:00;openai/gpt-5;150;75;$0.0012\n\
        req_2;2026-11-25T11:30:00+01:00;gpt-5;1;0;3e-5\n";
    let expect = [
        ("line 2", 10, 10, "openai/gpt-5", 150, 75),
        ("line 3", 10, 10, "gpt-5", 1, 0),
    ];
    check(text, Form::Table, &expect);
    let export = read(text.as_bytes()).unwrap();
    let costs: Vec<_> = export
        .lines
        .iter()
        .map(|line| line.cost_micro_usd)
        .collect();
    assert_eq!(costs, [Some(1_200), Some(30)]);
    assert_eq!(export.lines[1].request_id.as_deref(), Some("req_2"));
    // Without a model a line is about all of them.
    let text = "date,prompt_tokens,completion_tokens\n2026-11-25,5,6\n";
    check(text, Form::Table, &[("line 2", 0, 24, "", 5, 6)]);
}

#[test]
fn what_is_no_export_is_refused_in_one_line() {
    let rows: [(&[u8], &str); 16] = [
        (b"", "empty"),
        (b"\xff\xfe\x00", "no usage export"),
        (b"hello", "no usage export"),
        (b"{}", "no usage export"),
        (b"{\"data\":[]}", "no usage export"),
        (b"[1]", "no usage export"),
        (b"{\"data\":[{\"start_time\":1}]", "no JSON"),
        (b"{\"data\":[{\"start_time\":1795564800,\"results\":[]}]}", "bucket 1: it has no time"),
        (
            b"{\"data\":[{\"start_time\":1,\"end_time\":2,\"results\":[]}]}",
            "bucket 1: its time cannot be",
        ),
        (
            b"{\"data\":[{\"start_time\":1795564800,\"end_time\":1795651200,\"results\":[{\"amount\":{}}]}]}",
            "not the costs",
        ),
        (
            b"{\"data\":[{\"start_time\":1795564800,\"end_time\":1798156800,\"results\":[]}]}",
            "export by day",
        ),
        (b"date,model,input_tokens\n", "no usage export"),
        (b"date,model,input_tokens,output_tokens\n", "no line"),
        (
            b"date,model,input_tokens,output_tokens\n2026-11-25,a,-5,1\n",
            "line 2: `-5` is no count",
        ),
        (
            b"date,model,input_tokens,output_tokens\n\n25/11/26,a,5,1\n",
            "line 3: `25/11/26` is no time",
        ),
        (
            b"date,model,input_tokens,output_tokens\n2026-11-25,\"a,5,1\n",
            "a quote is never closed",
        ),
    ];
    for (bytes, part) in rows {
        let why = read(bytes).unwrap_err();
        assert!(why.contains(part) && !why.contains('\n'), "{why}");
    }
    // Nesting that would take the stack.
    assert!(read("[".repeat(1 << 20).as_bytes()).is_err());
}

#[test]
fn words_of_the_file_stay_in_one_line() {
    let long = format!(
        "date,input_tokens,output_tokens\n\"{}\n\",1,1\n",
        "x\n".repeat(30)
    );
    let json = format!(r#"{{"data":"{}\n"}}"#, "x".repeat(10_000));
    for text in [long, json] {
        let why = read(text.as_bytes()).unwrap_err();
        assert!(why.chars().count() <= 400 && !why.contains('\n'), "{why}");
    }
}

/// Seeds of the fuzz target are exports.
#[test]
fn the_seeds_are_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/fuzz/usage");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!read(&bytes).unwrap().lines.is_empty());
        // Broken off anywhere it is read or refused.
        for length in 0..bytes.len() {
            std::hint::black_box(read(&bytes[..length]).is_ok());
        }
        count += 1;
    }
    assert_eq!(count, 5);
}

#[test]
fn amounts_are_exact() {
    let check =
        |text: &str, expect: Option<u64>| assert_eq!(number::scaled(text, 6), expect, "{text}");
    check("0.8958740000000000", Some(895_874));
    check("$1.5", Some(1_500_000));
    check("3e-06", Some(3));
    check("3E+1", Some(30_000_000));
    check("0.0000005", Some(1));
    check("0.00000049", Some(0));
    check(".5", Some(500_000));
    check("1e-999999", Some(0));
    check("18446744073709.551615", Some(u64::MAX));
    for text in [
        "",
        ".",
        "-1",
        "1e999999",
        "1.2.3",
        "0x1",
        "18446744073709.551616",
        "1e",
        "NaN",
    ] {
        check(text, None);
    }
}
