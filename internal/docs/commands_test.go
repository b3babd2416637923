package docs

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// TestCommands checks every sh block, and runs those that can be run here.
func TestCommands(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	program := filepath.Join(bin, "kith")
	if out, err := exec.Command("go", "build", "-o", program, "kith/cmd/kith").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	ran := 0
	for _, p := range readPages(t) {
		for _, b := range p.blocks() {
			for _, command := range b.commands {
				checkCommand(t, b, command, string(makefile), program)
			}
			switch {
			case strings.HasPrefix(b.mark, "tested elsewhere: "):
			case b.mark == "with a running node":
				home := t.TempDir()
				startNode(t, program, home)
				run(t, b, bin, home)
				ran++
			case b.mark == "":
				run(t, b, bin, t.TempDir())
				ran++
			default:
				t.Errorf("%s:%d: the mark %q is none that doc.go explains", b.page, b.line, b.mark)
			}
		}
	}
	if ran < 2 {
		t.Errorf("ran %d blocks; the marks keep everything from being run", ran)
	}
}

// TestNothingUnseen: a command in a README that no check understands is
// noticed, not passed over.
func TestNothingUnseen(t *testing.T) {
	page := page{"x.md", strings.Split("text\n\n<!-- with a running node -->\n```sh\nkith whoami\n```\n\n```text\nno command\n```\n```sh\nmake x\n```", "\n")}
	blocks := page.blocks()
	if len(blocks) != 2 || blocks[0].mark != "with a running node" || blocks[1].mark != "" || blocks[1].commands[0] != "make x" {
		t.Errorf("%+v", blocks)
	}
}

var (
	shellComment = regexp.MustCompile(`(^|\s)#.*$`)
	word         = regexp.MustCompile(`"[^"]*"|\S+`)
	path         = regexp.MustCompile(`^(\.{0,2}/)?[a-z.]+(/[a-zA-Z0-9_.-]+)+/?$`)
)

// checkCommand holds one line of a block against what there is: make targets,
// verbs and flags of kith, files.
func checkCommand(t *testing.T, b block, command, makefile, program string) {
	t.Helper()
	command = shellComment.ReplaceAllString(command, "")
	for part := range strings.SplitSeq(strings.NewReplacer("&&", ";", "|", ";", "&", ";").Replace(command), ";") {
		words := word.FindAllString(part, -1)
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "make":
			for _, target := range words[1:] {
				if !strings.Contains(target, "=") && !regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(target)+`:`).MatchString(makefile) {
					t.Errorf("%s:%d: the Makefile has no target %s", b.page, b.line, target)
				}
			}
		case "kith", "bin/kith":
			checkVerb(t, b, words[1:], program)
		}
		for _, w := range words {
			_, value, assigned := strings.Cut(w, "=")
			if assigned {
				w = value
			}
			if path.MatchString(w) && w != "bin/kith" {
				if _, err := os.Stat(filepath.Join(root, w)); err != nil {
					t.Errorf("%s:%d: %s does not exist", b.page, b.line, w)
				}
			}
		}
	}
}

// checkVerb follows words down the tree of verbs by asking for help, and looks
// for each flag in the last help.
func checkVerb(t *testing.T, b block, words []string, program string) {
	t.Helper()
	help := helpOf(t, program, nil)
	var verbs []string
	for len(words) > 0 && !strings.HasPrefix(words[0], "-") {
		_, below, group := strings.Cut(help, "Commands:\n")
		if !group {
			break
		}
		if words[0] != "help" && !regexp.MustCompile(`(?m)^ +`+regexp.QuoteMeta(words[0])+`( |$)`).MatchString(below) {
			t.Errorf("%s:%d: kith %s has no verb %s", b.page, b.line, strings.Join(verbs, " "), words[0])
			return
		}
		verbs = append(verbs, words[0])
		help = helpOf(t, program, verbs)
		words = words[1:]
	}
	for _, w := range words {
		flag, _, _ := strings.Cut(w, "=")
		if strings.HasPrefix(flag, "-") && flag != "-" && !regexp.MustCompile(`(^|[\s,])`+regexp.QuoteMeta(flag)+`([\s,=]|$)`).MatchString(help) {
			t.Errorf("%s:%d: kith %s has no flag %s", b.page, b.line, strings.Join(verbs, " "), flag)
		}
	}
}

func helpOf(t *testing.T, program string, verbs []string) string {
	t.Helper()
	out, err := exec.Command(program, append(append([]string{}, verbs...), "--help")...).CombinedOutput()
	if err != nil {
		t.Errorf("kith %s --help: %v", strings.Join(verbs, " "), err)
	}
	return string(out)
}

// run types a block into a shell at the root of the checkout.
func run(t *testing.T, b block, bin, home string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Log("blocks are for a Unix shell; they are checked here, not run")
		return
	}
	cmd := exec.Command("sh", "-eu", "-c", strings.Join(b.commands, "\n"))
	cmd.Dir = root
	cmd.Env = environment(bin, home)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s:%d: %v\n%s", b.page, b.line, err, out)
	}
}

// environment is that of a person who has kith in the path and nothing set.
func environment(bin, home string) []string {
	return append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "KITH_HOME="+home)
}

// startNode makes an identity in home and runs its node until the test ends.
func startNode(t *testing.T, program, home string) {
	t.Helper()
	setup := exec.Command(program, "init", "--name", "Ann")
	setup.Env = environment("", home)
	if out, err := setup.CombinedOutput(); err != nil {
		t.Fatalf("kith init: %v\n%s", err, out)
	}
	node := exec.Command(program, "run", "--listen", "127.0.0.1:0", "--web", "127.0.0.1:0")
	node.Env = environment("", home)
	var trouble bytes.Buffer
	node.Stderr = &trouble
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	ready := false
	for !ready && lines.Scan() {
		ready = strings.Contains(lines.Text(), "http://")
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for lines.Scan() {
		}
	}()
	t.Cleanup(func() {
		_ = node.Process.Signal(os.Interrupt)
		<-drained
		if err := node.Wait(); err != nil {
			t.Errorf("kith run: %v\n%s", err, trouble.String())
		}
	})
	if !ready {
		t.Fatalf("kith run printed no address of a page\n%s", trouble.String())
	}
}
