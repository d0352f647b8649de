//! Snapshots of a container, read from the directories that LXC keeps them in.
//!
//! ```text
//!   LXCPATH/NAME/snaps/snapN/config          there is such a snapshot
//!                           /ts              written last: local time, `2026:11:22 19:19:56`
//!                           /comment         what it was given
//!                           /lxc_snapshots   containers that LXC made from it and counts as dependent
//! ```

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use time::{Date, Month, PrimitiveDateTime, Time};

use crate::{
    backend::{Error, files},
    domain::{guest::Snapshot, name::GuestName},
};

use super::facts::recorded_clones;

/// Most that is read of a snapshot's comment, bytes.
const COMMENT_CAP: u64 = 16 * 1024;
/// A snapshot without this was cut off.
const CUT_OFF: &str = "It was cut off while it was taken, so it can only be deleted.";
/// Time zones differ by multiples of this, seconds, and by no more than [`WIDEST_ZONE`].
const ZONE_STEP: i64 = 900;
const WIDEST_ZONE: i64 = 14 * 3600;

/// One snapshot, and what decides whether it can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub name: String,
    pub created_ms: Option<i64>,
    pub comment: String,
    /// LXC wrote its time, which it does when all else is there.
    pub is_complete: bool,
    /// Containers made from it, by LXC's record: it cannot be deleted before them.
    pub clones: Vec<String>,
}

impl Kept {
    /// `snap7` was taken as the eighth, whatever the clock said.
    fn number(&self) -> Option<u32> {
        self.name.strip_prefix("snap")?.parse().ok()
    }
}

impl From<Kept> for Snapshot {
    fn from(kept: Kept) -> Self {
        let description = if kept.is_complete { kept.comment } else { CUT_OFF.to_owned() };
        Self { name: kept.name, created_ms: kept.created_ms, description, parent: None, memory: false }
    }
}

/// Where LXC keeps this container's snapshots: beside the containers if that directory, which LXC before 1.1 made,
/// exists; else in the container's own.
pub fn directory(lxcpath: &str, name: &GuestName) -> PathBuf {
    let old = PathBuf::from(format!("{lxcpath}snaps"));
    if old.is_dir() { old.join(name.as_str()) } else { Path::new(lxcpath).join(name.as_str()).join("snaps") }
}

/// Everything that is there, sorted: also what is no snapshot stands in the way of a delete.
pub fn entries(directory: &Path) -> Result<Vec<String>, Error> {
    let mut names = files::names(directory)?;
    names.sort_unstable();
    Ok(names)
}

/// The snapshots, oldest first. One whose name could not be handed to a tool was not made by LXC.
pub fn read(directory: &Path) -> Result<Vec<Kept>, Error> {
    let mut found = Vec::new();
    for name in files::names(directory)? {
        if GuestName::found(&name).is_ok() && directory.join(&name).join("config").is_file() {
            found.push(kept(&directory.join(&name), name)?);
        }
    }
    found.sort_by(|a, b| (a.created_ms, a.number(), &a.name).cmp(&(b.created_ms, b.number(), &b.name)));
    Ok(found)
}

fn kept(directory: &Path, name: String) -> Result<Kept, Error> {
    let timestamp = directory.join("ts");
    let text = files::read(&timestamp)?;
    let written = fs::metadata(&timestamp).map(|found| found.mtime()).ok();
    let comment = files::read_capped(&directory.join("comment"), COMMENT_CAP)?;
    let record = files::read(&directory.join("lxc_snapshots"))?.unwrap_or_default();
    Ok(Kept {
        name,
        created_ms: text.as_deref().and_then(|text| created_ms(text, written)),
        comment: comment.map(|(text, _)| text.trim().to_owned()).unwrap_or_default(),
        is_complete: text.is_some(),
        clones: recorded_clones(&record),
    })
}

/// The name that LXC gives to the next snapshot: the first number that is free.
pub fn next(directory: &Path) -> String {
    let taken = |number: &u32| fs::symlink_metadata(directory.join(format!("snap{number}"))).is_ok();
    let free = (0..u32::MAX).find(|number| !taken(number)).unwrap_or(u32::MAX);
    format!("snap{free}")
}

/// Milliseconds since 1970. The file says the time but not the zone; when it was written tells that. Where the file
/// was written at quite another time, as a copied one, its text counts as UTC.
fn created_ms(text: &str, written: Option<i64>) -> Option<i64> {
    let local = seconds(text)?;
    let zone = written.map(|written| {
        let steps = (written.saturating_sub(local)).saturating_add(ZONE_STEP / 2).div_euclid(ZONE_STEP);
        steps.saturating_mul(ZONE_STEP)
    });
    let zone = zone.filter(|zone| zone.saturating_abs() <= WIDEST_ZONE).unwrap_or_default();
    local.checked_add(zone)?.checked_mul(1000)
}

