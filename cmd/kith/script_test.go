package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The scripts run real processes of the program on loopback. Their commands:
//
//	ann ARGS...              kith --home ann ARGS...; also ben, cleo, dan
//	start NAME ARGS...       kith ARGS... in the background, into NAME.out and NAME.err
//	halt NAME                Ctrl-C, and it must end well
//	crash NAME               kill -9
//	waitfor REGEX ANN ARGS.. runs kith --home ANN ARGS... until its output matches
//	waitfile REGEX FILE      reads FILE until it matches
//	keep VAR REGEX           the first group of REGEX in stdout becomes $VAR
//	names                    the names in the JSON lines of stdout, one a line, into names.txt
//	cut FILE BYTES           keeps the beginning of a file
//	forge FILE               changes one byte after the other; kith chain verify must refuse each
//	tiny DIR SIZE            a file system of its own; under the condition [tmpfs]
//	user ARGS...             kith ARGS... as somebody who is not root
//	natsserver ADDR KEY DIR  a server for the items of a mailbox, which knows it by KEY; "open": anybody
//	homes VERSION            copies of what an earlier version left of ann and ben
//	keystore                 a session bus with the key store of a desktop; under the condition [keystore]
//	end                      stands last in every script, which has to come to it
//
// No name may be one of testscript's own commands, which go first: its stop ends
// a script as if all of it had passed.
var update = flag.Bool("update", false, "write what scripts compare with")

// scriptPatience bounds every wait of a script. One voter settles a block in 90 s.
const scriptPatience = 150 * time.Second

var people = []string{"ann", "ben", "cleo", "dan", "phone"}

func TestMain(m *testing.M) {
	if insteadOfTests() {
		return
	}
	// Scripts wait for real dwells of 90 s, and use little of a core meanwhile.
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"kith": main})
}

func TestScripts(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("scripts end programs with Ctrl-C, which Windows does not send to one process")
	}
	commands := map[string]func(*testscript.TestScript, bool, []string){
		"start": start, "halt": halt, "crash": crash, "waitfor": waitFor, "waitfile": waitFile,
		"keep": keep, "names": names, "cut": cut, "forge": forge, "tiny": tiny, "homes": homes, "end": end, "chatter": chatter, "user": user, "keystore": keyStore, "natsserver": natsServer,
	}
	for _, name := range people {
		commands[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			err := ts.Exec("kith", append([]string{"--home", ts.MkAbs(name)}, args...)...)
			if (err != nil) != neg {
				ts.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
			}
		}
	}
	testscript.Run(t, testscript.Params{Dir: "testdata/script", Cmds: commands, Setup: setup, Condition: condition, UpdateScripts: *update})
}

type (
	runningKey struct{}
	endedKey   struct{}
)

// processes are those that a script started.
type processes map[string]*process

type process struct{ cmd *exec.Cmd }

// setup gives each person a port of their own, which a program that is started
// again takes again.
func setup(env *testscript.Env) error {
	for _, name := range people {
		place, err := freePlace()
		if err != nil {
			return err
		}
		env.Setenv(strings.ToUpper(name), place)
	}
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("TZ", "UTC")
	env.Setenv(busAddress, "unix:path="+filepath.Join(env.WorkDir, "nobody")) // not that of whoever tests
	env.Setenv("LONG", strings.Repeat("x", 60_000))
	running, ended := make(processes), new(bool)
	env.Values[runningKey{}], env.Values[endedKey{}] = running, ended
	t := env.T().(interface {
		Errorf(format string, args ...any)
		Failed() bool
		Skipped() bool
	})
	env.Defer(func() {
		if !*ended && !t.Failed() && !t.Skipped() {
			t.Errorf("the script did not come to its end")
		}
		for _, p := range running {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
	})
	return nil
}

func runningOf(ts *testscript.TestScript) processes { return ts.Value(runningKey{}).(processes) }

// kith makes a command with the environment of the script.
func kith(ts *testscript.TestScript, args ...string) *exec.Cmd {
	path, err := exec.LookPath("kith")
	ts.Check(err)
	cmd := exec.Command(path, args...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "KITH_HOME=")
	for _, name := range []string{"HOME", "PATH", "TZ", "DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", busAddress} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	return cmd
}

func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME ARGS...")
	}
	running := runningOf(ts)
	if running[args[0]] != nil {
		ts.Fatalf("%s runs already", args[0])
	}
	out, err := os.Create(ts.MkAbs(args[0] + ".out"))
	ts.Check(err)
	defer out.Close()
	trouble, err := os.Create(ts.MkAbs(args[0] + ".err"))
	ts.Check(err)
	defer trouble.Close()
	cmd := kith(ts, args[1:]...)
	cmd.Stdout, cmd.Stderr = out, trouble
	ts.Check(cmd.Start())
	running[args[0]] = &process{cmd: cmd}
}

func halt(ts *testscript.TestScript, neg bool, args []string) {
	p := take(ts, args)
	ts.Check(p.cmd.Process.Signal(os.Interrupt))
	if err := wait(p); (err != nil) != neg {
		ts.Fatalf("%s ended with %v: %s", args[0], err, ts.ReadFile(args[0]+".err"))
	}
}

func end(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: end")
	}
	*ts.Value(endedKey{}).(*bool) = true
}

func crash(ts *testscript.TestScript, _ bool, args []string) {
	p := take(ts, args)
	ts.Check(p.cmd.Process.Kill())
	_ = p.cmd.Wait() // says that it was killed
}

