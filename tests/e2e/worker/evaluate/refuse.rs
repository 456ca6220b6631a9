//! Files, data and checkpoints that an evaluation refuses, or survives.

use super::*;

fn pth(pickle: &[u8]) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut archive = zip::ZipWriter::new(&mut bytes);
    let stored =
        zip::write::FileOptions::default().compression_method(zip::CompressionMethod::Stored);
    archive.start_file("archive/data.pkl", stored).unwrap();
    archive.write_all(pickle).unwrap();
    archive.finish().unwrap();
    drop(archive);
    bytes.into_inner()
}

/// A safetensors file whose header is this JSON, and some bytes.
fn safetensors(header: &str) -> Vec<u8> {
    [
        &(header.len() as u64).to_le_bytes(),
        header.as_bytes(),
        &[0; 64],
    ]
    .concat()
}

#[test]
fn wrong_hostile_and_truncated_files_are_refused_with_a_sentence_and_nothing_is_written() {
    let bench = Bench::new(TINY);
    let run = bench.trained(&["num_epochs=1"]);
    let whole = fs::read(run.best()).unwrap();
    let wide =
        r#"{"conv1.weight":{"dtype":"F32","shape":[65536,3,3,3],"data_offsets":[0,7077888]},"#
            .to_owned()
            + r#""fc.weight":{"dtype":"F32","shape":[2,0],"data_offsets":[7077888,7077888]},"#
            + r#""layer1.0.conv1.weight":{"dtype":"F32","shape":[0],"data_offsets":[7077888,7077888]}}"#;
    let mut claims_width = safetensors(&wide);
    claims_width.truncate(8 + wide.len());
    claims_width.resize(8 + wide.len() + 7_077_888, 0);
    let hundred_gb =
        r#"{"fc.weight":{"dtype":"F32","shape":[25000000000],"data_offsets":[0,100000000000]}}"#;
    let system = b"cos\nsystem\n(S'touch executed'\ntR.";
    let torch_system = b"\x80\x02}U\x10model_state_dictcposix\nsystem\nU\x0etouch executed\x85Rs.";
    let cases: [(&str, Vec<u8>, &str); 8] = [
        (
            "cut.safetensors",
            whole[..whole.len() / 2].to_vec(),
            "not a whole safetensors file",
        ),
        (
            "header.safetensors",
            [&u64::MAX.to_le_bytes()[..], b"{}"].concat(),
            "not a whole safetensors file",
        ),
        (
            "large.safetensors",
            safetensors(hundred_gb),
            "not a whole safetensors file",
        ),
        (
            "wide.safetensors",
            claims_width,
            "its tensors are not those of a network that is made here",
        ),
        (
            "system.pth",
            pth(system),
            "it holds no state dict with tensors",
        ),
        ("dict.pth", pth(torch_system), "no state dict"),
        (
            "cut.pth",
            fs::read(PTH).unwrap()[..5000].to_vec(),
            "not a .pth that can be read",
        ),
        (
            "kinds.pth",
            fs::read(PTH.replace("se.pth", "kinds.pth")).unwrap(),
            "its tensors are not those of a network",
        ),
    ];
    for (name, bytes, expected) in cases {
        let path = bench.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let sentence = refusal(&mut bench.evaluate(&[text(&path), "--data=synthetic"]));
        assert!(
            sentence.contains(name) && sentence.contains(expected),
            "{name}: {sentence}"
        );
    }
    let sparse = bench.folder.path().join("sparse.safetensors");
    let file = fs::File::create(&sparse).unwrap();
    if file.set_len(1 << 42).is_ok() {
        let sentence = refusal(&mut bench.evaluate(&[text(&sparse)]));
        assert!(
            sentence.contains("more than the memory that is free"),
            "{sentence}"
        );
        fs::remove_file(&sparse).unwrap();
    }
    let pipe = bench.folder.path().join("pipe.pth");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let sentence = refusal(&mut bench.evaluate(&[text(&pipe)]));
    assert!(sentence.contains("pipe.pth: is no file"), "{sentence}");
    let sentence = refusal(&mut bench.evaluate(&["absent.pth"]));
    assert!(sentence.contains("absent.pth: No such file"), "{sentence}");
    let sentence = refusal(&mut bench.evaluate(&["."]));
    assert!(sentence.contains("holds no best checkpoint"), "{sentence}");
    assert!(
        !bench.folder.path().join("executed").exists(),
        "a pickle was executed"
    );
    assert_eq!(bench.left(), Vec::<PathBuf>::new());
}

/// An image folder of ten classes with one image of this size in each of train, train again, and
/// test.
fn image_folder(folder: &Path, side: u32, classes: usize) {
    for class in 0..classes {
        for (split, copies) in [("train", 4), ("test", 1)] {
            let place = folder.join(split).join(format!("class{class:03}"));
            fs::create_dir_all(&place).unwrap();
            for copy in 0..copies {
                let image =
                    image::RgbImage::from_pixel(side, side, image::Rgb([class as u8, copy, 9]));
                image.save(place.join(format!("{copy}.png"))).unwrap();
            }
        }
    }
}

#[test]
fn images_of_another_size_and_other_classes_are_refused() {
    let bench = Bench::new(TINY);
    let run = bench.trained(&["num_epochs=1"]);
    let cases = [
        (
            "small",
            16,
            10,
            "was trained on images of 32 x 32, and those of",
        ),
        ("many", 32, 11, "has 10 classes, but"),
    ];
    for (name, side, classes, expected) in cases {
        let folder = bench.folder.path().join(name);
        image_folder(&folder, side, classes);
        let data = format!("--data={}", folder.display());
        let sentence = refusal(&mut bench.evaluate(&[text(run.path()), &data]));
        assert!(
            sentence.contains(expected) && sentence.contains(name),
            "{sentence}"
        );
        let last = ["--checkpoint=last", &data];
        let sentence = refusal(&mut bench.evaluate(&[&[text(run.path())], &last[..]].concat()));
        assert!(sentence.contains(expected), "{sentence}");
    }
    let folder = bench.folder.path().join("mixed");
    image_folder(&folder, 32, 10);
    image::RgbImage::new(8, 8)
        .save(folder.join("test/class003/odd.png"))
        .unwrap();
    let data = format!("--data={}", folder.display());
    let sentence = refusal(&mut bench.evaluate(&[text(run.path()), &data]));
    assert!(sentence.contains("odd.png"), "{sentence}");
    assert_eq!(bench.left(), Vec::<PathBuf>::new());
}

#[test]
fn weights_that_are_no_numbers_have_no_opinion() {
    let bench = Bench::new(TINY);
    let run = bench.trained(&["num_epochs=1"]);
    let mut bytes = fs::read(run.best()).unwrap();
    // The header is sorted by size and name; whichever tensor the last numbers belong to, all
    // logits follow it.
    let end = bytes.len();
    for number in bytes[end - 4000..].chunks_exact_mut(4) {
        number.copy_from_slice(&f32::NAN.to_le_bytes());
    }
    let path = run.path().join("broken.safetensors");
    fs::write(&path, bytes).unwrap();
    let sentence = refusal(&mut bench.evaluate(&[text(&path)]));
    assert!(
        sentence.contains("of 2000 images are no numbers"),
        "{sentence}"
    );
    assert_eq!(bench.left(), Vec::<PathBuf>::new());
}
