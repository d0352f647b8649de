use proptest::prelude::*;
use serde_json::json;

use super::*;

fn change(key: &str, value: Option<&str>) -> Change {
    Change { key: key.to_owned(), value: value.map(str::to_owned) }
}

fn edited(text: &str, changes: &[(&str, Option<&str>)]) -> Result<Value, String> {
    let changes: Vec<Change> = changes.iter().map(|(key, value)| change(key, *value)).collect();
    edit(text, &changes).map(|text| serde_json::from_str(&text).unwrap())
}

#[test]
fn a_setting_is_changed_made_and_removed() {
    let text = r#"{"z":1,"linux":{"resources":{"cpu":{"shares":5}}},"a":[1,2]}"#;
    let new = edited(
        text,
        &[
            ("/linux/resources/memory/limit", Some("1048576")),
            ("/linux/resources/cpu/shares", None),
            ("/annotations/a~1b~0c", Some("\"x\"")),
            ("/a/1", Some("[3]")),
            ("/a/-", Some("null")),
            ("/a/0", None),
            ("/gone/and/away", None),
        ],
    );
    let wanted = json!({
        "z": 1,
        "linux": {"resources": {"cpu": {}, "memory": {"limit": 1_048_576}}},
        "a": [[3], null],
        "annotations": {"a/b~c": "x"}
    });
    assert_eq!(new, Ok(wanted));
}

#[test]
fn the_order_of_everything_else_stays() {
    let text = r#"{"z":1,"b":{"y":1,"c":2,"a":3},"a":1}"#;
    let new =
        edit(text, &[change("/b/y", None), change("/b/m", Some("4")), change("/z", Some("{}"))]).unwrap();
    let keys: Vec<&str> = new.split('"').skip(1).step_by(2).collect();
    assert_eq!(keys, ["z", "b", "c", "a", "m", "a"]);
    assert!(new.starts_with("{\n  \"z\": {},\n") && new.ends_with("}\n"), "{new}");
}

#[test]
fn a_variable_is_set_by_its_name_and_only_once() {
    let text = r#"{"process":{"env":["PATH=/bin","A=1","AB=2","A=3",7]}}"#;
    let env =
        |changes: &[(&str, Option<&str>)]| edited(text, changes).map(|all| all["process"]["env"].clone());
    assert_eq!(env(&[("/process/env/A=", Some("\"A=x=y\""))]), Ok(json!(["PATH=/bin", "A=x=y", "AB=2", 7])));
    assert_eq!(
        env(&[("/process/env/B=", Some("\"B=\""))]),
        Ok(json!(["PATH=/bin", "A=1", "AB=2", "A=3", 7, "B="]))
    );
    assert_eq!(env(&[("/process/env/A=", None)]), Ok(json!(["PATH=/bin", "AB=2", 7])));
    assert!(env(&[("/process/env/A=", Some("\"B=1\""))]).is_err());
    assert_eq!(
        edited("{}", &[("/process/env/A=", Some("\"A=1\""))]),
        Ok(json!({"process": {"env": ["A=1"]}}))
    );
}

