//! Small files that ask for much: memory stays within a small multiple of a file's length and a
//! fixed limit, nothing overflows the stack, and each command ends.

use crate::programs::{TRAINTOP, worker};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use zip::write::FileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::fake_worker::Workplace;

/// What a program may take of addresses, in KiB. The dashboard's program maps 300 MB at its start,
/// the worker with libtorch 500.
const MEMORY_KIB: u32 = 1_000_000;
/// How long a command may take, in seconds; all of these take a few on a quiet machine.
const PATIENCE_S: u32 = 120;

/// Runs a program within the limits.
fn bounded(place: &Workplace, program: &str, arguments: &[&str]) -> Output {
    let limited = format!("ulimit -v {MEMORY_KIB}; exec timeout {PATIENCE_S} \"$@\"");
    let mut command = Command::new("bash");
    command
        .args(["-c", &limited, "bash", program])
        .args(arguments);
    command.current_dir(place.path());
    for (name, value) in place.traintop(&[]).get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.output().unwrap()
}

/// Runs commands over a folder of runs within the limits; each must end by itself, with success or
/// a sentence.
fn survives(place: &Workplace, what: &str, commands: &[&str]) {
    for command in commands {
        let output = bounded(place, TRAINTOP, &[command, "runs"]);
        ends_well(&format!("{command} with {what}"), &output);
        assert!(output.status.success(), "{command} with {what}: {output:?}");
    }
}

fn ends_well(what: &str, output: &Output) {
    let printed = String::from_utf8_lossy(&output.stderr);
    let printed: String = printed.chars().take(500).collect();
    assert!(
        matches!(output.status.code(), Some(0 | 1)) && !printed.contains("panicked"),
        "{what}: {:?} {printed}",
        output.status
    );
}

