//! API calls as `curl` makes them.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{comment, quote, seconds};
use crate::domain::plan::{Answer, ApiCall, Method, Param, Plan, Work};

/// What needs no escape in a parameter's name; `curl` encodes its value alone.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Makes a call whose answer names a task, and follows that to its end.
pub(super) const TASK: &str = r#"
# Makes a call and follows the task that it began, for about $1 seconds.
task() {
    left=${1%%.*}
    shift
    answer=$("$@") || { printf '%s\n' "$answer" >&2; return 1; }
    upid=${answer#*'"data":"'}
    upid=${upid%%'"'*}
    case $upid in
    UPID:*) printf '%s\n' "$upid" ;;
    # There was nothing to do.
    OK) return 0 ;;
    *)
        case $answer in *'"data":null'*) return 0 ;; esac
        printf 'No task is named in: %s\n' "$answer" >&2
        return 1
        ;;
    esac
    node=${upid#UPID:}
    node=${node%%:*}
    while :; do
        # A node that cannot be asked just now may answer the next time.
        state=$(curl --fail-with-body --silent --show-error --cacert "$PADDOCK_PVE_CA" --header "Authorization: PVEAPIToken=$PVE_TOKEN" "$PVE_URL/api2/json/nodes/${node%%/*}/tasks/$upid/status") || state=
        case $state in
        *'"status":"stopped"'*)
            case $state in *'"exitstatus":"OK"'* | *'"exitstatus":"WARNINGS:'*) return 0 ;; esac
            printf '%s\n' "$state" >&2
            return 1
            ;;
        esac
        if [ "$left" -le 0 ]; then
            echo 'The task goes on; nobody follows it any more.' >&2
            return 1
        fi
        left=$((left - 1))
        sleep 1
    done
}
"#;

/// Makes a call that begins a process in a VM. Ends the way `ask` says.
pub(super) const BEGUN: &str = r#"
# Makes a call that begins a process in the guest, and asks how that ended.
begun() {
    "$@" && echo && ask 'Has the process in the guest ended with exit code 0?'
}
"#;

/// What a person must set before.
pub(super) struct Variables<'a> {
    has_calls: bool,
    /// Each secret of the plan once, with its variable.
    secrets: Vec<(&'a str, String)>,
}

impl<'a> Variables<'a> {
    pub fn of(plan: &'a Plan) -> Self {
        let calls = || {
            plan.steps.iter().filter_map(|step| match &step.work {
                Work::Api(call) => Some(call),
                _ => None,
            })
        };
        let mut variables = Self { has_calls: calls().next().is_some(), secrets: Vec::new() };
        for (_, value) in calls().flat_map(|call| &call.params) {
            if let Param::Secret(name) = value
                && variables.secret(name).is_none()
            {
                let variable = variables.fresh(name);
                variables.secrets.push((name, variable));
            }
        }
        variables
    }

    /// A variable for this secret that is no other's: `a-b` and `a_b` would get the same.
    fn fresh(&self, name: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let mut variable = format!("SECRET_{}", name.chars().map(plain).collect::<String>());
        while self.secrets.iter().any(|(_, taken)| *taken == variable) {
            variable.push('_');
        }
        variable
    }

    fn secret(&self, name: &str) -> Option<&str> {
        self.secrets.iter().find(|(known, _)| *known == name).map(|(_, variable)| variable.as_str())
    }

    /// What each is for, as comments.
    pub fn explained(&self) -> String {
        if !self.has_calls {
            return String::new();
        }
        let mut text = "#\n# Set and export before:\n".to_owned();
        text.push_str("#   PVE_URL         https://NODE:8006\n");
        text.push_str("#   PVE_TOKEN       USER@REALM!NAME=UUID, an API token\n");
        text.push_str("#   PADDOCK_PVE_CA  the file of the CA that signed the node's certificate\n");
        for (name, variable) in &self.secrets {
            text.push_str(&comment(&format!("  {variable}  the secret “{name}”")));
        }
        text.push_str(
            "# While curl runs, its arguments, token and secrets among them, can be read by whoever can\n",
        );
        text.push_str("# list the processes of this machine.\n");
        text
    }

    /// Ends the script at its beginning if one is missing, before anything is half done.
    pub fn checked(&self) -> String {
        if !self.has_calls {
            return String::new();
        }
        let mut text = r#": "${PVE_URL:?}" "${PVE_TOKEN:?}" "${PADDOCK_PVE_CA:?}""#.to_owned();
        for (_, variable) in &self.secrets {
            let _ = write!(text, r#" "${{{variable}?}}""#);
        }
        text + "\n"
    }
}

/// The call as one command; `None` for one that Paddock's own client refuses to make.
pub(super) fn curl(call: &ApiCall, variables: &Variables<'_>) -> Option<String> {
    if !stays_below(&call.path) {
        return None;
    }
    let limit = seconds(call.timeout_ms);
    let mut code = match call.answer {
        Answer::Plain => String::new(),
        Answer::Task => format!("task {limit} "),
        Answer::GuestProcess => "begun ".to_owned(),
    };
    let method = call.method.as_str();
    let _ = write!(
        code,
        "curl --fail-with-body --silent --show-error --request {method} --max-time {limit} --cacert \
         \"$PADDOCK_PVE_CA\" --header \"Authorization: PVEAPIToken=$PVE_TOKEN\""
    );
    let in_query = matches!(call.method, Method::Get | Method::Delete);
    if in_query {
        code.push_str(" --get");
    } else if call.params.is_empty() {
        // Else there would be no body, and no length of one.
        code.push_str(" --data ''");
    }
    for (name, value) in &call.params {
        let name = utf8_percent_encode(name, NAME);
        match value {
            Param::Text(text) => {
                let _ = write!(code, " --data-urlencode {}", quote(&format!("{name}={text}")));
            }
            // A URL is written into logs on its way.
            Param::Secret(_) if in_query => return None,
            Param::Secret(secret) => {
                let _ = write!(code, " --data-urlencode \"{name}=${{{}}}\"", variables.secret(secret)?);
            }
        }
    }
    let _ = write!(code, " \"$PVE_URL/api2/json{}\"", call.path);
    Some(code)
}

/// Whether the path is one below the API's root, each segment encoded: then it needs no quotes either.
fn stays_below(path: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'%');
    let is_segment = |segment: &str| {
        let dots = segment.replace("%2e", ".").replace("%2E", ".");
        !matches!(dots.as_str(), "" | "." | "..") && segment.bytes().all(plain)
    };
    path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_segment))
}