#[test]
fn what_cannot_be_changed_says_why() {
    for (text, key, value, why) in [
        ("{", "/a", "1", "no JSON"),
        ("{}", "", "1", "no key"),
        ("{}", "a", "1", "no key"),
        ("{}", "/a", "{", "no JSON"),
        (r#"{"a":1}"#, "/a/b", "1", "neither an object nor an array"),
        (r#"{"a":[]}"#, "/a/0", "1", "no entry 0"),
        (r#"{"a":[1]}"#, "/a/00", "1", "no entry 00"),
        (r#"{"a":[1]}"#, "/a/b/c", "1", "there is no “b”"),
        (r#"{"a":[1]}"#, "/a/-/c", "1", "there is no “-”"),
        (r#"{"a":[1]}"#, "/a/99999999999999999999", "1", "no entry"),
    ] {
        let error = edited(text, &[(key, Some(value))]).unwrap_err();
        assert!(error.contains(why), "{text} {key}: {error}");
    }
    let deep = "/a".repeat(DEEPEST + 1);
    assert!(edited("{}", &[(&deep, Some("1"))]).is_err());
    // Each by itself is read; one inside of the other would not be.
    let nested = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let holder = format!("{{\"a\":{nested}}}");
    let key = format!("/a{}", "/0".repeat(30));
    assert!(edited(&holder, &[(&key, Some(&nested))]).unwrap_err().contains("any more"));
}

/// Any JSON, up to some size.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        "[A-B]=.{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((any_part(), inner), 0..5)
                .prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}

/// Parts that often meet what is there, and some that never do.
fn any_part() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c]", "[0-3]", "-", "[A-B]=", "[~/a]{0,3}", ".{0,6}"].prop_map(String::from)
}

fn any_key() -> impl Strategy<Value = String> {
    prop::collection::vec(any_part(), 1..6)
        .prop_map(|parts| parts.iter().map(|text| format!("/{}", part(text))).collect())
}

proptest! {
    #[test]
    fn whatever_is_asked_of_whatever_text_nothing_panics(
        text in prop_oneof![".{0,64}", any_json().prop_map(|json| json.to_string())],
        key in prop_oneof![".{0,24}", any_key()],
        value in prop::option::of(prop_oneof![".{0,16}", any_json().prop_map(|json| json.to_string())]),
    ) {
        let new = edit(&text, &[Change { key, value }]);
        prop_assert!(new.is_err() || serde_json::from_str::<Value>(&new.unwrap()).is_ok());
    }

    #[test]
    fn what_was_set_is_read_back_and_what_was_removed_is_gone(
        json in any_json(), key in any_key(), value in any_json(),
    ) {
        let parts = parts(&key).unwrap();
        prop_assume!(!parts.iter().any(|part| part == "-" || part.ends_with('=')));
        let Ok(new) = edit(&json.to_string(), &[change(&key, Some(&value.to_string()))]) else { return Ok(()) };
        let found: Value = serde_json::from_str(&new).unwrap();
        prop_assert_eq!(found.pointer(&key), Some(&value));
        // Once more changes nothing.
        prop_assert_eq!(edit(&new, &[change(&key, Some(&value.to_string()))]), Ok(new.clone()));
        let without = edit(&new, &[change(&key, None)]).unwrap();
        let without: Value = serde_json::from_str(&without).unwrap();
        let holder_is_array = key.rsplit_once('/').is_some_and(|(way, _)| {
            if way.is_empty() { found.is_array() } else { found.pointer(way).is_some_and(Value::is_array) }
        });
        // What came after it in an array has moved up.
        prop_assert!(holder_is_array || without.pointer(&key).is_none());
    }

    #[test]
    fn a_variable_that_was_set_is_there_once(
        env in prop::collection::vec("[A-C]{1,2}=[a-z=]{0,3}", 0..8), name in "[A-C]{1,2}", value in ".{0,8}",
    ) {
        let entry = format!("{name}={value}");
        let new = edit(
            &json!({"env": env}).to_string(),
            &[change(&format!("/env/{name}="), Some(&json!(entry).to_string()))],
        ).unwrap();
        let new: Value = serde_json::from_str(&new).unwrap();
        let new: Vec<&str> = new["env"].as_array().unwrap().iter().map(|entry| entry.as_str().unwrap()).collect();
        let beginning = format!("{name}=");
        prop_assert_eq!(new.iter().filter(|entry| entry.starts_with(&beginning)).collect::<Vec<_>>(), [&entry.as_str()]);
        let others = |all: &[&str]| -> Vec<String> {
            all.iter().filter(|entry| !entry.starts_with(&beginning)).map(|entry| (*entry).to_owned()).collect()
        };
        let before: Vec<&str> = env.iter().map(String::as_str).collect();
        prop_assert_eq!(others(&new), others(&before));
    }
}
