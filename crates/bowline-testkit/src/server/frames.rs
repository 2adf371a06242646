//! Streamed replies, frame by frame, and where faults cut them; whatever the dialect.

use bowline_model::scenario::{Answer, CutPoint, Fault};

use super::send::Random;

/// Which part of the reply a frame carries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part {
    /// What comes before anything is said.
    Start,
    Reasoning,
    Text,
    Call,
    Arguments,
    /// What says why the reply ends.
    End,
    /// What says nothing, such as a ping.
    Other,
}

/// One event of a stream.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// The event's name; none in dialects that name no events.
    pub(super) event: Option<&'static str>,
    pub(super) data: String,
}

impl Frame {
    /// An event without a name.
    pub(super) fn unnamed(data: impl ToString) -> Self {
        Self {
            event: None,
            data: data.to_string(),
        }
    }
}

/// Writes the frames of `answer` up to where its fault cuts it.
///
/// `parts` must not be empty; `end` follows them in a reply that is not cut. With a `seed`, some
/// frames end in CRLF, lack the space after the colon, or follow a comment line.
pub(super) fn written(
    answer: &Answer,
    parts: &[(Part, Frame)],
    end: &[Frame],
    seed: Option<u64>,
) -> Vec<Vec<u8>> {
    let mut style = Style {
        random: seed.map(Random),
    };
    let cut = cut_point(answer);
    let whole = whole_frames(parts, cut);
    let mut frames: Vec<Vec<u8>> = parts[..whole]
        .iter()
        .map(|(_, frame)| style.frame(frame))
        .collect();
    let torn = matches!(cut, Some(CutPoint::Text | CutPoint::Arguments));
    if let (true, Some((_, frame))) = (torn, parts.get(whole)) {
        let mut frame = style.frame(frame);
        frame.truncate(frame.len() / 2);
        frames.push(frame);
    }
    if cut.is_none() {
        frames.extend(end.iter().map(|frame| style.frame(frame)));
    }
    frames
}

/// Where the answer's fault cuts its body.
pub(super) fn cut_point(answer: &Answer) -> Option<CutPoint> {
    match answer.fault {
        Some(Fault::Cut { at }) => Some(at),
        Some(Fault::Hang { at }) => at,
        _ => None,
    }
}

/// Counts the frames that go out whole before a cut; the next one may go out in part.
fn whole_frames(parts: &[(Part, Frame)], cut: Option<CutPoint>) -> usize {
    let last = |wanted: Part| parts.iter().rposition(|(part, _)| *part == wanted);
    let end = last(Part::End).unwrap_or(parts.len() - 1);
    let middle = |wanted: Part| {
        let places: Vec<usize> = (0..parts.len()).filter(|i| parts[*i].0 == wanted).collect();
        places.get(places.len() / 2).copied().unwrap_or(end)
    };
    match cut {
        None => parts.len(),
        Some(CutPoint::Start) => 0,
        Some(CutPoint::Text) => middle(Part::Text),
        Some(CutPoint::Arguments) => middle(Part::Arguments),
        Some(CutPoint::BeforeEnd) => end,
    }
}

/// Splits `text` at character borders into about `count` pieces; at least two if it can be split.
pub(super) fn pieces(text: &str, count: usize) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let size = letters
        .len()
        .div_ceil(count)
        .clamp(3, 4096)
        .min(letters.len().div_ceil(2))
        .max(1);
    letters
        .chunks(size)
        .map(|piece| piece.iter().collect())
        .collect()
}

/// How frames are written.
struct Style {
    random: Option<Random>,
}

impl Style {
    fn frame(&mut self, frame: &Frame) -> Vec<u8> {
        let Frame { event, data } = frame;
        let Some(random) = &mut self.random else {
            let event = event.map(|name| format!("event: {name}\n"));
            return format!("{}data: {data}\n\n", event.unwrap_or_default()).into_bytes();
        };
        let comment = if random.up_to(6) == 1 {
            ": still here\n\n"
        } else {
            ""
        };
        let space = if random.up_to(4) == 1 { "" } else { " " };
        let end = if random.up_to(3) == 1 { "\r\n" } else { "\n" };
        let event = event.map(|name| format!("event:{space}{name}{end}"));
        let event = event.unwrap_or_default();
        format!("{comment}{event}data:{space}{data}{end}{end}").into_bytes()
    }
}
