//! `scripts/libtorch.sh` in a project folder of its own: what it chooses, and the sentence for each
//! thing that can be wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::fake_worker::script;

/// A copy of `scripts/` in a folder of its own with an empty cache, no driver and no network.
struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
        // Not by this process: see `script`.
        let mut copy = Command::new("cp");
        copy.arg("-r").arg(scripts).arg(folder.path());
        assert!(copy.status().unwrap().success());
        fs::create_dir(folder.path().join("bin")).unwrap();
        fs::create_dir(folder.path().join("wheels")).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a program before all others on the script's path.
    fn fake_program(&self, name: &str, text: &str) {
        script(&self.path("bin").join(name), text);
    }

    /// A folder that looks like libtorch; `version` as its own file states it.
    fn libtorch(&self, name: &str, version: &str) -> PathBuf {
        let folder = self.path(name);
        let header = folder.join("include/torch/csrc/api/include/torch");
        fs::create_dir_all(&header).unwrap();
        fs::create_dir_all(folder.join("lib")).unwrap();
        fs::write(header.join("torch.h"), "//\n").unwrap();
        for library in ["libtorch_cpu.so", "libc10.so", "libtorch.so"] {
            fs::write(folder.join("lib").join(library), "library").unwrap();
        }
        fs::write(folder.join("build-version"), format!("{version}\n")).unwrap();
        folder
    }

    /// Runs the script; pip sees only the `wheels` folder.
    fn run(&self, environment: &[(&str, &str)]) -> Output {
        let path = format!(
            "{}:{}",
            self.path("bin").display(),
            std::env::var("PATH").unwrap()
        );
        Command::new("bash")
            .arg(self.path("scripts/libtorch.sh"))
            .env("PATH", path)
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("PIP_NO_INDEX", "1")
            .env("PIP_FIND_LINKS", self.path("wheels"))
            .env("TRAINTOP_LIBTORCH", "cpu")
            .env_remove("LIBTORCH")
            .envs(environment.iter().copied())
            .output()
            .unwrap()
    }

    /// Runs the script, which must refuse; returns its last line.
    fn refusal(&self, environment: &[(&str, &str)]) -> String {
        let output = self.run(environment);
        let printed = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "it succeeded: {printed}");
        assert!(
            !self.path(".libtorch").is_symlink(),
            "it left a link: {printed}"
        );
        printed.lines().last().unwrap_or_default().to_owned()
    }

    fn linked(&self) -> PathBuf {
        fs::read_link(self.path(".libtorch")).unwrap()
    }
}

#[test]
fn folder_named_by_libtorch_is_used() {
    let project = Project::new();
    let folder = project.libtorch("given", "2.11.0+cu130");
    let output = project.run(&[("LIBTORCH", folder.to_str().unwrap())]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(project.linked(), folder.canonicalize().unwrap());
}

#[test]
fn wrong_version_named_by_libtorch_is_refused() {
    let project = Project::new();
    let folder = project.libtorch("given", "2.9.1+cpu");
    let printed = project.refusal(&[("LIBTORCH", folder.to_str().unwrap())]);
    assert!(
        printed.contains("version 2.9.1") && printed.contains("needs 2.11.0"),
        "{printed}"
    );
}

#[test]
fn version_of_a_python_torch_is_read_from_its_own_file() {
    let project = Project::new();
    let folder = project.libtorch("given", "");
    fs::remove_file(folder.join("build-version")).unwrap();
    fs::write(
        folder.join("version.py"),
        "from typing import Optional\n__version__ = '2.10.0+cpu'\n",
    )
    .unwrap();
    let printed = project.refusal(&[("LIBTORCH", folder.to_str().unwrap())]);
    assert!(printed.contains("version 2.10.0"), "{printed}");
}

#[test]
fn missing_and_incomplete_folders_are_named() {
    let project = Project::new();
    let printed = project.refusal(&[("LIBTORCH", "/nowhere/libtorch")]);
    assert!(
        printed.contains("/nowhere/libtorch, which is not a folder"),
        "{printed}"
    );
    let folder = project.libtorch("given", "2.11.0");
    fs::remove_file(folder.join("lib/libc10.so")).unwrap();
    let printed = project.refusal(&[("LIBTORCH", folder.to_str().unwrap())]);
    assert!(
        printed.contains("lib/libc10.so is missing or damaged"),
        "{printed}"
    );
}

#[test]
fn full_disk_is_reported_before_anything_is_fetched() {
    let project = Project::new();
    project.fake_program(
        "df",
        "#!/bin/sh\necho Filesystem\necho /dev/disk 100000000 99000000 1000000 99% /\n",
    );
    let printed = project.refusal(&[]);
    assert!(
        printed.contains("takes 2 GB") && printed.contains("only 1000 MB are free"),
        "{printed}"
    );
}

#[test]
fn failed_download_says_what_to_do_and_leaves_nothing() {
    let project = Project::new();
    let printed = project.refusal(&[]);
    assert!(
        printed.contains("the download failed") && printed.contains("set LIBTORCH"),
        "{printed}"
    );
    let left: Vec<_> = fs::read_dir(project.path("cache/traintop"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["libtorch.lock"]);
}

#[test]
fn wheel_with_other_bytes_is_refused() {
    let project = Project::new();
    for wheel in [
        "torch-2.11.0-cp311-cp311-manylinux_2_28_x86_64.whl",
        "nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
        "nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_x86_64.whl",
    ] {
        fs::write(project.path("wheels").join(wheel), "half a download").unwrap();
    }
    let printed = project.refusal(&[]);
    assert!(printed.contains("is not the expected one"), "{printed}");
}

#[test]
fn folder_made_earlier_is_used_without_network_and_a_broken_one_is_not() {
    let project = Project::new();
    let made = project.libtorch("cache/traintop/libtorch-2.11.0-cpu", "2.11.0");
    fs::write(made.join("manifest"), "7 lib/libc10.so\n").unwrap();
    let output = project.run(&[]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(project.linked(), made);
    fs::remove_file(project.path(".libtorch")).unwrap();
    fs::write(made.join("lib/libc10.so"), "lib").unwrap();
    let output = project.run(&[]);
    let printed = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(
        printed.contains("lib/libc10.so is missing or damaged"),
        "{printed}"
    );
}

#[test]
fn pip_that_is_not_there_is_named_with_its_package() {
    let project = Project::new();
    project.fake_program("python3", "#!/bin/sh\n[ \"$1\" = -c ]\n");
    let printed = project.refusal(&[]);
    assert!(
        printed.contains("sudo apt-get install python3-pip"),
        "{printed}"
    );
}
