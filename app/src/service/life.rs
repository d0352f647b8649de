//! The server's own life in the ledger: its start, its settings where they have changed, its orderly end.

use serde_json::{Map, Value, json};

use super::Error;
use crate::{
    backend::now_ms,
    store::{By, EntryKind, Fact, Store, StoreError},
};

/// Who does what Paddock does by itself. No account can be called so.
pub const SERVER: &str = "paddock (server)";

pub(super) fn by_server() -> By<'static> {
    By { actor: Some(SERVER), address: None, at_ms: now_ms() }
}

/// What is recorded of a start.
#[derive(Debug, Clone)]
pub struct Start {
    pub version: &'static str,
    /// Where it listens.
    pub listens: String,
    /// Every setting by its key, null where it has no value. Secrets are not among them.
    pub settings: Map<String, Value>,
}

/// Records the start, and the settings if they are others than those recorded last.
pub async fn started(store: &Store, start: Start) -> Result<(), Error> {
    // A database that cannot be read whole is no reason not to start.
    if let Err(error) = store.note_access().await {
        tracing::error!(%error, "who has which right could not be noted");
    }
    let Start { version, listens, settings } = start;
    let detail = json!({ "version": version, "listens": listens });
    store.record(Fact::new(EntryKind::ServerStarted, by_server()).with(detail)).await?;
    let last = match store.newest_entry(EntryKind::SettingsChanged).await {
        // It was changed by hand: then the settings are recorded anew.
        Err(StoreError::Damaged { .. }) => None,
        last => last?,
    };
    let last = last.and_then(|entry| recorded(&entry.detail));
    let detail = match last {
        Some(last) if last == settings => return Ok(()),
        Some(last) => json!({ "changed": changed(&last, &settings), "settings": settings }),
        None => json!({ "first": true, "settings": settings }),
    };
    store.record(Fact::new(EntryKind::SettingsChanged, by_server()).with(detail)).await?;
    Ok(())
}

/// Records the end and signs the whole record: what is cut off later is missed by that.
pub async fn stopped(store: &Store) -> Result<(), Error> {
    store.record(Fact::new(EntryKind::ServerStopped, by_server())).await?;
    store.checkpoint().await?;
    Ok(())
}

/// The settings in the detail of an entry; `None` where somebody has changed it beyond reading.
fn recorded(detail: &str) -> Option<Map<String, Value>> {
    let mut detail: Value = serde_json::from_str(detail).ok()?;
    match detail.get_mut("settings")?.take() {
        Value::Object(settings) => Some(settings),
        _ => None,
    }
}

/// Old and new value of each that differs; null where there is none.
fn changed(old: &Map<String, Value>, new: &Map<String, Value>) -> Map<String, Value> {
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    let differing = new.keys().chain(gone).filter(|key| old.get(*key) != new.get(*key));
    differing.map(|key| (key.clone(), json!({ "old": old.get(key), "new": new.get(key) }))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn what_differs_is_told_with_both_values() {
        let old = map(json!({ "a": 1, "b": [1, 2], "gone": "x", "same": null }));
        let new = map(json!({ "same": null, "a": 2, "b": [1, 2], "new": true }));
        let expected = json!({
            "a": { "old": 1, "new": 2 },
            "new": { "old": null, "new": true },
            "gone": { "old": "x", "new": null },
        });
        assert_eq!(Value::Object(changed(&old, &new)), expected);
    }

    #[test]
    fn an_entry_that_says_no_settings_is_none_to_compare_with() {
        for detail in ["", "{}", "[]", r#"{"settings":1}"#] {
            assert_eq!(recorded(detail), None, "{detail}");
        }
    }
}
