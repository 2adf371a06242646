//! Shares: what running calls ask of this session for their children, and what this session, if it
//! is a child, asks of its parent.

use std::collections::BTreeSet;
use std::sync::Arc;

use bowline_core::amounts::{Amounts, Cap};
use bowline_core::engine::{self, NewAsk, NotShareable, ShareNeed};
use bowline_core::{BoxFuture, CallId, Fact, Kept, SessionId, State};
use bowline_tools::Shares;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::Loop;
use super::acts::{Done, Live};

/// Something a running call asks for its children, with whom to answer.
pub(super) enum ShareAsked {
    Grant(Wanted),
    Settle(Settle),
    Left {
        call: CallId,
        answer: oneshot::Sender<Result<Vec<SessionId>, String>>,
    },
}

/// A child that is done.
pub(super) struct Settle {
    child: SessionId,
    spent: Option<Amounts>,
    answer: oneshot::Sender<Result<(), String>>,
}

/// More budget that a child wants.
pub(super) struct Wanted {
    child: SessionId,
    call: CallId,
    need: ShareNeed,
    /// Whether this session's own parent was asked for it, and why it gave nothing, if so.
    asked: Option<Result<(), String>>,
    answer: oneshot::Sender<Result<Cap, String>>,
}

/// What a call has in its hands of its session's budget.
pub(super) struct CallShares {
    call: CallId,
    live: mpsc::UnboundedSender<Live>,
    /// What the session held when the call started.
    kept: Vec<Kept>,
}

impl CallShares {
    pub(super) const fn new(
        call: CallId,
        live: mpsc::UnboundedSender<Live>,
        kept: Vec<Kept>,
    ) -> Self {
        Self { call, live, kept }
    }

    fn ask<T: Send + 'static>(
        &self,
        asked: ShareAsked,
        answer: oneshot::Receiver<Result<T, String>>,
    ) -> BoxFuture<'static, Result<T, String>> {
        let _gone = self.live.send(Live::Share(asked));
        Box::pin(async move {
            let gone = || "its parent session is no longer driven".to_owned();
            answer.await.unwrap_or_else(|_| Err(gone()))
        })
    }
}

impl Shares for CallShares {
    fn grant(&self, child: SessionId, need: ShareNeed) -> BoxFuture<'static, Result<Cap, String>> {
        let (sender, answer) = oneshot::channel();
        let wanted = Wanted {
            child,
            call: self.call,
            need,
            asked: None,
            answer: sender,
        };
        self.ask(ShareAsked::Grant(wanted), answer)
    }

    fn kept(&self) -> Vec<Kept> {
        self.kept.clone()
    }

    fn left(&self) -> BoxFuture<'static, Vec<SessionId>> {
        let (sender, answer) = oneshot::channel();
        let left = ShareAsked::Left {
            call: self.call,
            answer: sender,
        };
        let left = self.ask(left, answer);
        Box::pin(async move { left.await.unwrap_or_default() })
    }

    fn settle(
        &self,
        child: SessionId,
        spent: Option<Amounts>,
    ) -> BoxFuture<'static, Result<(), String>> {
        let (sender, answer) = oneshot::channel();
        let settle = Settle {
            child,
            spent,
            answer: sender,
        };
        self.ask(ShareAsked::Settle(settle), answer)
    }
}

/// An answer that is told when what it says is durable.
type Answer = Box<dyn FnOnce() + Send>;

/// What running calls have asked for and were not answered yet.
#[derive(Default)]
pub(super) struct Granting {
    settles: Vec<Settle>,
    wanted: Vec<Wanted>,
    answers: Vec<Answer>,
}

impl Granting {
    pub(super) fn take(&mut self, asked: ShareAsked, state: &State) {
        match asked {
            ShareAsked::Grant(wanted) => self.wanted.push(wanted),
            ShareAsked::Left { call, answer } => {
                let shares = state.shares().iter();
                let left = shares.filter(|(_, share)| share.call == call);
                let _gone = answer.send(Ok(left.map(|(child, _)| *child).collect()));
            }
            ShareAsked::Settle(settle) => self.settles.push(settle),
        }
    }

    /// Tells what has become durable.
    pub(super) fn answer(&mut self) {
        for answer in self.answers.drain(..) {
            answer();
        }
    }
}

/// Whom a child asks for more, and what became of it.
pub(super) struct Upstream {
    parent: Arc<dyn Shares>,
    asking: Option<(For, AbortHandle)>,
    /// The answer to what was asked last for this session itself; forgotten with the next act.
    answered: Option<Result<(), String>>,
}

/// For whom more is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// This session itself.
    Itself,
    /// A child of its own.
    Child(SessionId),
}

impl Upstream {
    pub(super) const fn new(parent: Arc<dyn Shares>) -> Self {
        Self {
            parent,
            asking: None,
            answered: None,
        }
    }

    pub(super) fn give_up(&self) {
        if let Some((_, asking)) = &self.asking {
            asking.abort();
        }
    }
}

