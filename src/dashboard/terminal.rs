//! Taking the terminal over, and giving it back whatever happens.

use std::io::{self, Write, stdout};
use std::mem::ManuallyDrop;
use std::sync::Once;

use crossterm::event::EnableBracketedPaste;
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::backend::CrosstermBackend;

use super::clipboard::{self, Wrapped};
use super::graphics::{self, Painter, Placed, Protocol};
use super::message::Notice;
use super::restore;

/// The screen that is drawn on.
pub type Screen = ratatui::Terminal<CrosstermBackend<io::BufWriter<io::Stdout>>>;

/// The terminal while the dashboard has it; dropping it gives the terminal back.
pub struct Terminal {
    /// Never dropped: ratatui would complain to a standard error that is gone with the terminal, and that panics. [`leave`] does
    /// all that is needed.
    screen: ManuallyDrop<Screen>,
    painter: Painter,
    /// Whether the terminal tells of the mouse.
    mouse: bool,
}

/// Presses, drags and the wheel, in the form that has no limit of columns; mere movements would wake the program for nothing.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1002h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1002l\x1b[?1000l";

impl Terminal {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// If it is none, or it is gone.
    pub fn take() -> io::Result<Self> {
        restore_on_panic();
        restore::on_crash();
        enter()?;
        Ok(Self {
            screen: new_screen()?,
            painter: Painter::default(),
            mouse: false,
        })
    }

    /// Has the terminal tell of the mouse, or leave it to the terminal's own uses, such as selecting text.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn listen_to_mouse(&mut self, listens: bool) -> io::Result<()> {
        if std::mem::replace(&mut self.mouse, listens) == listens {
            return Ok(());
        }
        let sequence = if listens { MOUSE_ON } else { MOUSE_OFF };
        self.screen.backend_mut().write_all(sequence)
    }

    /// Puts a text into the clipboard of whoever sits in front of the terminal; says whether it was sent there.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn copy(&mut self, text: &str) -> io::Result<Notice> {
        let wrapped = Wrapped::detect(|name| std::env::var(name).ok());
        let Some(sequence) = clipboard::sequence(text, wrapped) else {
            let text = "too long for a clipboard that is reached through the terminal; `W` writes to a file";
            return Ok(Notice::bad(text));
        };
        self.screen.backend_mut().write_all(&sequence)?;
        let lines = text.lines().count();
        let what = if lines > 1 {
            format!("{lines} lines")
        } else {
            crate::text::clean(text).into_owned()
        };
        Ok(Notice::good(format!("sent to the clipboard: {what}")))
    }

    /// Writes a sequence that draws nothing, at once and never within a frame.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn write(&mut self, sequence: &[u8]) -> io::Result<()> {
        let out = self.screen.backend_mut();
        out.write_all(sequence)?;
        out.flush()
    }

    /// Draws one frame, and over its blanks these pictures; a terminal that can shows it whole.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn draw(
        &mut self,
        render: impl FnOnce(&mut ratatui::Frame),
        pictures: Vec<Placed>,
        by: Protocol,
    ) -> io::Result<()> {
        queue!(self.screen.backend_mut(), BeginSynchronizedUpdate)?;
        let has_new = self.painter.clear(self.screen.backend_mut(), &pictures)?;
        self.screen.draw(render)?;
        #[cfg(debug_assertions)]
        panic_if_asked();
        if has_new {
            let out = self.screen.backend_mut();
            self.painter
                .show(out, pictures, by, graphics::cell_pixels())?;
        }
        execute!(self.screen.backend_mut(), EndSynchronizedUpdate)
    }

    /// The columns and rows.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.screen.size()?;
        Ok((size.width, size.height))
    }

    /// Gives the terminal back and stops this process until the shell continues it, then takes it over again.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn suspend(&mut self) -> io::Result<()> {
        self.painter.leave(self.screen.backend_mut())?;
        self.listen_to_mouse(false)?;
        self.screen.backend_mut().flush()?;
        leave()?;
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP)?;
        enter()?;
        // A new one, since ratatui's own clearing asks the terminal for the cursor and the answer would go to the key thread.
        self.screen = new_screen()?;
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Nothing is left to do for a terminal that is gone.
        let _ = self.painter.leave(self.screen.backend_mut());
        let _ = self.screen.backend_mut().flush();
        let _ = leave();
    }
}

/// A screen of which nothing is known to be drawn.
fn new_screen() -> io::Result<ManuallyDrop<Screen>> {
    let out = io::BufWriter::with_capacity(64 * 1024, stdout());
    Screen::new(CrosstermBackend::new(out)).map(ManuallyDrop::new)
}

fn enter() -> io::Result<()> {
    restore::note(true);
    enable_raw_mode()?;
    execute!(
        stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        cursor::Hide
    )
}

fn leave() -> io::Result<()> {
    let left = stdout().write_all(restore::SEQUENCE);
    let is_cooked = disable_raw_mode();
    stdout().flush()?;
    restore::note(false);
    left.and(is_cooked)
}

/// Panics in the midst of the first frame, for a test. Only builds with debug assertions listen.
#[cfg(debug_assertions)]
fn panic_if_asked() {
    assert!(
        std::env::var_os("TRAINTOP_PANIC").is_none(),
        "asked to panic"
    );
}

/// A panic gives the terminal back before its message is printed. Those of other threads are only logged: the dashboard goes on.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = std::panic::take_hook();
        let main = std::thread::current().id();
        std::panic::set_hook(Box::new(move |panic| {
            log::error!("{panic}");
            if std::thread::current().id() == main {
                let _ = leave();
                print(panic);
            }
        }));
    });
}
