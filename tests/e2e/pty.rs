//! The dashboard in a pseudo-terminal, with the screen that a person would see.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{self, OpenptFlags};
use rustix::termios::{
    ControlModes, InputModes, LocalModes, OptionalActions, OutputModes, tcgetattr, tcsetattr,
};

use crate::fake_worker::{DEADLINE, Reaped, Workplace, wait_for};

/// The program, its keyboard and its screen.
pub struct Dashboard {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    /// Everything that was written, for what no screen shows.
    pub written: Vec<u8>,
    master: Box<dyn MasterPty + Send>,
    /// The terminal's modes before the program had it.
    modes: [u32; 4],
}

impl Dashboard {
    /// Opens `traintop ARGUMENTS` in a workplace.
    pub fn open(place: &Workplace, arguments: &[&str], columns: u16, rows: u16) -> Self {
        Self::open_as(&place.traintop(arguments), columns, rows)
    }

    /// Opens what a command says, with its arguments and environment and in its folder.
    pub fn open_as(plain: &Command, columns: u16, rows: u16) -> Self {
        let terminal = native_pty_system().openpty(size(columns, rows)).unwrap();
        let mut command = CommandBuilder::new(plain.get_program());
        command.args(plain.get_args());
        command.cwd(plain.get_current_dir().unwrap());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            }
        }
        command.env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR");
        let modes = modes(&*terminal.master);
        let child = terminal.slave.spawn_command(command).unwrap();
        let mut reader = terminal.master.try_clone_reader().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            keyboard: terminal.master.take_writer().unwrap(),
            output,
            screen: vt100::Parser::new(rows, columns, 0),
            written: Vec::new(),
            master: terminal.master,
            modes,
        }
    }

    /// Presses keys, as the terminal would send them.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Waits for the table of a root without runs.
    pub fn wait_for_no_runs(&mut self) {
        self.wait("the empty table", |screen| screen.contains("No runs in "));
    }

    /// Opens the form's recipes, and waits until there is one to choose.
    pub fn open_recipes(&mut self) {
        self.press("n");
        self.wait("the recipes", |screen| screen.contains("▌ quick"));
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.master.resize(size(columns, rows)).unwrap();
        self.screen.screen_mut().set_size(rows, columns);
    }

    /// Waits until the screen shows what is wanted.
    pub fn wait(&mut self, what: &str, wanted: impl Fn(&str) -> bool) {
        let shown = self.shows(what, wanted);
        assert!(
            shown,
            "it ended before {what}:\n{}",
            self.screen.screen().contents()
        );
    }

    /// Waits until the screen shows what is wanted; `false` if the program ends before it does.
    pub fn shows(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> bool {
        self.comes_to(what, |dashboard| {
            wanted(&dashboard.screen.screen().contents())
        })
    }

    /// Waits until the terminal is as it was before the program had it, while that lives.
    pub fn wait_for_a_sane_terminal(&mut self) {
        let what = "the terminal given back";
        assert!(self.comes_to(what, Self::left_a_sane_terminal), "{what}");
    }

    /// Makes the terminal what it was before the program had it, as a shell does whose job was
    /// stopped.
    pub fn reset_terminal(&mut self) {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let name = self.master.tty_name().unwrap();
        let terminal = rustix::fs::open(name, flags, Mode::empty()).unwrap();
        let mut state = tcgetattr(&terminal).unwrap();
        let [input, output, control, local] = self.modes;
        state.input_modes = InputModes::from_bits_retain(input);
        state.output_modes = OutputModes::from_bits_retain(output);
        state.control_modes = ControlModes::from_bits_retain(control);
        state.local_modes = LocalModes::from_bits_retain(local);
        tcsetattr(&terminal, OptionalActions::Now, &state).unwrap();
        self.screen = vt100::Parser::new(24, 80, 0);
    }

    fn comes_to(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) -> bool {
        let deadline = Instant::now() + DEADLINE;
        while !is_so(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{what} never showed:\n{}", self.screen.screen().contents())
                }
            }
        }
        true
    }

    fn take(&mut self, bytes: &[u8]) {
        // The parser takes this mark for damaged UTF-8 and draws nothing, which no terminal does.
        let mut rest = bytes;
        while let Some(at) = rest
            .windows(3)
            .position(|mark| mark == "\u{fffd}".as_bytes())
        {
            self.screen.process(&rest[..at]);
            self.screen.process(b"?");
            rest = &rest[at + 3..];
        }
        self.screen.process(rest);
        self.written.extend_from_slice(bytes);
    }

    pub fn process_id(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Waits for the program's end, and reads all it wrote.
    pub fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                while let Ok(bytes) = self
                    .output
                    .recv_timeout(std::time::Duration::from_millis(100))
                {
                    self.take(&bytes);
                }
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "it never ended:\n{}",
                self.screen.screen().contents()
            );
            if let Ok(bytes) = self
                .output
                .recv_timeout(std::time::Duration::from_millis(50))
            {
                self.take(&bytes);
            }
        }
    }

    /// Whether the terminal is as it was: echo and lines, no alternate screen, no mouse, a cursor.
    pub fn left_a_sane_terminal(&self) -> bool {
        let screen = self.screen.screen();
        !screen.alternate_screen()
            && !screen.hide_cursor()
            && !screen.bracketed_paste()
            && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
            && modes(&*self.master) == self.modes
    }

    /// Whether the dashboard has the terminal: the alternate screen and raw mode.
    pub fn has_the_terminal(&self) -> bool {
        self.screen.screen().alternate_screen() && modes(&*self.master) != self.modes
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        // A test that failed leaves none behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Opens the dashboard on a terminal that is not its session's own, closes the terminal's other end
/// once something is drawn, and waits for the program to end by itself: it gets no signal.
pub fn open_and_hang_up(place: &Workplace) {
    // Were it inherited, the program itself would keep its terminal alive.
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = pty::openpt(flags).unwrap();
    pty::grantpt(&master).unwrap();
    pty::unlockpt(&master).unwrap();
    let name = pty::ptsname(&master, Vec::new()).unwrap();
    let slave = || {
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        Stdio::from(rustix::fs::open(&name, flags, Mode::empty()).unwrap())
    };
    let mut command = place.traintop(&[]);
    command.stdin(slave()).stdout(slave()).stderr(slave());
    let mut dashboard = Reaped(command.spawn().unwrap());
    // The command keeps its own copies of the terminal open.
    drop(command);
    let mut first = [0; 1];
    assert_eq!(rustix::io::read(&master, &mut first), Ok(1));
    drop(master);
    wait_for("the end after a hang-up", || {
        dashboard.0.try_wait().unwrap().is_some()
    });
}

/// Echo, lines, signals and what else `stty` shows.
fn modes(master: &dyn MasterPty) -> [u32; 4] {
    let modes = master.get_termios().unwrap();
    [
        modes.input_flags.bits(),
        modes.output_flags.bits(),
        modes.control_flags.bits(),
        modes.local_flags.bits(),
    ]
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}
