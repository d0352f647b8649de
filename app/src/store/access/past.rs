//! What the ledger tells of access: from where on it is known, and every change since.
//!
//! ```text
//!   ledger-begun, before any account ──┐
//!   access-noted: all there was        ├──► the oldest of them that is there ──► the changes after it
//!   archived: all there was at its end ┘
//! ```
//!
//! A ledger that began with the first account tells everything. One of an older Paddock does not, so that all there is is
//! noted once; and an archive, which takes the changes along, leaves behind what they came to.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use sqlx::SqliteConnection;

use super::{
    super::{
        Store, StoreError,
        entries::{self, ReadEntry},
        entry_kind::EntryKind,
        ledger::{By, Fact},
        users,
    },
    facts, grants, groups, roles,
};
use crate::{
    domain::access::{Access, Recorded, Since, SinceWhy},
    ledger::Entry,
};

/// All that is known of access.
#[derive(Debug, Clone, Default)]
pub struct AccessRecord {
    /// From when on; `None`: nothing is known, as the ledger was cut.
    pub since: Option<Since>,
    /// What it was then.
    pub before: Access,
    /// Each after the other.
    pub changes: Vec<Recorded>,
    /// The numbers of entries about access that cannot be read.
    pub unreadable: Vec<i64>,
    /// What the tables say now.
    pub now: Access,
}

/// What is noted of access, in the detail of an entry.
#[derive(Deserialize)]
struct Noted {
    access: Option<Access>,
    /// When it was so; the entry's own time if it does not say.
    access_ms: Option<i64>,
    /// Of an archive: the last entry that it took along.
    last_seq: Option<i64>,
    /// Of a ledger's beginning: how many accounts there were.
    accounts_before: Option<i64>,
}

/// Where the replay begins: after that entry.
struct Base {
    after: i64,
    since: Since,
    access: Access,
}

impl Base {
    fn of(entry: &Entry) -> Option<Self> {
        let noted: Noted = serde_json::from_str(&entry.detail).ok()?;
        let since = |why| Since { at_ms: noted.access_ms.unwrap_or(entry.at_ms), why };
        match entry.kind.parse().ok()? {
            EntryKind::LedgerBegun => (noted.accounts_before == Some(0)).then(|| Self {
                after: entry.seq,
                since: since(SinceWhy::Beginning),
                access: Access::default(),
            }),
            EntryKind::AccessNoted => {
                Some(Self { after: entry.seq, since: since(SinceWhy::Noted), access: noted.access? })
            }
            EntryKind::Archived => {
                Some(Self { after: noted.last_seq?, since: since(SinceWhy::Archived), access: noted.access? })
            }
            _ => None,
        }
    }
}

/// The oldest base whose later entries are all there.
async fn base(db: &mut SqliteConnection) -> Result<Option<Base>, StoreError> {
    let archived = sqlx::query!(r#"SELECT coalesce(max(last_seq), 0) AS "seq!: i64" FROM ledger_archives"#)
        .fetch_one(&mut *db)
        .await?;
    let mut bases = Vec::new();
    for kind in [EntryKind::LedgerBegun, EntryKind::AccessNoted, EntryKind::Archived] {
        let entries = entries::of_kind(db, kind).await?;
        bases.extend(
            entries.iter().filter(|read| read.damaged.is_none()).filter_map(|it| Base::of(&it.entry)),
        );
    }
    bases.retain(|base| base.after >= archived.seq);
    Ok(bases.into_iter().min_by_key(|base| base.after))
}

/// The changes after that entry, up to another, and the numbers of those that cannot be read.
async fn changes(
    db: &mut SqliteConnection,
    after: i64,
    last: i64,
) -> Result<(Vec<Recorded>, Vec<i64>), StoreError> {
    let mut entries = BTreeMap::new();
    for kind in facts::KINDS {
        entries
            .extend(entries::between(db, kind, after, last).await?.into_iter().map(|it| (it.entry.seq, it)));
    }
    let (mut changes, mut unreadable) = (Vec::new(), Vec::new());
    for (seq, ReadEntry { entry, damaged }) in entries {
        match facts::read(&entry).filter(|_| damaged.is_none()) {
            Some(change) => changes.push(Recorded {
                seq,
                at_ms: entry.at_ms,
                actor: entry.actor,
                address: entry.address,
                change,
            }),
            None => unreadable.push(seq),
        }
    }
    Ok((changes, unreadable))
}

/// What the tables say.
async fn now(db: &mut SqliteConnection) -> Result<Access, StoreError> {
    Ok(Access {
        users: users::accounts(db).await?,
        groups: groups::all(db).await?,
        roles: roles::own(db).await?,
        grants: grants::all(db).await?,
    })
}

/// For an archive that is about to take along all entries up to this one: what they came to, to be told by its entry; `None`
/// where that is not known, or is noted after it.
pub async fn at_cut(db: &mut SqliteConnection, last_seq: i64) -> Result<Option<(Access, i64)>, StoreError> {
    let Some(base) = base(db).await?.filter(|base| base.after <= last_seq) else { return Ok(None) };
    let (changes, _) = changes(db, base.after, last_seq).await?;
    let last = sqlx::query!("SELECT at_ms FROM ledger WHERE seq = ?", last_seq).fetch_optional(db).await?;
    let at_ms = last.map_or(base.since.at_ms, |last| last.at_ms);
    Ok(Some((base.access.replayed(&changes), at_ms)))
}

impl Store {
    /// Notes all there is, if the ledger does not tell it: for one that an older Paddock began, or archived.
    pub async fn note_access(&self) -> Result<(), StoreError> {
        if base(&mut *self.pool.acquire().await?).await?.is_some() {
            return Ok(());
        }
        let mut transaction = self.writing().await?;
        if base(&mut transaction).await?.is_some() {
            return Ok(());
        }
        let by = By { at_ms: crate::backend::now_ms(), ..By::default() };
        let detail = json!({ "access": now(&mut transaction).await? });
        self.commit_with(transaction, [Fact::new(EntryKind::AccessNoted, by).with(detail)]).await
    }

    /// Who had which right when, as the ledger has it, and how it is now: of one moment.
    pub async fn access_record(&self) -> Result<AccessRecord, StoreError> {
        let mut snapshot = self.pool.begin().await?;
        let now = now(&mut snapshot).await?;
        let Some(base) = base(&mut snapshot).await? else {
            return Ok(AccessRecord { now, ..AccessRecord::default() });
        };
        let (changes, unreadable) = changes(&mut snapshot, base.after, i64::MAX).await?;
        Ok(AccessRecord { since: Some(base.since), before: base.access, changes, unreadable, now })
    }
}
