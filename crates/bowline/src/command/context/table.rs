//! A plan as a table for people.

use bowline_core::amounts::dollars;
use bowline_core::plan::{BlockKind, Cached, ContextPlan, PlanBlock, PlanBreak};

use crate::print::{self, Colour, Look, grouped};

/// Columns from which on each block says by itself why it is there.
const WIDE: usize = 160;

/// Columns for the name and the origin of a block where there are that many.
const NAMED: usize = 60;

/// The whole page, line by line.
pub fn lines(plan: &ContextPlan, look: &Look) -> Vec<String> {
    let mut lines = head(plan, look);
    lines.push(String::new());
    lines.extend(kinds(plan, look));
    lines.push(String::new());
    lines.extend(blocks(plan, look));
    if !plan.breaks.is_empty() {
        lines.push(String::new());
        lines.push(look.paint(Colour::Bold, "Prefix breaks"));
        for broken in &plan.breaks {
            lines.extend(folded(look, &broken_line(broken), "  "));
        }
    }
    lines
}

fn head(plan: &ContextPlan, look: &Look) -> Vec<String> {
    let asked = if plan.asked { "as sent" } else { "next" };
    let title = format!(
        "session {} · step {}, {asked} · {}",
        plan.session.short(),
        plan.step.0,
        plan.model
    );
    let full = match plan.window_tokens {
        Some(window) => {
            let percent = (plan.tokens * 100).checked_div(window).unwrap_or(100);
            format!(" of {} ({percent} %)", grouped(window))
        }
        None => " (the model's window is not known)".to_owned(),
    };
    let mut lines = vec![look.paint(Colour::Bold, &look.fit(&title, 0))];
    let size = format!(
        "about {} tokens{full}, {}; {} bytes of text",
        grouped(plan.tokens),
        plan.tokens_by.words(),
        grouped(plan.bytes)
    );
    lines.extend(folded(look, &size, ""));
    if let Some(usage) = &plan.reported {
        let whose = if plan.asked {
            "its reply"
        } else {
            "the last reply"
        };
        let written = match usage.cache_write_tokens {
            0 => String::new(),
            written => format!(", {} put into it", grouped(written)),
        };
        let cache = format!(
            "{whose}: {} of {} input tokens read from the cache{written}",
            grouped(usage.cached_input_tokens),
            grouped(usage.input_tokens)
        );
        lines.extend(folded(look, &cache, ""));
    }
    lines
}

/// What each kind comes to, what holds its size and why it is there.
fn kinds(plan: &ContextPlan, look: &Look) -> Vec<String> {
    let head = format!(
        "{:<12} {:>6} {:>9} {:>10}",
        "kind", "blocks", "tokens", "bytes"
    );
    let mut lines = vec![look.paint(Colour::Bold, &head)];
    for sum in &plan.sums {
        lines.push(format!(
            "{:<12} {:>6} {:>9} {:>10}",
            sum.kind.name(),
            grouped(u64::from(sum.blocks)),
            grouped(sum.tokens),
            grouped(sum.bytes)
        ));
        let Some(first) = plan.blocks.iter().find(|block| block.kind == sum.kind) else {
            continue;
        };
        let why = match sum.kind {
            BlockKind::Result => "The model called a tool; each call has exactly one result.",
            _ => &first.why,
        };
        let about = format!("{why} Held by: {}.", cap(first));
        let about = folded(look, &about, "  ").into_iter();
        lines.extend(about.map(|line| look.paint(Colour::Dim, &line)));
    }
    lines
}

fn cap(block: &PlanBlock) -> String {
    match block.cap_bytes {
        Some(bytes) => format!("{}, {} bytes at most", block.cap, grouped(bytes)),
        None => block.cap.clone(),
    }
}

fn blocks(plan: &ContextPlan, look: &Look) -> Vec<String> {
    let is_wide = look.width >= WIDE;
    let bytes = if is_wide { "    bytes " } else { "" };
    let head = format!(
        "{:>5} {:<12} {:>4} {:>8} {bytes}{:<6} {}",
        "#", "kind", "step", "tokens", "cached", "what, from whom"
    );
    let mut lines = vec![look.paint(Colour::Bold, &head)];
    for (place, block) in plan.blocks.iter().enumerate() {
        let is_marked = plan.breakpoints.iter().any(|at| *at as usize == place);
        lines.push(row(look, place, block, is_marked));
    }
    if !plan.breakpoints.is_empty() {
        let legend = "* the provider is told that it may cache up to here";
        lines.push(look.paint(Colour::Dim, legend));
    }
    lines
}

fn row(look: &Look, place: usize, block: &PlanBlock, is_marked: bool) -> String {
    let is_wide = look.width >= WIDE;
    let step = block
        .step
        .map_or_else(String::new, |step| step.0.to_string());
    let bytes = match is_wide {
        true => format!("{:>9} ", grouped(block.bytes)),
        false => String::new(),
    };
    let start = format!(
        "{place:>5} {:<12} {step:>4} {:>8} {bytes}",
        block.kind.name(),
        grouped(block.tokens),
    );
    let cached = format!(
        "{:<4}{} ",
        block.cached.name(),
        if is_marked { '*' } else { ' ' }
    );
    let images = match block.images {
        0 => String::new(),
        1 => ", 1 image".to_owned(),
        more => format!(", {more} images"),
    };
    let mut what = format!(" {} ({}{images})", block.name, block.origin);
    if is_wide {
        let named = Look {
            width: NAMED,
            ..*look
        };
        let (named, why) = (named.fit(&what, 0), &block.why);
        what = format!("{named:<NAMED$} {why} Held by: {}.", cap(block));
    }
    let what = look.fit(&what, start.chars().count() + 6);
    let colour = match block.cached {
        Cached::Read => Colour::Green,
        Cached::Sent => Colour::Dim,
        Cached::New => Colour::Yellow,
    };
    format!("{start}{}{what}", look.paint(colour, &cached))
}

/// A break in one sentence.
pub fn broken_line(broken: &PlanBreak) -> String {
    let PlanBreak { step, broken } = broken;
    format!("step {}: {}", step.0, sentence(broken))
}

/// What broke, why and what it cost.
pub fn sentence(broken: &bowline_core::event::PrefixBroken) -> String {
    let cost = match broken.cost_micro_usd {
        0 => String::new(),
        cost => format!(", {} more than from the cache", dollars(cost)),
    };
    format!(
        "{}, {} (block {}): {}; {} tokens read anew{cost}",
        broken.block,
        broken.field,
        broken.at_block,
        broken.cause.words(),
        grouped(broken.lost_tokens)
    )
}

/// A text in lines that fit, each set in.
fn folded(look: &Look, text: &str, indent: &str) -> Vec<String> {
    let room = look.width.saturating_sub(indent.len()).max(20);
    print::broken(text, room)
        .into_iter()
        .map(|line| format!("{indent}{line}"))
        .collect()
}
