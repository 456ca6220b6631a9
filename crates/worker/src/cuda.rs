//! Brings libtorch's CUDA half into the process. The linker drops `libtorch_cuda.so` because
//! nothing names one of its symbols, so it is opened here if it is beside the `libtorch_cpu.so` in
//! use; without it the same binary trains on the CPU. The only `unsafe` of the worker is here.

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use traintop_disk::read;

/// What was found beside `libtorch_cpu.so`.
#[derive(Debug, PartialEq, Eq)]
pub enum Cuda {
    /// Loaded, and it sees at least one device.
    Ready,
    /// There is none, or it cannot be used: why, as the end of a sentence.
    Absent(String),
}

/// Opens libtorch's CUDA half and queries it for a device. It costs about 80 ms and 190 MB of
/// memory, and must come before any other query about CUDA, since libtorch remembers the first
/// answer.
pub fn load() -> Cuda {
    let maps = read::text(Path::new("/proc/self/maps"), read::RECORD_LIMIT).unwrap_or_default();
    let Some(folder) = folder_of_libtorch(&maps) else {
        return Cuda::Absent("libtorch_cpu.so is not among the loaded libraries".to_owned());
    };
    let library = folder.join("libtorch_cuda.so");
    if !library.exists() {
        return Cuda::Absent(format!(
            "the libtorch in {} has no CUDA half",
            folder.display()
        ));
    }
    if let Err(reason) = open_globally(&library) {
        return Cuda::Absent(format!("{} does not load: {reason}", library.display()));
    }
    if tch::Cuda::is_available() {
        Cuda::Ready
    } else {
        Cuda::Absent("libtorch finds no NVIDIA driver or no device".to_owned())
    }
}

/// The folder of the `libtorch_cpu.so` that this process has mapped. A bare file name would not do:
/// the loader may then find the library of another installation, and the two halves must be of one
/// build.
fn folder_of_libtorch(maps: &str) -> Option<PathBuf> {
    let paths = maps
        .lines()
        .filter_map(|line| line.find('/').map(|start| Path::new(&line[start..])));
    let library = paths.into_iter().find(|path| {
        path.file_name()
            .is_some_and(|name| name == "libtorch_cpu.so")
    })?;
    library.parent().map(Path::to_path_buf)
}

#[expect(
    unsafe_code,
    reason = "no safe binding of dlopen is among the dependencies"
)]
fn open_globally(library: &Path) -> Result<(), String> {
    let path = CString::new(library.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
    // SAFETY: `path` is a C string that outlives the call. Opening runs the library's initialisers,
    // which register CUDA's kernels with the libtorch_cpu.so of the same build and folder, as
    // linking against it would at start-up; the caller does so before any tensor is made, on the
    // main thread. The handle is never closed, so nothing dangles.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
    if !handle.is_null() {
        return Ok(());
    }
    // SAFETY: after a failed dlopen on this thread, dlerror gives null or a C string that stays
    // valid until the next call of a dl function on this thread; it is copied before that.
    let message = unsafe {
        let text = libc::dlerror();
        if text.is_null() {
            None
        } else {
            Some(CStr::from_ptr(text).to_string_lossy().into_owned())
        }
    };
    Err(message.unwrap_or_else(|| "the loader gives no reason".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtorch_is_found_by_the_path_it_was_loaded_from() {
        let maps = "7f00-7f01 r--p 00000000 08:01 1 /usr/lib/libc.so.6\n\
                    7f02-7f03 r-xp 00000000 08:01 2                          /a b/lib/libtorch_cpu.so\n";
        assert_eq!(folder_of_libtorch(maps), Some(PathBuf::from("/a b/lib")));
        assert_eq!(
            folder_of_libtorch("7f00-7f01 r--p 00000000 08:01 1 /usr/lib/libc.so.6\n"),
            None
        );
    }

    #[test]
    fn the_libtorch_of_this_process_is_found() {
        let _ = tch::get_num_threads();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        assert!(
            folder_of_libtorch(&maps)
                .unwrap()
                .join("libtorch_cpu.so")
                .exists()
        );
    }

    #[test]
    fn what_is_no_library_is_refused_with_the_loaders_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("libtorch_cuda.so");
        std::fs::write(&path, "not a library").unwrap();
        assert!(
            open_globally(&path)
                .unwrap_err()
                .contains("libtorch_cuda.so")
        );
    }
}
