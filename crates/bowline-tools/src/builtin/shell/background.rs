//! Starting a command in the background: the call ends, the command and its keeper run on.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bowline_core::call::Effect;
use bowline_core::job::JobChange;
use bowline_core::{Backend, CallId, Job};
use tokio::sync::watch;

use super::blocking;
use super::news::{News, ended_words};
use super::report::{self, failed_launch};
use crate::keeper::recover::{self, Settled};
use crate::keeper::{Fate, Launcher, Order, StdinKind};
use crate::tool::{Call, Finish, Found, PlanCx};

/// Longest run of a command in the background that sets no time itself: a day, in ms.
pub(super) const TIMEOUT_MS: u64 = 24 * 60 * 60 * 1000;

/// Most commands of one session that run in the background at once.
const JOBS_MAX: usize = 16;

/// How long the first output is waited for, and how quiet it must be to count as settled.
const FIRST_OUTPUT: Duration = Duration::from_secs(1);
const QUIET: Duration = Duration::from_millis(200);

/// Looks for a claim that is being written, and the pause between two.
const CLAIM_LOOKS: u32 = 200;
const CLAIM_PAUSE: Duration = Duration::from_millis(10);

/// The handle of the job that a call starts.
pub(super) fn handle(call: CallId) -> String {
    format!("bg:{}", call.short())
}

/// Why no further command may be started in the background now.
pub(super) fn too_many(cx: &PlanCx) -> Option<String> {
    let running = cx.jobs.values().filter(|job| job.ended.is_none()).count();
    (running >= JOBS_MAX).then(|| {
        format!(
            "{running} commands run in the background already: stop one with `shell_job`, or poll \
             those that have ended"
        )
    })
}

/// Makes `order` one for the background.
pub(super) fn prepare(order: &mut Order, timeout_ms: Option<u64>) {
    order.stdin = StdinKind::Told;
    order.timeout_ms = timeout_ms.unwrap_or(TIMEOUT_MS);
}

/// Launches the command, waits until it runs and its first output has settled.
pub(super) async fn start(
    launcher: &Launcher,
    dir: &Path,
    order: &Order,
    call: &Call,
    job: String,
) -> Finish {
    let kept = match launcher.launch(dir, order) {
        Ok(kept) => kept,
        Err(error) => return failed_launch(&format!("its keeper did not start: {error}")),
    };
    let canceller = kept.canceller();
    let mut cancel = call.cancel.clone();
    let progress = Arc::clone(&call.progress);
    let (runs, mut running) = watch::channel(false);
    let (wrote, written) = watch::channel(0_u64);
    let heard = move |bytes| {
        progress(bytes);
        wrote.send_replace(bytes);
    };
    let starts = move || {
        runs.send_replace(true);
    };
    let fate = kept.watch(starts, heard);
    tokio::pin!(fate);
    let settled = async {
        // A sender that is gone means that the fate is known.
        if running.wait_for(|runs| *runs).await.is_err() {
            std::future::pending::<()>().await;
        }
        until_quiet(written).await;
    };
    let started = tokio::select! {
        biased;
        fate = &mut fate => Err(fate),
        () = cancel.asked() => {
            canceller.cancel();
            Err(fate.await)
        }
        () = settled => Ok(()),
    };
    let begun = Begun::of(order, job);
    let dir = dir.to_owned();
    blocking(move || match started {
        Ok(()) => running_finish(&dir, begun),
        Err(fate) => over(fate, &dir, begun),
    })
    .await
}

/// Waits for the first output and then for a moment without any; for [`FIRST_OUTPUT`] at most.
async fn until_quiet(mut written: watch::Receiver<u64>) {
    let first = async {
        if written.wait_for(|bytes| *bytes > 0).await.is_ok() {
            while let Ok(Ok(())) = tokio::time::timeout(QUIET, written.changed()).await {}
        }
    };
    let _in_time = tokio::time::timeout(FIRST_OUTPUT, first).await;
}

/// A job that was begun.
struct Begun {
    job: String,
    command: String,
    confined: bool,
}

impl Begun {
    fn of(order: &Order, job: String) -> Self {
        let confinement = order.confinement.as_ref();
        Self {
            job,
            command: order.command.clone(),
            confined: confinement.is_some_and(|it| it.backend == Backend::Namespaces),
        }
    }

    fn change(self, dir: &Path, offset: u64) -> JobChange {
        let spool = dir.file_name().unwrap_or_default().to_string_lossy();
        JobChange::Started {
            job: self.job,
            command: self.command,
            spool: spool.into_owned(),
            offset,
            confined: self.confined,
        }
    }
}

/// What the call comes to while its command runs on.
fn running_finish(dir: &Path, begun: Begun) -> Finish {
    let job = begun.job.clone();
    let news = News::of(dir, 0, false);
    let mut text = news.text;
    text.push_str(&format!(
        "[runs in the background as {job}: `shell_job` reads on, writes to it, stops it]\n"
    ));
    Finish {
        effect: effect(vec![begun.change(dir, news.offset)]),
        full_output: news.whole,
        ..Finish::ok(text, format!("runs in the background as {job}"))
    }
}

/// What the call comes to when its command is over already.
fn over(fate: Fate, dir: &Path, begun: Begun) -> Finish {
    let job = begun.job.clone();
    match fate {
        Fate::Finished(exit) => {
            let news = News::of(dir, 0, true);
            let how = ended_words(&exit);
            let text = format!("{}[{job} ended: {how}]\n", news.text);
            let changes = vec![
                begun.change(dir, news.offset),
                JobChange::Ended {
                    job,
                    how: how.clone(),
                },
            ];
            Finish {
                status: super::status(&exit),
                exit_code: exit.code,
                duration_ms: Some(exit.duration_ms),
                effect: effect(changes),
                full_output: news.whole,
                ..Finish::ok(text, how)
            }
        }
        Fate::InDoubt { why, ended } => report::in_doubt(dir, &why, &ended),
        Fate::NeverStarted { why } => failed_launch(&why),
    }
}

/// An effect on jobs alone.
pub(super) fn effect(jobs: Vec<JobChange>) -> Effect {
    Effect {
        jobs,
        ..Effect::default()
    }
}

/// Finds the command again that an earlier owner started.
pub(super) async fn find(dir: &Path, command: String, job: String) -> Found {
    let mut looks = CLAIM_LOOKS;
    let settled = loop {
        let looked = dir.to_owned();
        let settled = blocking(move || recover::settle(&looked, "the harness was restarted")).await;
        // A keeper that lives and whose claim is not whole yet is just writing it.
        match settled {
            Settled::Running(None) if looks > 0 => looks -= 1,
            settled => break settled,
        }
        tokio::time::sleep(CLAIM_PAUSE).await;
    };
    let dir = dir.to_owned();
    // How it was confined is in no record of its keeper: taken as not at all, it is asked about.
    let begun = Begun {
        job,
        command,
        confined: false,
    };
    blocking(move || match settled {
        Settled::DidNot { why } => Found::DidNot { proof: why },
        Settled::Running(_) => Found::Happened(Box::new(running_finish(&dir, begun))),
        Settled::Happened(exit) => {
            Found::Happened(Box::new(over(Fate::Finished(exit), &dir, begun)))
        }
        Settled::InDoubt { why, ended, .. } => Found::Unknown {
            why: report::doubt(&why, &ended),
            output: report::output_so_far(&dir).into_bytes(),
        },
    })
    .await
}

/// The folder of a job's records.
pub(super) fn folder(spools: &Path, job: &Job) -> std::path::PathBuf {
    spools.join(&job.spool)
}