/// Seconds since 1970 of `2026:11:22 19:19:56`, as if it were UTC.
fn seconds(text: &str) -> Option<i64> {
    let (date, time) = text.trim().split_once(' ')?;
    let number =
        |part: Option<&str>| part.filter(|p| p.bytes().all(|b| b.is_ascii_digit()))?.parse::<u16>().ok();
    let mut parts = date.split(':');
    let (year, month, day) = (number(parts.next())?, number(parts.next())?, number(parts.next())?);
    let mut times = time.split(':');
    let (hour, minute, second) = (number(times.next())?, number(times.next())?, number(times.next())?);
    if parts.next().is_some() || times.next().is_some() {
        return None;
    }
    let small = |number: u16| u8::try_from(number).ok();
    let month = Month::try_from(small(month)?).ok()?;
    let date = Date::from_calendar_date(i32::from(year), month, small(day)?).ok()?;
    let time = Time::from_hms(small(hour)?, small(minute)?, small(second)?).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-11-22 19:19:56 UTC.
    const THEN: i64 = 1_795_375_196;

    fn snapshot(directory: &Path, name: &str, files: &[(&str, &str)]) {
        let directory = directory.join(name);
        fs::create_dir_all(&directory).unwrap();
        for (file, text) in files {
            fs::write(directory.join(file), text).unwrap();
        }
    }

    #[test]
    fn snapshots_are_told_oldest_first_with_their_comments() {
        let dir = tempfile::tempdir().unwrap();
        let old = [("config", ""), ("ts", "2020:01:01 00:00:00")];
        snapshot(
            dir.path(),
            "snap10",
            &[("config", ""), ("ts", "2020:01:01 00:00:00"), ("comment", "of\nold\n")],
        );
        snapshot(dir.path(), "snap9", &old);
        snapshot(dir.path(), "snap2", &[("config", ""), ("ts", "2020:01:01 00:00:01")]);
        snapshot(dir.path(), "snap3", &[("config", "")]);
        snapshot(dir.path(), "snap4", &[("ts", "2020:01:01 00:00:00")]);
        snapshot(dir.path(), "-d", &old);
        fs::write(dir.path().join("snap5"), "").unwrap();
        let found = read(dir.path()).unwrap();
        let names: Vec<&str> = found.iter().map(|kept| kept.name.as_str()).collect();
        assert_eq!(names, ["snap3", "snap9", "snap10", "snap2"]);
        assert_eq!(found[2].comment, "of\nold");
        assert!(found[1].is_complete && !found[0].is_complete);
        assert!(Snapshot::from(found[0].clone()).description.contains("cut off"));
        assert_eq!(entries(dir.path()).unwrap().len(), 7, "all of them stand in the way of a delete");
        assert_eq!(read(&dir.path().join("none")), Ok(vec![]));
    }

    #[test]
    fn the_next_snapshot_takes_the_first_free_number() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(next(dir.path()), "snap0");
        for name in ["snap0", "snap1", "snap3"] {
            snapshot(dir.path(), name, &[]);
        }
        assert_eq!(next(dir.path()), "snap2");
    }

    #[test]
    fn a_snapshot_that_a_container_was_made_from_says_so() {
        let dir = tempfile::tempdir().unwrap();
        snapshot(dir.path(), "snap0", &[("config", ""), ("lxc_snapshots", "/var/lib/lxc\nweb2\n")]);
        assert_eq!(read(dir.path()).unwrap()[0].clones, ["web2"]);
    }

    #[test]
    fn old_hosts_keep_all_snapshots_in_one_place() {
        let dir = tempfile::tempdir().unwrap();
        let lxcpath = dir.path().join("lxc").display().to_string();
        let name = GuestName::new("web1").unwrap();
        assert!(directory(&lxcpath, &name).ends_with("lxc/web1/snaps"));
        fs::create_dir(dir.path().join("lxcsnaps")).unwrap();
        assert!(directory(&lxcpath, &name).ends_with("lxcsnaps/web1"));
    }

    #[test]
    fn the_zone_is_told_by_when_the_file_was_written() {
        let text = "2026:11:22 19:19:56";
        assert_eq!(seconds(text), Some(THEN));
        for (zone, late) in [(0, 0), (3600, 1), (-5 * 3600, 2), (20_700, 1), (0, 400), (14 * 3600, 0)] {
            // A clock that is ahead of UTC by `zone` shows that much more than the file's own time.
            let truth = THEN - zone;
            assert_eq!(created_ms(text, Some(truth + late)), Some(truth * 1000), "{zone} {late}");
        }
        for unrelated in [None, Some(THEN + 90_000), Some(i64::MAX), Some(i64::MIN)] {
            assert_eq!(created_ms(text, unrelated), Some(THEN * 1000));
        }
        for text in [
            "",
            "2026-11-22 19:19:56",
            "2026:13:22 19:19:56",
            "2026:11:22 19:19",
            "2026:11:22 19:19:56:1",
            "+2:1:1 1:1:1",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_reads_back_as_it_was_written(at in 0i64..4_000_000_000) {
            let moment = time::OffsetDateTime::from_unix_timestamp(at).unwrap();
            let (y, m, d) = (moment.year(), u8::from(moment.month()), moment.day());
            let text = format!("{y:04}:{m:02}:{d:02} {:02}:{:02}:{:02}", moment.hour(), moment.minute(), moment.second());
            prop_assert_eq!(seconds(&text), Some(at));
        }

        #[test]
        fn any_text_is_a_time_or_none(text in any::<String>(), near in "[0-9:+ -]{0,22}", written in any::<Option<i64>>()) {
            created_ms(&text, written);
            created_ms(&near, written);
        }
    }
}