// wait waits for the end, and kills where there is none.
func wait(p *process) error {
	timer := time.AfterFunc(scriptPatience, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	return p.cmd.Wait()
}

func take(ts *testscript.TestScript, args []string) *process {
	running := runningOf(ts)
	if len(args) != 1 || running[args[0]] == nil {
		ts.Fatalf("nothing called %v runs", args)
	}
	p := running[args[0]]
	delete(running, args[0])
	return p
}

// until asks until the text that ask returns matches.
func until(ts *testscript.TestScript, what, pattern string, ask func() string) string {
	re, err := regexp.Compile("(?ms)" + pattern)
	ts.Check(err)
	end := time.NewTimer(scriptPatience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer end.Stop()
	defer tick.Stop()
	for {
		text := ask()
		if re.MatchString(text) {
			return text
		}
		select {
		case <-tick.C:
		case <-end.C:
			ts.Fatalf("waited in vain for %q in %s; the last was:\n%s%s", pattern, what, text, troubles(ts))
		}
	}
}

// troubles is what the programs that were started say on standard error.
func troubles(ts *testscript.TestScript) string {
	var b strings.Builder
	for name := range runningOf(ts) {
		fmt.Fprintf(&b, "[%s.err]\n%s", name, ts.ReadFile(name+".err"))
	}
	return b.String()
}

func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: waitfor REGEX PERSON ARGS...")
	}
	text := until(ts, strings.Join(args[1:], " "), args[0], func() string {
		out, _ := kith(ts, append([]string{"--home", ts.MkAbs(args[1])}, args[2:]...)...).CombinedOutput()
		return string(out)
	})
	fmt.Fprint(ts.Stdout(), text)
}

func waitFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: waitfile REGEX FILE")
	}
	until(ts, args[1], args[0], func() string { return ts.ReadFile(args[1]) })
}

func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep VAR REGEX")
	}
	re, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	found := re.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) != 2 {
		ts.Fatalf("no %s in stdout", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// names writes the path of each name in the JSON lines of stdout, in order and
// once.
func names(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: names")
	}
	var list []string
	seen := make(map[string]bool)
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		d := json.NewDecoder(bytes.NewReader([]byte(line)))
		ts.Check(walk(d, "", func(path string) {
			if !seen[path] {
				seen[path] = true
				list = append(list, path)
			}
		}))
	}
	ts.Check(os.WriteFile(ts.MkAbs("names.txt"), []byte(strings.Join(list, "\n")+"\n"), 0o600))
}

func walk(d *json.Decoder, path string, found func(string)) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return err
			}
			below := strings.TrimPrefix(path+"."+name.(string), ".")
			found(below)
			if err := walk(d, below, found); err != nil {
				return err
			}
		}
		_, err = d.Token()
	case json.Delim('['):
		for d.More() {
			if err := walk(d, path+"[]", found); err != nil {
				return err
			}
		}
		_, err = d.Token()
	}
	return err
}

func cut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cut FILE BYTES")
	}
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(filepath.Clean(ts.MkAbs(args[0])), n))
}

// forgeries is how many bytes of a file forge changes, spread over all of it.
const forgeries = 60

// forge checks that a changed file is refused in one line, or shows the same: the
// counts that shape the path of a proof are no part of what it proves.
func forge(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: forge FILE")
	}
	whole := []byte(ts.ReadFile(args[0]))
	want, err := kith(ts, "chain", "verify", ts.MkAbs(args[0])).Output()
	ts.Check(err)
	path := ts.MkAbs("forged")
	refused := 0
	for i := range forgeries {
		at := i * len(whole) / forgeries
		forged := bytes.Clone(whole)
		forged[at] ^= 1
		ts.Check(os.WriteFile(path, forged, 0o600))
		var out, trouble bytes.Buffer
		cmd := kith(ts, "chain", "verify", path)
		cmd.Stdout, cmd.Stderr = &out, &trouble
		err := cmd.Run()
		switch line := trouble.String(); {
		case err == nil && bytes.Equal(out.Bytes(), want):
		case err == nil:
			ts.Fatalf("byte %d changed, and it shows:\n%s", at, out.String())
		case cmd.ProcessState.ExitCode() != 1 || out.Len() > 0 || strings.Count(line, "\n") != 1 || !strings.HasPrefix(line, "kith: ") || strings.Contains(line, "inside Kith"):
			ts.Fatalf("byte %d changed: %v, %q, and on standard output %q", at, err, line, out.String())
		default:
			refused++
		}
	}
	if refused < forgeries-3 {
		ts.Fatalf("only %d of %d forgeries are refused", refused, forgeries)
	}
}

// condition [tmpfs]: this user may mount one. [root]: this user is root. [keystore]: there is one to start.
func condition(name string) (bool, error) {
	if name == "root" {
		return os.Geteuid() == 0, nil
	}
	if name == "keystore" {
		return hasKeyStore(), nil
	}
	if name != "tmpfs" {
		return false, fmt.Errorf("unknown condition %s", name)
	}
	dir, err := os.MkdirTemp("", "kith-tmpfs-")
	if err != nil {
		return false, err
	}
	defer os.Remove(dir)
	if exec.Command("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", dir).Run() != nil {
		return false, nil
	}
	return true, exec.Command("umount", dir).Run()
}

func tiny(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tiny DIR SIZE")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	ts.Check(exec.Command("mount", "-t", "tmpfs", "-o", "size="+args[1], "tmpfs", dir).Run())
	ts.Defer(func() { _ = exec.Command("umount", "-l", dir).Run() }) // a program in it may be ending
}