impl Loop<'_> {
    /// Stages the settlement of a child; says whether it had a share.
    pub(super) fn stage_settled(&mut self, child: SessionId, spent: Option<Amounts>) -> bool {
        let settled = engine::settle_share(self.session.state(), child, spent);
        let is_known = settled.is_some();
        settled
            .into_iter()
            .for_each(|fact| self.session.stage(fact));
        is_known
    }

    /// Stages whatever of what running calls have asked for can be granted now. What others hold is
    /// waited for as long as one of them can give something back.
    pub(super) fn stage_shares(&mut self) {
        for settle in std::mem::take(&mut self.granting.settles) {
            let Settle {
                child,
                spent,
                answer,
            } = settle;
            if self.stage_settled(child, spent) {
                let tell = move || drop(answer.send(Ok(())));
                self.granting.answers.push(Box::new(tell));
            } else {
                drop(answer.send(Err("no share is set aside for it".to_owned())));
            }
        }
        let mut waiting: Vec<(Wanted, String)> = Vec::new();
        for wanted in std::mem::take(&mut self.granting.wanted) {
            if wanted.answer.is_closed() {
                continue;
            }
            waiting.extend(self.grant(wanted));
        }
        let waits: BTreeSet<SessionId> = waiting.iter().map(|(one, _)| one.child).collect();
        let shares = self.session.state().shares();
        // With nobody left who works, nothing comes back by itself: the last who came ends, and
        // gives back what it did not spend.
        let all_wait = shares.keys().all(|child| waits.contains(child));
        if all_wait
            && !self.is_asking()
            && let Some((last, why)) = waiting.pop()
        {
            let _gone = last.answer.send(Err(why));
        }
        self.granting
            .wanted
            .extend(waiting.into_iter().map(|(one, _)| one));
    }

    /// Grants what is wanted, or refuses it for good; gives it back with the reason if it has to
    /// wait.
    fn grant(&mut self, wanted: Wanted) -> Option<(Wanted, String)> {
        let Wanted { child, need, .. } = wanted;
        let more = engine::lacking_for(self.session.state(), &need);
        if let Some(more) = more.filter(|_| wanted.asked.is_none())
            && self.asks(For::Child(child), more)
        {
            return Some((wanted, "its parent is asked for more".to_owned()));
        }
        let state = self.session.state();
        let why = match engine::share(state, child, wanted.call, &need) {
            Ok(fact) => {
                self.stage_grant(wanted, fact);
                return None;
            }
            Err(why) => why,
        };
        let may_wait = matches!(why, NotShareable::Cap { .. });
        let why = match &wanted.asked {
            Some(Err(refused)) => refused.clone(),
            _ => why.to_string(),
        };
        if may_wait && engine::fits_alone(state, child, &need) {
            return Some((wanted, why));
        }
        let _gone = wanted.answer.send(Err(why));
        None
    }

    fn stage_grant(&mut self, wanted: Wanted, fact: Fact) {
        let Fact::ShareGranted(granted) = &fact else {
            return;
        };
        let cap = engine::share_cap(self.session.state(), &granted.share);
        self.session.stage(fact);
        let tell = move || drop(wanted.answer.send(Ok(cap)));
        self.granting.answers.push(Box::new(tell));
    }

    fn is_asking(&self) -> bool {
        let upstream = self.upstream.as_ref();
        upstream.is_some_and(|upstream| upstream.asking.is_some())
    }

    /// Asks the parent for more, once for each act; says whether an answer is to be waited for.
    fn asks(&mut self, whom: For, need: ShareNeed) -> bool {
        let child = self.session.id();
        let Some(upstream) = &mut self.upstream else {
            return false;
        };
        if upstream.asking.is_some() {
            return true;
        }
        if whom == For::Itself && upstream.answered.is_some() {
            return false;
        }
        let granted = upstream.parent.grant(child, need);
        let asking = self.acts.spawn(async move { Done::Raised(granted.await) });
        upstream.asking = Some((whom, asking));
        true
    }

    /// Asks the parent for what the next model call needs beside what there is; says whether its
    /// answer is to be waited for.
    pub(super) fn asks_for(&mut self, ask: &NewAsk) -> bool {
        self.upstream.is_some()
            && engine::lacking(self.session.state(), ask)
                .is_some_and(|need| self.asks(For::Itself, need))
    }

    /// The same for calls that are to run.
    pub(super) fn asks_for_calls(&mut self) -> bool {
        self.upstream.is_some()
            && engine::lacking_calls(self.session.state())
                .is_some_and(|need| self.asks(For::Itself, need))
    }

    /// Why calls that are to run were given no share.
    pub(super) fn refused_calls(&self) -> Option<String> {
        engine::lacking_calls(self.session.state())?;
        self.refused_by_parent()
    }

    /// Why the parent gave no more, if it did not.
    pub(super) fn refused_by_parent(&self) -> Option<String> {
        match &self.upstream.as_ref()?.answered {
            Some(Err(why)) => Some(format!("there is no more for this session: {why}")),
            _ => None,
        }
    }

    /// What was asked is over: the next act may ask again.
    pub(super) fn forget_answer(&mut self) {
        if let Some(upstream) = &mut self.upstream {
            upstream.answered = None;
        }
    }

    pub(super) fn take_raised(&mut self, answer: Result<Cap, String>) {
        let Some(upstream) = &mut self.upstream else {
            return;
        };
        let told = answer.as_ref().map(drop).map_err(Clone::clone);
        match upstream.asking.take() {
            Some((For::Child(child), _)) => {
                let mut wanted = self.granting.wanted.iter_mut();
                if let Some(wanted) = wanted.find(|wanted| wanted.child == child) {
                    wanted.asked = Some(told);
                }
            }
            Some((For::Itself, _)) => upstream.answered = Some(told),
            None => {}
        }
        if let Ok(share) = answer {
            self.session.stage(engine::raise(share));
        }
    }

    /// Whether the parent was being asked when that was broken off.
    pub(super) fn take_broken_off(&mut self) -> bool {
        let upstream = self.upstream.as_ref();
        let asking = upstream.and_then(|upstream| upstream.asking.as_ref());
        let is_over = asking.is_some_and(|(_, asking)| asking.is_finished());
        if is_over {
            self.take_raised(Err("the turn was stopped".to_owned()));
        }
        is_over
    }
}
