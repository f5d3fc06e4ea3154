//! Servers that feeds write to, in processes of their own.

#[cfg(feature = "object-store")]
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Longest wait for a server.
const LIMIT: Duration = Duration::from_secs(60);

/// Waits, within the limit, until `what` gives something.
#[track_caller]
pub(crate) fn until<T>(mut what: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = what() {
            return found;
        }
        assert!(start.elapsed() < LIMIT, "it never came");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A child that ends with the test.
pub(crate) struct Server(Child);

impl Server {
    /// Sends a signal and waits for the end.
    pub(crate) fn stop(mut self, signal: &str) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        until(|| self.0.try_wait().unwrap());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A PostgreSQL with a folder and a socket of its own; no port.
#[cfg(feature = "postgres")]
pub(crate) struct Postgres {
    folder: tempfile::TempDir,
    server: Option<Server>,
}

#[cfg(feature = "postgres")]
impl Postgres {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        if let Some(user) = other_user() {
            std::os::unix::fs::chown(folder.path(), Some(user), Some(user)).unwrap();
        }
        let mut postgres = Self { folder, server: None };
        let args = ["-A", "trust", "-U", "crawl", "-E", "UTF8", "--no-sync", "-D"];
        let made = postgres.command("initdb").args(args).arg(postgres.data()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        postgres.restart();
        postgres
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program of PostgreSQL's. It refuses to run as root.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(binaries().join(name));
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        if let Some(user) = other_user() {
            use std::os::unix::process::CommandExt;
            command.uid(user).gid(user);
        }
        command
    }

    /// Starts it, and waits until it answers.
    pub(crate) fn restart(&mut self) {
        let socket = format!("unix_socket_directories={}", self.folder.path().display());
        let mut command = self.command("postgres");
        command.args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", &socket, "-D"]);
        let child = command.arg(self.data()).stderr(Stdio::null()).spawn().unwrap();
        self.server = Some(Server(child));
        until(|| self.psql("SELECT 1").map(drop));
    }

    /// The lines of an answer; `None` if there is none.
    pub(crate) fn psql(&self, sql: &str) -> Option<Vec<String>> {
        let mut command = self.command("psql");
        command.args(["-X", "-q", "-A", "-t", "-c", sql, &self.url()]);
        let output = command.stdout(Stdio::piped()).stderr(Stdio::null()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        output.status.success().then(|| text.lines().map(str::to_owned).collect())
    }

    /// Ends it, sessions or not.
    pub(crate) fn stop(&mut self, signal: &str) {
        self.server.take().unwrap().stop(signal);
    }

    pub(crate) fn url(&self) -> String {
        let folder = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://crawl:secret@{folder}/postgres")
    }
}

/// Root gives way to nobody.
#[cfg(feature = "postgres")]
fn other_user() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    const NOBODY: u32 = 65534;
    (std::fs::metadata("/proc/self").unwrap().uid() == 0).then_some(NOBODY)
}

#[cfg(feature = "postgres")]
fn binaries() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let found = versions.map(|entry| entry.unwrap().path().join("bin"));
    let found = found.filter(|path| path.join("postgres").exists()).max();
    found.expect("these tests need PostgreSQL: apt-get install postgresql, as .ci/run does")
}

/// The server with its bucket, which is there before the first request can come.
#[cfg(feature = "object-store")]
const MOTO: &str = r#"
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import main
s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket("feeds", "us-east-1")
main()
"#;

/// A server of S3 that keeps everything in memory.
#[cfg(feature = "object-store")]
pub(crate) struct Moto {
    server: Option<Server>,
    pub(crate) port: u16,
}

#[cfg(feature = "object-store")]
impl Moto {
    pub(crate) fn start() -> Self {
        let mut moto = Self { server: None, port: 0 };
        moto.restart();
        moto
    }

    /// Starts it, at the port that it had before.
    pub(crate) fn restart(&mut self) {
        let child = python_tool("python3")
            .args(["-c", MOTO, "-H", "127.0.0.1", "-p", &self.port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        self.server = Some(Server(child));
        let port = lines.by_ref().map(Result::unwrap).find_map(|line| {
            let (_, rest) = line.split_once("http://127.0.0.1:")?;
            rest.trim().parse().ok()
        });
        self.port = port.expect("the server says where it is");
        // Read on, or a full pipe would stop it.
        thread::spawn(move || lines.for_each(drop));
    }

    pub(crate) fn stop(&mut self) {
        self.server.take().unwrap().stop("-KILL");
    }

    /// A request without a body; its answer must be good. Returns what is in it.
    #[allow(dead_code, reason = "only the tests of whole crawls read with it")]
    pub(crate) fn request(&self, method: &str, path: &str) -> Vec<u8> {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 0\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|piece| piece == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        assert!(head.contains(" 200 OK"), "{head}");
        answer.split_off(end + 4)
    }
}

/// A program of the venv that `.ci/run` makes.
pub(crate) fn python_tool(name: &str) -> Command {
    let tools = std::env::var_os("CRAWL_PYTHON_TOOLS").map(PathBuf::from);
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut known = tools.into_iter().chain(above.map(|path| path.join("target/python-tools")));
    let program = known.find_map(|tools| {
        let program = tools.join("bin").join(name);
        program.exists().then_some(program)
    });
    Command::new(program.unwrap_or_else(|| {
        panic!("these tests need {name} in target/python-tools, a venv that .ci/run makes")
    }))
}
