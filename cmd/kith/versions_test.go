package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// versionsEnv asks for TestVersions: each version takes a build of its own.
const versionsEnv = "KITH_VERSIONS"

// buildVersion builds the program of an earlier version from the history of this
// working copy.
func buildVersion(t *testing.T, commit string) string {
	t.Helper()
	if out, err := exec.Command("git", "cat-file", "-e", commit+"^{commit}").CombinedOutput(); err != nil {
		t.Skipf("the history of git is not here, so %.7s cannot be built: %s", commit, out)
	}
	dir := t.TempDir()
	archive := filepath.Join(dir, "source.tar")
	program := filepath.Join(dir, "kith")
	source := filepath.Join(dir, "source")
	if err := os.Mkdir(source, 0o700); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		in   string
		args []string
	}{
		{root, []string{"git", "archive", "-o", archive, commit}},
		{source, []string{"tar", "-xf", archive}},
		{source, []string{"go", "build", "-o", program, "./cmd/kith"}},
	} {
		cmd := exec.Command(step.args[0], step.args[1:]...)
		cmd.Dir = step.in
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", strings.Join(step.args, " "), err, out)
		}
	}
	return program
}

// TestVersions: programs of each earlier version and of today meet in groups,
// both ways; and the earlier one refuses a home of today.
func TestVersions(t *testing.T) {
	if os.Getenv(versionsEnv) == "" {
		t.Skip("builds programs of earlier versions: part of make assure; " + versionsEnv + "=all, or a number of internal/store/testdata/homes")
	}
	versions, err := os.ReadDir(homesDir(""))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range versions {
		if asked := os.Getenv(versionsEnv); !v.IsDir() || asked != "all" && asked != v.Name() {
			continue
		}
		commit, err := os.ReadFile(filepath.Join(homesDir(v.Name()), "commit"))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(v.Name(), func(t *testing.T) {
			m := &mixed{T: t, before: buildVersion(t, strings.TrimSpace(string(commit))), now: kithHere(t), first: v.Name() == "1"}
			m.story()
		})
	}
}

// mixed are people some of whom run an earlier program.
type mixed struct {
	*testing.T
	before, now string
	first       bool // the earlier one is the first version, which reads the keys of no new group
	round       int
}

func (m *mixed) person(name, program string) *person {
	m.Helper()
	place, err := freePlace()
	if err != nil {
		m.Fatal(err)
	}
	p := &person{t: m.T, name: name, program: program, home: filepath.Join(m.TempDir(), name), run: []string{"--listen", place, "--verbose"}}
	m.Cleanup(func() {
		p.off()
		for line := range strings.Lines(p.err.String()) {
			if strings.Contains(line, "peer broke a rule") {
				m.Errorf("%s takes another version for misbehaviour: %s", p.name, line)
			}
		}
	})
	p.kith("init", "--name", name)
	p.on()
	return p
}

// update has a person go on with the program of today.
func (m *mixed) update(p *person) {
	m.Helper()
	p.off()
	p.program = m.now
	p.on()
}

// group has the first make a group with the others, who accept.
func (m *mixed) group(title string, all ...*person) {
	m.Helper()
	args := []string{"group", "create", title}
	for _, p := range all[1:] {
		args = append(args, p.name)
	}
	all[0].kith(args...)
	for _, p := range all[1:] {
		p.until(title+".*invites you", "group", "list")
		p.kith("group", "accept", title)
	}
	m.accepted(title, all...)
}

func (m *mixed) accepted(title string, all ...*person) {
	m.Helper()
	for _, p := range all {
		p.until(fmt.Sprintf(`("accepted":true.*){%d}`, len(all)), "group", "show", title, "--json")
	}
}

// hear has all write, and read all others.
func (m *mixed) hear(chat string, all ...*person) {
	m.Helper()
	m.round++
	for _, p := range all {
		p.kith("send", chat, fmt.Sprintf("%s says %d", p.name, m.round))
	}
	for _, p := range all {
		for _, q := range all {
			p.until(fmt.Sprintf("%s says %d$", q.name, m.round), "tail", chat, "-n", "100")
		}
	}
}