fn run(place: &Workplace) -> std::path::PathBuf {
    let run = place.path().join("runs/training_runs/bomb");
    write(
        &run.join("logs/training.log"),
        b"[2026-01-02 03:04:05] begun\n",
    );
    run
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A text as pickles hold it.
fn text(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap();
    [b"X".as_slice(), &length.to_le_bytes(), text.as_bytes()].concat()
}

fn pth(path: &Path, pickle: &[u8], method: CompressionMethod) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut zip = ZipWriter::new(fs::File::create(path).unwrap());
    let options = FileOptions::default().compression_method(method);
    for (name, bytes) in [("data.pkl", pickle), ("byteorder", b"little")] {
        zip.start_file(format!("archive/{name}"), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

/// What a pickle holds, and what it asks for.
fn pickles() -> Vec<(&'static str, Vec<u8>)> {
    let long = text(&"x".repeat(1 << 20));
    let config = |value: Vec<u8>| {
        let begin = [b"\x80\x02}(".to_vec(), text("config")].concat();
        let end = [
            text("epoch"),
            b"K\x05".to_vec(),
            text("model_state_dict"),
            b"}u.".to_vec(),
        ];
        [begin, value, end.concat()].concat()
    };
    let many =
        |part: &[u8], count| [b"\x80\x02](".to_vec(), part.repeat(count), b"e.".to_vec()].concat();
    let shared = [
        b"](".to_vec(),
        long.clone(),
        b"q\x00".to_vec(),
        b"h\x00".repeat(150_000),
        b"e".to_vec(),
    ];
    let names = [
        b"](".to_vec(),
        text(&"x".repeat(1000)),
        b"q\x00".to_vec(),
        b"h\x00h\x00\x93".repeat(300_000),
    ];
    let deep = [b"]".repeat(500_000), b"a".repeat(499_999)].concat();
    let objects = b"cx\ny\nq\x00)q\x01("
        .iter()
        .copied()
        .chain(b"h\x00h\x01R".repeat(2_000_000));
    let memo = [
        b"\x80\x04N".to_vec(),
        b"\x94".repeat(20_000_000),
        b".".to_vec(),
    ]
    .concat();
    vec![
        (
            "a text that is shared 150,000 times",
            config(shared.concat()),
        ),
        (
            "names made of long texts",
            config([names.concat(), b"e".to_vec()].concat()),
        ),
        ("values of one byte", many(b"N", 20_000_000)),
        ("lists of one byte", many(b"]", 20_000_000)),
        ("marks of one byte", many(b"(", 20_000_000)),
        ("a memo of one byte each", memo),
        ("lists in lists", config(deep)),
        ("objects of five bytes", objects.chain(*b"l.").collect()),
    ]
}

fn safetensors(header: &[u8], claimed: u64) -> Vec<u8> {
    [&claimed.to_le_bytes(), header, &[0; 16]].concat()
}

fn headers() -> Vec<(&'static str, Vec<u8>)> {
    let whole = |header: Vec<u8>| safetensors(&header, header.len() as u64);
    let lists = [
        b"{\"a\":[".to_vec(),
        b"[],".repeat(13_000_000),
        b"[]]}".to_vec(),
    ]
    .concat();
    let texts: Vec<String> = (0..600_000).map(|at| format!("\"{at}\":\"\"")).collect();
    let config = "[".to_owned() + &"[],".repeat(2_000_000) + "[]]";
    let config = serde_json::json!({ "__metadata__": { "config": config } });
    vec![
        ("a header of small lists", whole(lists)),
        (
            "a header of many texts",
            whole(format!("{{\"__metadata__\":{{{}}}}}", texts.join(",")).into()),
        ),
        (
            "a header that nests",
            whole([b"{\"a\":".to_vec(), b"[".repeat(1_000_000)].concat()),
        ),
        (
            "a configuration of small lists",
            whole(config.to_string().into()),
        ),
        ("a header longer than memory", safetensors(b"{}", 1 << 62)),
        (
            "a tensor of more bytes than there are",
            whole(
                format!(
                    "{{\"t\":{{\"dtype\":\"F32\",\"shape\":[{0},{0},4],\"data_offsets\":[0,16]}}}}",
                    u64::MAX
                )
                .into(),
            ),
        ),
    ]
}

#[test]
fn checkpoints_that_ask_for_much_are_refused_or_read_in_little() {
    for (what, pickle) in pickles() {
        let place = Workplace::new("exit 1");
        let path = run(&place).join("best.pth");
        pth(&path, &pickle, CompressionMethod::Stored);
        survives(&place, what, &["organize", "list", "clean"]);
        inspected(&place, what, &path);
    }
    for (what, bytes) in headers() {
        let place = Workplace::new("exit 1");
        let path = run(&place).join("best.safetensors");
        write(&path, &bytes);
        survives(&place, what, &["organize", "list", "clean"]);
        inspected(&place, what, &path);
    }
}

fn inspected(place: &Workplace, what: &str, path: &Path) {
    let output = bounded(
        place,
        worker(),
        &["inspect", "--json", path.to_str().unwrap()],
    );
    ends_well(&format!("inspect of {what}"), &output);
}

#[test]
fn records_that_nest_or_hold_much_are_read_in_little_and_never_overflow_the_stack() {
    let json = [
        ("objects in objects", b"{\"a\":".repeat(100_000)),
        ("lists in lists", b"[".repeat(200_000)),
        (
            "small lists",
            [
                b"{\"a\":[".to_vec(),
                b"[],".repeat(300_000),
                b"[]]}".to_vec(),
            ]
            .concat(),
        ),
    ];
    let commands = ["list", "alerts", "clean", "organize", "digest", "queue"];
    for (what, bytes) in &json {
        let place = Workplace::new("exit 1");
        let run = run(&place);
        for file in [
            "run.json",
            "control.json",
            "slurm.json",
            "logs/config.json",
            "logs/rebuilt.json",
        ] {
            write(&run.join(file), bytes);
        }
        let tree = place.path().join("runs");
        write(&tree.join(".trash/20261120-000001/entry.json"), bytes);
        write(&tree.join("evaluations/e/summary.json"), bytes);
        write(&tree.join(".queue/waits/waits-0.json"), bytes);
        survives(&place, what, &commands);
        let listed = bounded(&place, TRAINTOP, &["trash", "list"]);
        ends_well(&format!("trash list with {what}"), &listed);
    }
    let key = ["a"; 79].join(".");
    let mixed = format!("{{{key} = ").repeat(79);
    let toml = [
        ("arrays in arrays", format!("a = {}", "[".repeat(100_000))),
        (
            "tables in tables",
            format!("a = {}", "{a = ".repeat(100_000)),
        ),
        (
            "a key of many parts",
            vec!["a"; 100_000].join(".") + " = 1\n",
        ),
        (
            "a heading of many parts",
            format!("[{}]\n", vec!["a"; 100_000].join(".")),
        ),
        (
            "tables in keys of many parts",
            format!("{key} = {mixed}1{}\n", "}".repeat(79)),
        ),
    ];
    for (what, text) in &toml {
        let place = Workplace::new("exit 1");
        let run = run(&place);
        for path in [
            run.join("notes.toml"),
            place.path().join("recipe.toml"),
            place.path().join("config/traintop/config.toml"),
            place.path().join("config/traintop/themes/bomb.toml"),
        ] {
            write(&path, text.as_bytes());
        }
        survives(&place, what, &commands);
        let checked = bounded(&place, TRAINTOP, &["recipe", "recipe.toml"]);
        ends_well(&format!("recipe with {what}"), &checked);
        assert_eq!(checked.status.code(), Some(1), "{what}");
    }
}

#[test]
fn metrics_and_logs_of_one_line_or_a_million_columns_are_read_in_little() {
    let numbered = |name: &str, count: usize| {
        let names: Vec<String> = (0..count).map(|at| format!("{name}{at}")).collect();
        names.join(",")
    };
    let headers = (0..200_000).fold(String::new(), |text, at| {
        text + &format!("epoch,a{at},b{at}\n1,2,3\n")
    });
    let long = 150_000_000;
    let files: [(&str, &str, Vec<u8>); 7] = [
        (
            "a million columns",
            "metrics.csv",
            (numbered("c", 1_000_000) + "\n" + &"1,".repeat(999_999) + "1\n").into(),
        ),
        (
            "130,000 columns",
            "metrics.csv",
            (numbered("c", 130_000) + "\n" + &"1,".repeat(129_999) + "1\n")
                .repeat(2)
                .into(),
        ),
        ("200,000 headers", "metrics.csv", headers.into()),
        (
            "one line of digits",
            "metrics.csv",
            [b"epoch,a\n1,".to_vec(), b"9".repeat(long), b"\n".to_vec()].concat(),
        ),
        (
            "one line of zeros",
            "metrics.csv",
            [b"epoch,a\n1,2\n".to_vec(), vec![0; long]].concat(),
        ),
        ("one line of log", "training.log", b"e".repeat(long)),
        (
            "one line of output",
            "worker.out",
            [
                b"Traceback (most recent call last):\n".to_vec(),
                b" ".repeat(long),
            ]
            .concat(),
        ),
    ];
    for (what, file, bytes) in &files {
        let place = Workplace::new("exit 1");
        write(&run(&place).join("logs").join(file), bytes);
        survives(&place, what, &["list", "clean"]);
        let shown = bounded(&place, TRAINTOP, &["show", "bomb"]);
        ends_well(&format!("show with {what}"), &shown);
    }
}

#[test]
fn images_that_ask_for_much_are_refused() {
    let place = Workplace::new("exit 1");
    let data = place.path().join("data");
    let idx = |shape: &[u32], bytes: &[u8]| {
        let mut file = vec![0, 0, 8, u8::try_from(shape.len()).unwrap()];
        file.extend(shape.iter().flat_map(|length| length.to_be_bytes()));
        file.extend(bytes);
        file
    };
    let check = |what: &str| {
        let output = bounded(&place, worker(), &["data", "check", "data"]);
        ends_well(what, &output);
        assert_eq!(output.status.code(), Some(1), "{what}: {output:?}");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            printed.contains("which is more than any data set"),
            "{what}: {output:?}"
        );
    };
    let million = 1_000_000;
    write(
        &data.join("train-images-idx3-ubyte"),
        &idx(&[million, 1, 1], &vec![7; million as usize]),
    );
    write(
        &data.join("train-labels-idx1-ubyte"),
        &idx(&[million], &vec![1; million as usize]),
    );
    check("a million images of one pixel");
    let gz = |bytes: &[u8]| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        for _ in 0..2000 {
            packed.write_all(bytes).unwrap();
        }
        packed.finish().unwrap()
    };
    fs::remove_dir_all(&data).unwrap();
    let header = idx(&[2_000_000, 32, 32], &[]);
    let packed = [gz(&header[..0]), gz(&vec![0; 1 << 20])].concat();
    let mut first = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    first.write_all(&header).unwrap();
    let packed = [first.finish().unwrap(), packed].concat();
    write(&data.join("train-images-idx3-ubyte.gz"), &packed);
    write(&data.join("train-labels-idx1-ubyte.gz"), &gz(&[1; 1000]));
    check("2 GB in a small gzip");
    fs::remove_dir_all(&data).unwrap();
    for class in ["a", "b"] {
        let path = data.join("train").join(class).join("1.png");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), 30_000, 30_000);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().unwrap();
        let mut stream = writer.stream_writer().unwrap();
        let _ = stream.write_all(&vec![0; 1 << 20]);
    }
    check("a picture of 30,000 x 30,000 pixels");
}
