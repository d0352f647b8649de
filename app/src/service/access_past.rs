//! Who had which right when.

use super::{AppState, Error, users};
use crate::{
    auth::Caller,
    backend::now_ms,
    domain::{
        access::{Access, Change, PastPage, Recorded, Since},
        history::moment,
    },
    store::AccessRecord,
};

/// Changes on one page.
const PAGE: usize = 50;

/// What is asked, as it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastQuery {
    /// A time as the history's filter takes it, of which the beginning counts; empty for now.
    pub at: String,
    /// A user's name; empty for everybody.
    pub user: String,
    /// Only changes before this number of the ledger.
    pub before: Option<i64>,
}

/// For those who may read users and rights.
pub async fn page(state: &AppState, caller: &Caller, query: &PastQuery) -> Result<PastPage, Error> {
    users::may_read(caller)?;
    let record = state.store.access_record().await?;
    Ok(shown(record, query, now_ms()))
}

fn shown(record: AccessRecord, query: &PastQuery, now_ms: i64) -> PastPage {
    let AccessRecord { since, before, changes, unreadable, now } = record;
    let user = query.user.trim();
    let names = names(&before, &changes);
    let at = moment_of(&query.at, since, now_ms);
    let held = at.as_ref().map_or_else(|_| Vec::new(), |at| at_moment(&before, &changes, *at).held(*at));
    let of_user = |name: &str| user.is_empty() || name.eq_ignore_ascii_case(user);
    let held = held.into_iter().filter(|it| of_user(&it.user)).collect();

    let (mut access, mut listed) = (before, Vec::new());
    for recorded in changes {
        if user.is_empty() || access.concerns(&recorded.change, user) {
            listed.push(recorded.clone());
        }
        access.apply(&recorded);
    }
    let differences = match since {
        Some(_) => access.sorted().differences(&now.sorted()),
        None => Vec::new(),
    };
    listed.retain(|recorded| query.before.is_none_or(|before| recorded.seq < before));
    listed.reverse();
    let has_older = listed.len() > PAGE;
    listed.truncate(PAGE);
    let older = listed.last().filter(|_| has_older).map(|last| last.seq);
    PastPage { now_ms, since, at, held, changes: listed, older, unreadable, differences, names }
}

/// The moment that is asked about, or why nothing can be told of it.
fn moment_of(text: &str, since: Option<Since>, now_ms: i64) -> Result<i64, String> {
    let Some(since) = since else {
        return Err("Nothing is known: the ledger does not tell of any time.".to_owned());
    };
    let at_ms = match text.trim() {
        "" => now_ms,
        text => moment::read(text, now_ms)?.start_ms,
    };
    if at_ms > now_ms {
        return Err("That time is to come, and nobody knows who will have which right. Take one up to now."
            .to_owned());
    }
    if at_ms < since.at_ms {
        return Err("Nothing is known of that time. Take a later one.".to_owned());
    }
    Ok(at_ms)
}

/// As the ledger has it: all that stands in it up to the last change that was made by then.
fn at_moment(before: &Access, changes: &[Recorded], at_ms: i64) -> Access {
    let count = changes.iter().rposition(|it| it.at_ms <= at_ms).map_or(0, |last| last + 1);
    before.clone().replayed(&changes[..count])
}

fn names(before: &Access, changes: &[Recorded]) -> Vec<String> {
    let added = changes.iter().filter_map(|recorded| match &recorded.change {
        Change::UserAdded { user, .. } => Some(user.clone()),
        _ => None,
    });
    let mut names: Vec<String> = before.users.iter().map(|it| it.name.clone()).chain(added).collect();
    names.sort_by_cached_key(|name| name.to_lowercase());
    names.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::{GrantId, Holder, Scope, SinceWhy};

    const HOUR: i64 = 3_600_000;

    /// Hour by hour: anna comes, is given a role, it is taken back, a clock goes back while another is given.
    fn record() -> AccessRecord {
        let anna = || "anna".to_owned();
        let given = |grant| Change::Given {
            holder: Holder::User(anna()),
            grant: GrantId(grant),
            role: "viewer".parse().unwrap(),
            scope: Scope::Everything,
            expires_ms: None,
        };
        let back = Change::TakenBack {
            holder: Holder::User(anna()),
            grant: GrantId(1),
            role: "viewer".parse().unwrap(),
            scope: Scope::Everything,
            with_guest: false,
        };
        let added = Change::UserAdded { user: anna(), realm: "local".to_owned() };
        let ben = Change::UserAdded { user: "ben".to_owned(), realm: "local".to_owned() };
        let changes: Vec<Recorded> = [(1, added), (2, given(1)), (3, back), (2, given(2)), (5, ben)]
            .into_iter()
            .zip(10..)
            .map(|((hour, change), seq)| {
                let at_ms = hour * HOUR;
                Recorded { seq, at_ms, actor: None, address: None, change }
            })
            .collect();
        let now = Access::default().replayed(&changes);
        let since = Some(Since { at_ms: HOUR / 2, why: SinceWhy::Archived });
        AccessRecord { since, before: Access::default(), changes, unreadable: Vec::new(), now }
    }

    fn ask(at: &str, user: &str) -> PastPage {
        let query = PastQuery { at: at.to_owned(), user: user.to_owned(), before: None };
        shown(record(), &query, 6 * HOUR)
    }

    #[test]
    fn a_moment_is_told_as_far_as_it_is_known_and_never_guessed() {
        assert_eq!(ask("1970-01-01 01:59", "").held, []);
        assert_eq!(ask("", "").at, Ok(6 * HOUR));
        let held = ask("1970-01-01 03:00", "").held;
        assert_eq!(
            held.iter().map(|it| it.grant.0).collect::<Vec<_>>(),
            [2],
            "the ledger's order counts, not the clock's"
        );
        for (at, word) in
            [("1970-01-01 00:29", "Nothing is known"), ("1970-01-02", "to come"), ("noon", "This is no time")]
        {
            let page = ask(at, "");
            assert!(page.at.clone().unwrap_err().contains(word), "{page:?}");
            assert_eq!((page.held.len(), page.changes.len()), (0, 5), "changes are told all the same");
        }
        let none = shown(AccessRecord { since: None, ..record() }, &PastQuery::default(), HOUR);
        assert!(none.at.is_err() && none.held.is_empty());
    }

    #[test]
    fn one_person_is_asked_about_and_pages_follow_each_other() {
        let page = ask("", "Anna");
        assert_eq!(page.changes.iter().map(|it| it.seq).collect::<Vec<_>>(), [13, 12, 11, 10]);
        assert_eq!((page.held.len(), page.names), (1, vec!["anna".to_owned(), "ben".to_owned()]));
        assert_eq!(ask("", "ben").held, []);
        let one = record().changes[0].clone();
        let changes: Vec<Recorded> = (1..=120).map(|seq| Recorded { seq, ..one.clone() }).collect();
        let (mut before, mut seen) = (None, Vec::new());
        loop {
            let query = PastQuery { before, ..PastQuery::default() };
            let page = shown(AccessRecord { changes: changes.clone(), ..record() }, &query, 6 * HOUR);
            seen.extend(page.changes.iter().map(|it| it.seq));
            before = page.older;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(seen, (1..=120).rev().collect::<Vec<_>>());
    }

    #[test]
    fn a_database_that_was_changed_by_hand_is_told() {
        assert_eq!(ask("", "").differences, [""; 0]);
        let mut record = record();
        record.now.grants.clear();
        let page = shown(record, &PastQuery::default(), 6 * HOUR);
        assert_eq!(page.differences, ["grant 2 is gone"]);
    }
}
