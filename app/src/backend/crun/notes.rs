//! What Paddock keeps about a container in its bundle: annotations of `config.json`, which crun hands on and does not
//! read.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use crate::backend::files;

use super::{bundle::Config, input};

pub const DESCRIPTION: &str = "paddock.description";
/// Tags, sorted, with [`BETWEEN_TAGS`] between them.
pub const TAGS: &str = "paddock.tags";
/// The name of the container that Paddock made the bundle for.
pub const MADE_FOR: &str = "paddock.made-for";
/// What it was made from.
pub const IMAGE: &str = "paddock.image";
/// Until the container is registered for the first time: nothing has run in the bundle yet.
pub const UNFINISHED: &str = "paddock.unfinished";

const BETWEEN_TAGS: char = ';';

/// Tags as an annotation has them.
pub fn joined(tags: &[String]) -> String {
    let sorted: BTreeSet<&str> = tags.iter().map(String::as_str).collect();
    sorted.into_iter().collect::<Vec<_>>().join(&BETWEEN_TAGS.to_string())
}

/// The tags of a container, sorted. What somebody else wrote there and is no tag is left out.
pub fn tags(config: &Config) -> Vec<String> {
    let text = config.annotation(TAGS).unwrap_or_default();
    let tags: BTreeSet<&str> = text.split(BETWEEN_TAGS).filter(|tag| input::is_tag(tag)).collect();
    tags.into_iter().map(str::to_owned).collect()
}

/// The tags of many bundles, read again only from those whose file has changed: a list costs one look at each.
#[derive(Debug, Default)]
pub struct TagCache {
    seen: Mutex<HashMap<PathBuf, (Stamp, Vec<String>)>>,
}

/// Which version of a file this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    /// Of the content and of the file as such, seconds and nanoseconds each.
    changed: [i64; 4],
}

impl Stamp {
    /// `None` of what is no plain file: a pipe would be waited for.
    fn of(file: &Path) -> Option<Self> {
        let meta = fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
        Some(Self {
            inode: meta.ino(),
            size: meta.size(),
            changed: [meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()],
        })
    }
}

impl TagCache {
    /// The tags in this bundle; none where there is no configuration that can be understood.
    pub fn tags(&self, bundle: &str) -> Vec<String> {
        let file = Path::new(bundle).join("config.json");
        let Some(stamp) = Stamp::of(&file) else { return Vec::new() };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get(&file) {
            Some((known, tags)) if *known == stamp => tags.clone(),
            _ => {
                let config = files::read(&file).ok().flatten().and_then(|text| Config::parse(&text).ok());
                let tags = config.as_ref().map(tags).unwrap_or_default();
                seen.insert(file, (stamp, tags.clone()));
                tags
            }
        }
    }

    /// Forgets all bundles but these, as after a whole list.
    pub fn keep_only<'a>(&self, bundles: impl Iterator<Item = &'a str>) {
        let kept: BTreeSet<PathBuf> = bundles.map(|bundle| Path::new(bundle).join("config.json")).collect();
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).retain(|file, _| kept.contains(file));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_back_sorted_and_once() {
        let config = |text: &str| {
            Config::parse(&serde_json::json!({"annotations": {TAGS: text}}).to_string()).unwrap()
        };
        let asked = ["web", "db", "web"].map(str::to_owned);
        assert_eq!(joined(&asked), "db;web");
        assert_eq!(tags(&config(&joined(&asked))), ["db", "web"]);
        assert_eq!(tags(&config("b;;a;<script>;b; c")), ["a", "b"]);
        assert_eq!(tags(&Config::default()), Vec::<String>::new());
    }

    #[test]
    fn a_bundle_is_read_again_only_when_it_has_changed() {
        let dir = tempfile::tempdir().unwrap();
        let bundle = dir.path().to_str().unwrap();
        let file = dir.path().join("config.json");
        let cache = TagCache::default();
        assert_eq!(cache.tags(bundle), Vec::<String>::new(), "there is no file yet");
        let write =
            |tags: &str| fs::write(&file, format!(r#"{{"annotations":{{"{TAGS}":"{tags}"}}}}"#)).unwrap();
        write("a");
        assert_eq!(cache.tags(bundle), ["a"]);
        // What is remembered stands for the file as long as that stays as it is.
        cache.seen.lock().unwrap().get_mut(&file).unwrap().1 = vec!["remembered".into()];
        assert_eq!(cache.tags(bundle), ["remembered"]);
        write("b2");
        assert_eq!(cache.tags(bundle), ["b2"]);
        fs::write(&file, "{ nope").unwrap();
        assert_eq!(cache.tags(bundle), Vec::<String>::new());
        cache.keep_only([bundle].into_iter());
        assert_eq!(cache.seen.lock().unwrap().len(), 1);
        cache.keep_only(std::iter::empty());
        assert!(cache.seen.lock().unwrap().is_empty());
    }

    #[test]
    fn what_is_no_plain_file_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("config.json")).unwrap();
        assert_eq!(TagCache::default().tags(dir.path().to_str().unwrap()), Vec::<String>::new());
    }
}
