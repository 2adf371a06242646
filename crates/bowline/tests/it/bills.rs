//! Sessions under caps on money, against a server that bills what it really uses: every token of
//! the request by an exact tokenizer, replies as long as it was allowed to write, also when it cuts
//! the connection or forgets to say what it used.

mod biller;

use std::fmt::Write as _;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::support::{self, Ran, Scratch};
use biller::{Biller, Dice, MODELS, Prices};

/// Sessions that are run: `BOWLINE_BILLS` says how many, from the seed `BOWLINE_BILLS_SEED`.
fn wanted() -> (u64, u64) {
    let number = |name: &str| std::env::var(name).ok()?.parse().ok();
    (
        number("BOWLINE_BILLS").unwrap_or(24),
        number("BOWLINE_BILLS_SEED").unwrap_or(20_261_126),
    )
}

fn configure(scratch: &Scratch, more: &str) {
    let mut text = format!("{more}\n");
    for Prices {
        model,
        input,
        output,
        cached,
    } in MODELS
    {
        let usd = |micro: u64| format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000);
        write!(
            text,
            "[[models]]\nid = \"openai-chat/{model}\"\ncontext_tokens = 200000\n\
             output_tokens_max = 32000\ninput_usd_per_mtok = {}\noutput_usd_per_mtok = {}\n\
             cache_read_usd_per_mtok = {}\n\n",
            usd(input),
            usd(output),
            usd(cached)
        )
        .expect("a text");
    }
    scratch.config(&text);
}

/// A workspace with files that are worth reading, of many kinds and sizes.
fn fill(scratch: &Scratch, dice: &mut Dice) {
    for file in 0..12 {
        let bytes = 200 << dice.index(7);
        scratch.file(&format!("f{file}.txt"), dice.text(bytes));
    }
}

/// What one session came to.
struct Bill {
    cap: u64,
    billed: u64,
    requests: u64,
    told: u64,
}

fn run(scratch: &Scratch, biller: &Biller, session: u64, dice: &mut Dice) -> Bill {
    // From 3 cents to 5 dollars, small ones as often as large ones.
    let cap = [30_000, 100_000, 300_000, 1_000_000][dice.index(4)] * (1 + dice.below(5));
    let prices = MODELS[dice.index(MODELS.len())];
    biller.open(session, prices, dice.next());
    let usd = format!("{}.{:06}", cap / 1_000_000, cap % 1_000_000);
    let base = format!("{}/s{session}/v1", biller.root());
    let model = format!("openai-chat/{}", prices.model);
    let ran = scratch.run(&[
        "exec",
        "--model",
        &model,
        "--base-url",
        &base,
        "--mode",
        "read-only",
        "--max-usd",
        &usd,
        "--output",
        "json",
        "look at every file",
    ]);
    let account = biller.close(session);
    let told = check(&ran, &usd, account.requests);
    Bill {
        cap,
        billed: account.micro_usd(),
        requests: account.requests,
        told,
    }
}

/// Every session says how it ended, one that a cap ended with a summary; gives the money told.
fn check(ran: &Ran, usd: &str, requests: u64) -> u64 {
    let said: Value = ran.json();
    let result = said["result"].as_str().unwrap_or_default();
    assert!(!result.trim().is_empty(), "{said}");
    assert_ne!(said["stop_reason"], "storage_failed", "{said}");
    if ran.code == 4 {
        assert_eq!(said["stop_reason"], "budget", "{said}");
        assert!(result.starts_with("Stopped"), "{result}");
        assert!(result.contains("Spent in this turn"), "{result}");
    }
    if requests == 0 {
        assert_eq!(ran.code, 4, "a call was worth making with ${usd}: {said}");
        assert!(result.contains("--max-usd"), "{result}");
        assert!(result.contains("the model was not asked"), "{result}");
    }
    said["cost_micro_usd"].as_u64().expect("a cost")
}

