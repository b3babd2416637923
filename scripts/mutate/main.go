// Command mutate switches each rule of a package off in turn and names the test
// that fails then. A rule is a condition under which a function returns an error
// of its own, or false as its only result; each side of an || is one by itself.
//
//	go run ./scripts/mutate ./internal/chain
//	go run ./scripts/mutate -tests ./internal/group,./internal/sim ./internal/group
//
// It builds each test program once, with a variable before every condition, and
// runs it until a test fails: first the test that an earlier list names for the
// rule, then the tests of the first -first, of the next, then all. A test that fails with all rules on, too, says nothing, and
// ends it. It exits with 1 if no test misses a rule that known.txt beside it does
// not list; what that lists is tried with the tests of -first alone.
package main

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// known are rules that no test can miss, each with the reason: what they
// refuse is refused earlier, or cannot come about.
//
//go:embed known.txt
var known string

// off is the variable of the environment that holds the number of the rule that
// is off.
const off = "KITH_RULE_OFF"

var (
	tests = flag.String("tests", "", "packages whose tests are run, with commas; default: the package")
	list  = flag.String("list", "", "file with what an earlier run printed; the test it names for a rule is run first")
	only  = flag.String("only", "", "only rules of files whose name starts so")
	limit = flag.Duration("limit", 5*time.Minute, "time for the tests of one package; beyond it a rule counts as missed by \"it does not end\"")
)

var (
	first   []string // patterns of tests that are run before all
	earlier string   // what the file of -list holds
)

func main() {
	flag.Func("first", "tests to run before all others; several times: one after the other", func(pattern string) error {
		first = append(first, pattern)
		return nil
	})
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "mutate: name one package: go run ./scripts/mutate ./internal/chain")
		os.Exit(2)
	}
	missed, err := mutate(filepath.Clean(flag.Arg(0)))
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(2)
	}
	if missed > 0 {
		fmt.Printf("%d rules can be taken away and no test fails\n", missed)
		os.Exit(1)
	}
}

// mutate prints a line for each rule of the package in dir, and returns how many
// no test notices.
func mutate(dir string) (missed int, err error) {
	work, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(work)
	rules, overlay, err := instrument(dir, work)
	if err != nil {
		return 0, err
	}
	if *list != "" {
		b, err := os.ReadFile(*list)
		if err != nil {
			return 0, err
		}
		earlier = string(b)
	}
	rules = slices.DeleteFunc(rules, func(r rule) bool { return !strings.HasPrefix(r.file, *only) })
	programs, err := build(work, overlay, strings.Split(cmp.Or(*tests, "./"+dir), ","))
	if err != nil {
		return 0, err
	}
	for i, by := range each(rules, func(r rule) string { return missedBy(programs, r) }) {
		r, says := rules[i], <-by
		if strings.HasPrefix(says, broken) {
			return missed, errors.New(says)
		}
		if says == "" {
			says = "NOTHING FAILS"
			if why := r.reason(); why != "" {
				says = "none can: " + why
			} else {
				missed++
			}
		}
		fmt.Println(r.line() + says)
	}
	fmt.Printf("%d rules of %s\n", len(rules), dir)
	return missed, nil
}

// each calls f for every rule, as many at a time as there are cores, and returns
// at once where the results will come.
func each(rules []rule, f func(rule) string) []chan string {
	results := make([]chan string, len(rules))
	for i := range results {
		results[i] = make(chan string, 1)
	}
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for i := next.Add(1) - 1; int(i) < len(rules); i = next.Add(1) - 1 {
				results[i] <- f(rules[i])
			}
		}()
	}
	return results
}

// A program is one package's tests.
type program struct{ dir, path string }

func build(work string, overlay map[string]string, packages []string) (list []program, err error) {
	b, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		return nil, err
	}
	replace := filepath.Join(work, "overlay.json")
	if err := os.WriteFile(replace, b, 0o600); err != nil {
		return nil, err
	}
	for i, dir := range packages {
		p := program{dir, filepath.Join(work, strconv.Itoa(i)+".test")}
		c := exec.Command("go", "test", "-c", "-overlay", replace, "-o", p.path, dir)
		if out, err := c.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w\n%s", err, out)
		}
		list = append(list, p)
	}
	return list, nil
}

// broken begins what missedBy says of a test that fails anyway.
const broken = "with all rules on, too, fails "

// missedBy returns the first test that fails with a rule off and not with it on,
// empty if none does.
func missedBy(programs []program, r rule) string {
	rounds := append(r.before(), first...)
	if r.reason() == "" {
		rounds = append(rounds, ".")
	}
	by, p := play(programs, rounds, r.number)
	if !strings.HasPrefix(by, "Test") && !strings.HasPrefix(by, "Fuzz") {
		return by
	}
	test, _, _ := strings.Cut(by, "/")
	if p.run(0, "^"+test+"$") != "" {
		return broken + test
	}
	return by
}

// play runs the tests of each pattern in turn, and returns the first that fails
// with a rule off, and whose it is; empty if none does.
func play(programs []program, rounds []string, number int) (string, program) {
	for _, tests := range rounds {
		for _, p := range programs {
			if by := p.run(number, tests); by != "" {
				return by, p
			}
		}
	}
	return "", program{}
}

func (p program) run(number int, tests string) string {
	c := exec.Command(p.path, "-test.failfast", "-test.run", tests, "-test.timeout", limit.String())
	c.Dir = p.dir
	c.Env = append(os.Environ(), off+"="+strconv.Itoa(number))
	out, err := c.CombinedOutput()
	if err == nil {
		return ""
	}
	return failed(string(out))
}

// failed finds in what a test program printed the innermost test that failed.
func failed(out string) (name string) {
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if s, ok := strings.CutPrefix(line, "--- FAIL: "); ok {
			if i := strings.LastIndex(s, " ("); i > 0 {
				s = s[:i]
			}
			if name == "" || strings.HasPrefix(s, name) {
				name = s
			}
		}
	}
	switch {
	case strings.Contains(out, "panic: test timed out"):
		return "it does not end"
	case name == "":
		return "it panics"
	}
	return name
}

// line begins what is printed of a rule.
func (r rule) line() string {
	return fmt.Sprintf("%-18s %-24s %-60s ", r.file, r.function, r.condition)
}

// before returns a pattern of the tests that the earlier list names for a rule, of
// several rules that look the same all.
func (r rule) before() []string {
	var names []string
	for line := range strings.Lines(earlier) {
		by, ok := strings.CutPrefix(line, r.line())
		test, _, _ := strings.Cut(strings.TrimSpace(by), "/")
		if ok && !strings.Contains(test, " ") {
			names = append(names, test)
		}
	}
	if names == nil {
		return nil
	}
	return []string{"^(" + strings.Join(names, "|") + ")$"}
}

// reason is what known.txt says of a rule; empty: nothing.
func (r rule) reason() string {
	for line := range strings.Lines(known) {
		where, why, ok := strings.Cut(strings.TrimSpace(line), " # ")
		if ok && where == r.file+" "+r.function+": "+r.condition {
			return why
		}
	}
	return ""
}
