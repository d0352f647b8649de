//! Whose turn it is: a queue for few slots that no user can fill up for the others.
//!
//! In a round each waiting user has one turn, whatever else of theirs waits. Who comes in the middle of a round still
//! has a turn in it, unless they had theirs already: a single action waits for no more than one of each other user.
//!
//! ```text
//!           ┌────────── this round ──────────┐┌──────── next round ────────┐
//!   push ──►│ users that have not had a turn ││ users that had, and wait on │
//!           └───────┬────────────────────────┘└──▲──────────────────────────┘
//!                   └── turn: their oldest item ─┘ if they have more
//! ```

mod lanes;

use std::collections::{HashMap, HashSet, VecDeque};

pub use lanes::{Lanes, Permit, Place, Ticket};

/// Items of users that wait for slots. A user's own come in the order in which they were pushed.
#[derive(Debug)]
pub struct FairQueue<T> {
    slots: usize,
    at_work: usize,
    /// What waits of each user; none is empty.
    waiting: HashMap<String, VecDeque<T>>,
    /// Each waiting user once, in one of the two.
    this_round: VecDeque<String>,
    next_round: VecDeque<String>,
    /// Who had a turn in this round, waiting or not.
    had_turn: HashSet<String>,
}

impl<T> FairQueue<T> {
    /// At least one slot: with none, all would wait for ever.
    pub fn new(slots: usize) -> Self {
        Self {
            slots: slots.max(1),
            at_work: 0,
            waiting: HashMap::new(),
            this_round: VecDeque::new(),
            next_round: VecDeque::new(),
            had_turn: HashSet::new(),
        }
    }

    pub fn push(&mut self, user: &str, item: T) {
        if let Some(items) = self.waiting.get_mut(user) {
            items.push_back(item);
            return;
        }
        self.waiting.insert(user.to_owned(), VecDeque::from([item]));
        let round = if self.had_turn.contains(user) { &mut self.next_round } else { &mut self.this_round };
        round.push_back(user.to_owned());
    }

    /// The item whose turn it is, if a slot is free. It holds the slot until [`done`](Self::done).
    pub fn take_turn(&mut self) -> Option<T> {
        if self.at_work >= self.slots {
            return None;
        }
        if self.this_round.is_empty() {
            std::mem::swap(&mut self.this_round, &mut self.next_round);
            self.had_turn.clear();
        }
        let user = self.this_round.pop_front()?;
        let items = self.waiting.get_mut(&user)?;
        let item = items.pop_front()?;
        if items.is_empty() {
            self.waiting.remove(&user);
        } else {
            self.next_round.push_back(user.clone());
        }
        self.had_turn.insert(user);
        self.at_work += 1;
        Some(item)
    }

    /// One that had its turn has ended.
    pub fn done(&mut self) {
        self.at_work = self.at_work.saturating_sub(1);
    }

    /// Takes one that waits and is meant out of the line; it needs no slot any more.
    pub fn remove(&mut self, is_meant: impl Fn(&T) -> bool) -> Option<T> {
        let (user, index) = self
            .waiting
            .iter()
            .find_map(|(user, items)| Some((user.clone(), items.iter().position(&is_meant)?)))?;
        let items = self.waiting.get_mut(&user)?;
        let item = items.remove(index);
        if items.is_empty() {
            self.waiting.remove(&user);
            self.this_round.retain(|waiting| *waiting != user);
            self.next_round.retain(|waiting| *waiting != user);
        }
        item
    }

    /// Which in line it is, from 1 on, if nobody else came; `None` if none that waits is meant.
    pub fn position(&self, is_meant: impl Fn(&T) -> bool) -> Option<usize> {
        self.line().position(is_meant).map(|before| before + 1)
    }

    /// All that wait, in the order of their turns if nobody else came.
    pub fn line(&self) -> impl Iterator<Item = &T> {
        let item = |user: &String, index: usize| self.waiting.get(user).and_then(|items| items.get(index));
        let now = self.this_round.iter().filter_map(move |user| item(user, 0));
        // From then on one round is as the other; those of this round have had one item's turn more.
        let rounds = self.waiting.values().map(VecDeque::len).max().unwrap_or(0);
        let later = (0..rounds).flat_map(move |round| {
            let waited = self.next_round.iter().filter_map(move |user| item(user, round));
            let had_turn = self.this_round.iter().filter_map(move |user| item(user, round + 1));
            waited.chain(had_turn)
        });
        now.chain(later)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many hold a slot.
    pub fn at_work(&self) -> usize {
        self.at_work
    }
}

#[cfg(test)]
mod tests;