func (m *mixed) story() {
	ann, ben, cleo := m.person("Ann", m.before), m.person("Ben", m.before), m.person("Cleo", m.before)
	ben.befriend(ann)
	cleo.befriend(ann)
	m.group("Walk", ann, ben, cleo)
	m.hear("Walk", ann, ben, cleo)

	// One has the program of today, in a group and with people from before.
	m.update(ann)
	m.hear("Walk", ann, ben, cleo)
	ann.kith("group", "rename", "Walk", "Harbour walk")
	ben.until("Harbour walk", "group", "list")
	m.hear("Harbour walk", ben, cleo, ann)
	ann.kith("send", "Ben", "Hello Ben")
	ben.until("Hello Ben", "tail", "Ann")
	ben.kith("send", "Ann", "Hello Ann")
	ann.until("Hello Ann", "tail", "Ben")

	// Somebody new with it befriends people from before, is invited by them, and invites them.
	dan := m.person("Dan", m.now)
	dan.befriend(ann)
	dan.befriend(ben)
	cleo.befriend(dan)
	ann.kith("group", "add", "Harbour walk", "Dan")
	dan.until("Ann invites you", "group", "list")
	dan.kith("group", "accept", "Harbour walk")
	m.accepted("Harbour walk", ann, ben, cleo, dan)
	m.hear("Harbour walk", ann, ben, cleo, dan)
	m.group("Ben made this", ben, ann, dan)
	m.hear("Ben made this", dan, ann, ben)
	if m.first {
		out, err := dan.try("group", "create", "Dan made this", "Cleo", "Ben")
		if err == nil || !strings.Contains(out, "their Kith is of an older version") {
			m.Errorf("a new group with who cannot read its keys: %v, %s", err, out)
		}
	} else {
		m.group("Dan made this", dan, cleo, ben)
		m.hear("Dan made this", cleo, ben, dan)
	}

	// What the earlier programs may not know. They go on whether they do or not.
	ann.kith("send", "Harbour walk", "By the quay?")
	dan.until("By the quay", "tail", "Harbour walk")
	dan.kith("react", "Harbour walk", "last", "👍")
	ann.kith("edit", "Harbour walk", "last", "By the hill?")
	dan.kith("reply", "Harbour walk", "last", "Gladly")
	ann.until("Gladly", "tail", "Harbour walk")
	ann.kith("poll", "Harbour walk", "When?", "at eight", "at nine")
	dan.until("at eight", "tail", "Harbour walk")
	dan.kith("vote", "Harbour walk", "last", "2")
	ann.until("at nine +1: Dan", "tail", "Harbour walk")
	ann.kith("send", "Harbour walk", "My door is open")
	for _, p := range []*person{ben, cleo, dan} {
		p.until("My door is open", "tail", "Harbour walk")
	}
	ann.kith("delete", "Harbour walk", "last")
	dan.until("Ann: .deleted", "tail", "Harbour walk")
	m.hear("Harbour walk", ann, ben, cleo, dan)

	// Who was away is given what was written, by either program, also after kill -9.
	ben.crash()
	for i := range 30 {
		ann.kith("send", "Harbour walk", fmt.Sprintf("from here %d", i))
	}
	cleo.kith("send", "Harbour walk", "that is all")
	ann.until("that is all", "tail", "Harbour walk")
	ben.on()
	ben.until("from here 29.*that is all", "tail", "Harbour walk", "-n", "100")
	ann.crash()
	for i := range 30 {
		ben.kith("send", "Harbour walk", fmt.Sprintf("from before %d", i))
	}
	ann.on()
	ann.until("from before 29", "tail", "Harbour walk")

	// An admin from before changes the membership, and one of today does.
	ann.kith("group", "promote", "Harbour walk", "Ben")
	ben.until("you +admin", "group", "show", "Harbour walk")
	ben.kith("group", "rename", "Harbour walk", "Hill walk")
	for _, p := range []*person{ann, cleo, dan} {
		p.until("Hill walk", "group", "list")
	}
	ben.kith("group", "remove", "Hill walk", "Dan")
	dan.until("Hill walk.*Ben removed you", "group", "list")
	m.hear("Hill walk", ann, ben, cleo)
	ben.kith("group", "add", "Hill walk", "Dan")
	dan.until("Hill walk.*invites you", "group", "list")
	dan.kith("group", "accept", "Hill walk")
	m.accepted("Hill walk", ann, ben, cleo, dan)
	m.hear("Hill walk", ann, ben, cleo, dan)
	ann.kith("group", "remove", "Hill walk", "Cleo")
	cleo.until("Hill walk.*Ann removed you", "group", "list")
	m.hear("Hill walk", ann, ben, dan)
	if out := cleo.kith("tail", "Hill walk"); strings.Contains(out, fmt.Sprintf("says %d", m.round)) {
		m.Errorf("Cleo reads what was written after her removal:\n%s", out)
	}

	// All have the program of today, one after the other.
	m.update(ben)
	m.hear("Hill walk", ann, ben, dan)
	if !m.first {
		m.hear("Dan made this", cleo, ben, dan)
	}
	m.update(cleo)
	if m.first { // their keys for new groups come when they meet
		for _, p := range []*person{ben, cleo} {
			p.until("Dan +friend, here now", "friend", "list")
		}
		dan.until("Dan made this", "group", "create", "Dan made this", "Cleo", "Ben")
		for _, p := range []*person{ben, cleo} {
			p.until("Dan made this.*invites you", "group", "list")
			p.kith("group", "accept", "Dan made this")
		}
		m.accepted("Dan made this", dan, ben, cleo)
	}
	m.hear("Dan made this", cleo, ben, dan)
	m.sameChain("Hill walk", ann, ben, dan)
	m.sameChain("Dan made this", cleo, ben, dan)
	m.sameChain("Ben made this", dan, ann, ben)

	for _, p := range []*person{ann, ben, cleo} {
		p.off()
	}
	m.refusedBefore(ann)
}

