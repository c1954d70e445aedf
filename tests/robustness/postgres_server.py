"""A real PostgreSQL server for tests: a data folder of its own below a temporary folder, a free
loopback port, stopped by its process id. PostgreSQL refuses to run as root: then it runs as
`postgres` or `nobody`.

    with Server() as server:
        server.sql("CREATE TABLE t (id int)")
        server.uri()            # postgres://tester:…@127.0.0.1:PORT/postgres

    postgres_server.py COMMAND …   runs the command with HEADRACE_TEST_POSTGRES set to such a URI
"""
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PASSWORD = "pa55-word-of-tests"


def binaries():
    """The folder of initdb and postgres, newest version first; Debian keeps it off the PATH."""
    found = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    found.sort(key=lambda path: int(path.split("/")[4]), reverse=True)
    if found:
        return os.path.dirname(found[0])
    on_path = shutil.which("initdb")
    if on_path:
        return os.path.dirname(os.path.realpath(on_path))
    sys.exit("there is no PostgreSQL server: run tools/setup.sh (Debian package postgresql-15)")


def account():
    """Keywords of subprocess for a user that is not root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    sys.exit("PostgreSQL needs a user that is not root: create one named 'postgres'")


class Server:
    def __init__(self, **settings):
        self.bin = binaries()
        self.account = account()
        self.folder = tempfile.mkdtemp(prefix="headrace-pg-")
        os.chmod(self.folder, 0o700)
        if self.account:
            os.chown(self.folder, self.account["user"], self.account["group"])
        self.data = os.path.join(self.folder, "data")
        # Speed before safety: the data lives as long as the test.
        self.settings = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
                         "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder,
                         "max_connections": "40", "shared_buffers": "128MB",
                         "lc_messages": "C", "timezone": "UTC", "log_min_messages": "fatal"}
        self.settings.update(settings)
        self.process = None
        self.port = 0
        words = os.path.join(self.folder, "password")
        with open(words, "w") as file:
            file.write(PASSWORD)
        os.chmod(words, 0o644)
        subprocess.run([os.path.join(self.bin, "initdb"), "-D", self.data, "-U", "tester", "-E", "UTF8",
                        "--locale=C", "-A", "scram-sha-256", "--pwfile", words, "--no-sync"],
                       check=True, stdout=subprocess.DEVNULL, cwd=self.folder, env=self.environment(),
                       **self.account)

    def environment(self):
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8"}

    def start(self):
        for _ in range(20):
            if not self.port:
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", 0))
                    self.port = probe.getsockname()[1]
            command = [os.path.join(self.bin, "postgres"), "-D", self.data, "-p", str(self.port)]
            for name, value in self.settings.items():
                command += ["-c", f"{name}={value}"]
            log = open(os.path.join(self.folder, "log"), "ab")
            self.process = subprocess.Popen(command, cwd=self.folder, env=self.environment(),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True, **self.account)
            log.close()
            if self.wait_ready():
                return self
            self.port = 0  # somebody was faster
        with open(os.path.join(self.folder, "log")) as file:
            sys.exit("PostgreSQL does not start:\n" + file.read()[-2000:])

    def wait_ready(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            ready = subprocess.run([os.path.join(self.bin, "pg_isready"), "-q", "-h", "127.0.0.1",
                                    "-p", str(self.port)], env=self.environment())
            if ready.returncode == 0:
                return True
            time.sleep(0.02)
        return False

    def stop(self, how=signal.SIGINT):
        """SIGINT: connections are cut. SIGKILL of all its processes: as if the machine died."""
        if self.process is None:
            return
        if how == signal.SIGKILL:
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.send_signal(how)
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None

    def restart(self):
        """On the same port, as after a crash."""
        pid = os.path.join(self.data, "postmaster.pid")
        if os.path.exists(pid):
            os.remove(pid)
        self.start()

    def uri(self, database="postgres", user="tester", password=PASSWORD, port=None):
        return f"postgres://{user}:{password}@127.0.0.1:{port or self.port}/{database}"

    def sql(self, text, database="postgres"):
        """Output of psql, unaligned; statements end in ;"""
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", self.uri(database)],
                              input=text, text=True, capture_output=True, env=self.environment())
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.remove()
            raise

    def __exit__(self, *_):
        self.remove()


if __name__ == "__main__":
    with Server() as server:
        status = subprocess.run(sys.argv[1:], env=dict(os.environ, HEADRACE_TEST_POSTGRES=server.uri()))
    sys.exit(status.returncode)
