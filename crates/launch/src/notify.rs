//! Notifies a user who is away: a command of the user's choosing is started for each alert.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use traintop_run::alerts::Alert;
use traintop_run::subprocess::run;
use traintop_text::clean;

/// A command that takes longer is ended: a mail server that does not answer must not gather
/// processes.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Starts the command with `{run}`, `{alert}`, `{message}` and `{dir}` filled in, writes the alert
/// as text to its input, and waits for its end. No shell is used, so a name is never more than one
/// word.
///
/// # Errors
/// A sentence, if it cannot be started, fails, or takes more than a minute.
pub fn notify(command: &[String], alert: &Alert) -> Result<(), String> {
    let Some((program, words)) = command.split_first() else {
        return Ok(());
    };
    let failed = |why: String| format!("notify: {}: {why}", clean(program));
    let text = format!(
        "{}: {}\n{}\n",
        alert.name,
        alert.message,
        alert.dir.path().display()
    );
    let mut command = Command::new(program);
    command
        .args(words.iter().map(|word| filled(word, alert)))
        // Away from the keys and the end of the terminal.
        .process_group(0);
    let called = run(&mut command, &text, TIMEOUT).map_err(|error| failed(error.to_string()))?;
    if called.is_well {
        return Ok(());
    }
    let mut stderr = called.stderr.lines();
    let line = stderr.rfind(|line| !line.trim().is_empty());
    Err(failed(line.map_or_else(
        || "failed without a message".to_owned(),
        |line| clean(line.trim()).into_owned(),
    )))
}

/// A word with its fields; braces that name none stay.
fn filled(word: &str, alert: &Alert) -> String {
    let dir = alert.dir.path().display().to_string();
    let fields = [
        ("{run}", alert.name.as_str()),
        ("{alert}", &alert.kind),
        ("{message}", &alert.message),
        ("{dir}", &dir),
    ];
    let (mut text, mut rest) = (String::new(), word);
    while let Some(at) = rest.find('{') {
        text += &rest[..at];
        rest = &rest[at..];
        let field = fields.iter().find(|(field, _)| rest.starts_with(field));
        let (value, length) = field.map_or(("{", 1), |(field, value)| (*value, field.len()));
        text += value;
        rest = &rest[length..];
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use traintop_run::RunDir;

    fn alert() -> Alert {
        Alert {
            about: "a".to_owned(),
            kind: "nan".to_owned(),
            dir: RunDir::new("/runs/a"),
            name: "{message} $(rm -rf)".to_owned(),
            message: "val_loss is NaN".to_owned(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn fields_are_filled_once_and_other_braces_stay() {
        assert_eq!(
            filled("{alert} of {run}: {message} {x} {", &alert()),
            "nan of {message} $(rm -rf): val_loss is NaN {x} {"
        );
    }

    #[test]
    fn the_command_gets_the_words_and_the_text() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let script = format!("cat > {}; echo \"$1\" >> {}", out.display(), out.display());
        notify(&words(&["sh", "-c", &script, "sh", "{run}"]), &alert()).unwrap();
        let printed = std::fs::read_to_string(out).unwrap();
        assert_eq!(
            printed,
            "{message} $(rm -rf): val_loss is NaN\n/runs/a\n{message} $(rm -rf)\n"
        );
        assert_eq!(notify(&[], &alert()), Ok(()));
    }

    #[test]
    fn what_goes_wrong_is_one_sentence() {
        let missing = notify(&words(&["/no/such/program"]), &alert()).unwrap_err();
        assert!(
            missing.starts_with("notify: /no/such/program: cannot be started ("),
            "{missing}"
        );
        let failing = notify(
            &words(&["sh", "-c", "echo first >&2; echo no route >&2; exit 3"]),
            &alert(),
        );
        assert_eq!(failing.unwrap_err(), "notify: sh: no route");
    }
}