// sameChain checks that all hold one chain, and that they are shown the same
// messages in one order.
func (m *mixed) sameChain(chat string, all ...*person) {
	m.Helper()
	want := headOf(all[0].kith("group", "chain", chat, "--json"))
	for _, p := range all[1:] {
		p.until(want, "group", "chain", chat, "--json")
	}
	for _, p := range all {
		if out := p.kith("group", "chain", chat); strings.Contains(out, "NOT VALID") {
			m.Errorf("%s: a block is not valid:\n%s", p.name, out)
		}
	}
}

// headOf is the line of the newest block that stands, up to what changes with
// the votes on it.
func headOf(chain string) string {
	var head string
	for line := range strings.Lines(chain) {
		if strings.Contains(line, `"on_chain":true`) {
			head, _, _ = strings.Cut(line, ",")
		}
	}
	return head
}

// refusedBefore: the earlier program does not run on a home that today's has
// brought to another version, and changes nothing that is in it.
func (m *mixed) refusedBefore(p *person) {
	m.Helper()
	fresh := filepath.Join(m.TempDir(), "fresh")
	if out, err := exec.Command(m.before, "--home", fresh, "init", "--name", "Fresh").CombinedOutput(); err != nil {
		m.Fatalf("%v: %s", err, out)
	}
	before, now := versionOf(m.T, fresh, 0), versionOf(m.T, p.home, 0)
	m.Logf("databases of that version have number %d, those of today %d", before, now)
	if before == now {
		p.program = m.before
		p.on()
		p.off()
		return
	}
	refusesHome(m.T, m.before, p.home)
}