#[test]
fn no_session_is_billed_more_than_its_cap() {
    let (sessions, seed) = wanted();
    let scratch = Scratch::new();
    configure(&scratch, "");
    let mut dice = Dice::new(seed);
    fill(&scratch, &mut dice);
    let biller = Biller::start();
    let (mut unasked, mut requests, mut closest, mut stopped) = (0, 0, 0, 0);
    for session in 0..sessions {
        let bill = run(&scratch, &biller, session, &mut dice);
        assert!(
            bill.billed <= bill.cap,
            "session {session} of seed {seed}: billed {} under a cap of {} micro-dollars",
            bill.billed,
            bill.cap
        );
        assert!(
            bill.billed <= bill.told,
            "session {session} of seed {seed}: billed {}, told {}",
            bill.billed,
            bill.told
        );
        unasked += u64::from(bill.requests == 0);
        stopped += u64::from(bill.told * 10 >= bill.cap * 9);
        requests += bill.requests;
        closest = closest.max(bill.billed * 1_000 / bill.cap);
    }
    assert_eq!(biller.violations(), Vec::<String>::new());
    println!(
        "{sessions} sessions, seed {seed}: {requests} requests, none billed over its cap; {unasked} \
         made none, {stopped} used nine tenths or more, the highest bill was {closest} thousandths \
         of its cap"
    );
}

/// Twenty processes at once, none of which knows of the others.
#[test]
fn a_day_is_not_billed_more_than_its_cap_by_twenty_processes_at_once() {
    const CAP: u64 = 400_000;
    let scratch = Scratch::new();
    configure(&scratch, "[budget.day]\nusd = 0.4\n");
    let mut dice = Dice::new(11);
    fill(&scratch, &mut dice);
    let biller = Biller::start();
    let prices = MODELS[2];
    let model = format!("openai-chat/{}", prices.model);
    let start = |session: u64| {
        biller.open(session, prices, 1_000 + session);
        let base = format!("{}/s{session}/v1", biller.root());
        let args = [
            "exec",
            "--model",
            &model,
            "--base-url",
            &base,
            "--mode",
            "read-only",
            "--output",
            "json",
            "look at every file",
        ];
        let mut command = scratch.command(&args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the binary starts")
    };
    let running: Vec<Child> = (0..20).map(start).collect();
    let mut stopped = 0;
    for child in running {
        let ran = support::ran(&child.wait_with_output().expect("it ends"));
        let said = ran.json();
        let result = said["result"].as_str().unwrap_or_default();
        assert!(matches!(ran.code, 0 | 1 | 4), "{said}\n{}", ran.err);
        if ran.code == 4 {
            assert!(result.contains("the day budget is used up"), "{result}");
            stopped += 1;
        }
    }
    let bills: Vec<u64> = (0..20)
        .map(|session| biller.close(session).micro_usd())
        .collect();
    let billed: u64 = bills.iter().sum();
    println!("20 processes: {billed} of {CAP} micro-dollars billed, {stopped} stopped by the day");
    assert!(billed <= CAP, "{bills:?}");
    assert!(stopped > 0, "the cap was never reached: {bills:?}");
    assert_eq!(biller.violations(), Vec::<String>::new());
}

/// The control: the server's bill is real, and passes a cap where nothing is set aside for replies.
#[test]
fn without_a_cap_the_same_sessions_are_billed_more() {
    let scratch = Scratch::new();
    configure(&scratch, "");
    let mut dice = Dice::new(7);
    fill(&scratch, &mut dice);
    let biller = Biller::start();
    biller.open(0, MODELS[MODELS.len() - 1], dice.next());
    let base = format!("{}/s0/v1", biller.root());
    let model = format!("openai-chat/{}", MODELS[MODELS.len() - 1].model);
    let ran = scratch.run(&[
        "exec",
        "--model",
        &model,
        "--base-url",
        &base,
        "--mode",
        "read-only",
        "--max-usd",
        "1000",
        "--output",
        "json",
        "look at every file",
    ]);
    assert!(ran.code == 0 || ran.code == 1, "{}", ran.out);
    assert!(biller.close(0).micro_usd() > 30_000);
}
