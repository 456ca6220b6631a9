//! What the programs print with `--json` keeps to the schemas that `traintop schema` prints.

mod validator;

use std::collections::BTreeSet;

use clap::CommandFactory;
use serde_json::{Value, json};
use traintop::cli::{Arguments, schema};

use self::validator::Schema;
use crate::fake_worker::{ONE_EPOCH, Workplace};

/// The `$id` of what the others refer to.
const SHARED: &str = "traintop:run:1";

/// Commands of the worker; their outputs have schemas as well.
const OF_THE_WORKER: [&str; 2] = ["data-check", "inspect"];

/// What a command printed with `--json`, which must keep to its schema.
pub fn json(command: &str, stdout: &[u8]) -> Value {
    let value: Value = serde_json::from_slice(stdout).unwrap();
    let schema = schema::of(command).unwrap().unwrap();
    let problems = Schema::new(schema).problems(&value);
    assert!(problems.is_empty(), "{command}: {problems:#?} in {value:#}");
    value
}

/// Checks what `traintop` printed, if these arguments ask it for JSON and it printed any.
pub fn look(arguments: &[&str], stdout: &[u8]) {
    if arguments.contains(&"--json") && !stdout.is_empty() {
        let known = arguments.first().filter(|word| schema::of(word).is_some());
        json(known.unwrap_or(&"list"), stdout);
    }
}

/// The commands of the command line that have `--json`, themselves or in their parts.
fn commands_with_json() -> BTreeSet<String> {
    fn has_json(command: &clap::Command) -> bool {
        let mut options = command.get_arguments();
        options.any(|option| option.get_long() == Some("json"))
            || command.get_subcommands().any(has_json)
    }
    let all = Arguments::command();
    let with_json = all.get_subcommands().filter(|command| has_json(command));
    with_json
        .map(|command| command.get_name().to_owned())
        .collect()
}

#[test]
fn each_command_that_prints_json_has_a_schema_which_it_prints() {
    let place = Workplace::new(ONE_EPOCH);
    let listed = place.stdout(&["schema"]);
    let listed: BTreeSet<_> = listed
        .lines()
        .filter_map(|line| line.split("  ").next())
        .map(|name| name.trim().to_owned())
        .collect();
    let worker = OF_THE_WORKER.map(str::to_owned);
    let expected: BTreeSet<_> = commands_with_json().into_iter().chain(worker).collect();
    assert_eq!(listed, expected);
    for command in &listed {
        let printed: Value = serde_json::from_str(&place.stdout(&["schema", command])).unwrap();
        assert_eq!(printed["$id"], format!("traintop:{command}:1"));
        let faults = Schema::new(printed).faults();
        assert!(faults.is_empty(), "{command}: {faults:#?}");
    }
    let printed = place.refusal(&["schema", "stop"], 2);
    assert!(printed.contains("possible values"), "{printed}");
}

#[test]
fn a_made_up_key_fails_wherever_it_stands() {
    let mut tried = 0;
    for command in commands_with_json()
        .iter()
        .map(String::as_str)
        .chain(OF_THE_WORKER)
    {
        let schema = Schema::new(schema::of(command).unwrap().unwrap());
        for choice in 0..2 {
            let (sample, closed) = schema.sample(choice);
            let problems = schema.problems(&sample);
            assert!(
                problems.is_empty(),
                "{command}: {problems:#?} in {sample:#}"
            );
            for at in closed {
                let mut value = sample.clone();
                value.pointer_mut(&at).unwrap()["made_up"] = json!(1);
                let problems = schema.problems(&value);
                assert!(!problems.is_empty(), "{command}: a key at {at:?} passes");
                tried += 1;
            }
        }
    }
    assert!(tried > 50, "{tried}");
}
