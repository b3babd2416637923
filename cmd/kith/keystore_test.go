package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// busAddress is the environment variable by which a session bus is found.
const busAddress = "DBUS_SESSION_BUS_ADDRESS"

// hasKeyStore reports whether the key store of a desktop can be started here.
func hasKeyStore() bool {
	_, noBus := exec.LookPath("dbus-daemon")
	_, noStore := exec.LookPath("gnome-keyring-daemon")
	_, noTool := exec.LookPath("secret-tool")
	return errors.Join(noBus, noStore, noTool) == nil
}

// keyStore starts a session bus and GNOME's keyring in it, opened by a password as at
// a login. "keystore off" ends both; started again it keeps what it kept.
func keyStore(ts *testscript.TestScript, neg bool, args []string) {
	running := runningOf(ts)
	switch {
	case neg || len(args) > 1 || len(args) == 1 && args[0] != "off":
		ts.Fatalf("usage: keystore [off]")
	case len(args) == 1:
		p := take(ts, []string{"bus"})
		ts.Check(p.cmd.Process.Kill())
		_ = p.cmd.Wait() // says that it was killed; the keyring ends with its bus
		return
	}
	env := append(os.Environ(), "HOME="+ts.Getenv("HOME"), "XDG_DATA_HOME="+ts.MkAbs("share"), "XDG_RUNTIME_DIR="+ts.MkAbs("."))
	bus := exec.Command("dbus-daemon", "--session", "--nofork", "--print-address")
	bus.Env = env
	out, err := bus.StdoutPipe()
	ts.Check(err)
	ts.Check(bus.Start())
	running["bus"] = &process{cmd: bus}
	address, err := bufio.NewReader(out).ReadString('\n')
	ts.Check(err)
	ts.Setenv(busAddress, strings.TrimSpace(address))
	keyring := exec.Command("gnome-keyring-daemon", "--daemonize", "--unlock", "--components=secrets")
	keyring.Env = append(env, busAddress+"="+ts.Getenv(busAddress))
	keyring.Stdin = strings.NewReader("the password of the login")
	ts.Check(keyring.Run()) // returns once it is on the bus
}
