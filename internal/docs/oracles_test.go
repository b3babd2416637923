package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// properties are I1 to I19 of the chain.
const properties = 19

var (
	oracleRow  = regexp.MustCompile(`^\| (I\d+) \|`)
	quoted     = regexp.MustCompile("`(\\w+)`")
	anyFunc    = regexp.MustCompile(`(?m)^func (?:\([^)]*\) )?(\w+)\(`)
	isTestName = regexp.MustCompile(`^(Test|Fuzz)`)
)

// TestOracles: docs/assurance.md has a row for each property of the chain, which
// names an oracle or a test, and each function that a row names exists.
func TestOracles(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs/assurance.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(page), "\n## What the simulation looks at\n")
	if !ok {
		t.Fatal("no section of the simulation")
	}
	text, _, _ = strings.Cut(text, "\n## ")
	oracles, tests := declared(t, "internal/sim", "internal/group"), declared(t, "internal/sim", "internal/chain", "internal/group")
	next := 1
	for line := range strings.SplitSeq(text, "\n") {
		m := oracleRow.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if want := fmt.Sprintf("I%d", next); m[1] != want {
			t.Errorf("%s stands where %s should", m[1], want)
		}
		next++
		names := quoted.FindAllStringSubmatch(line, -1)
		if len(names) == 0 {
			t.Errorf("%s names nothing that looks at it", m[1])
		}
		for _, n := range names {
			if isTestName.MatchString(n[1]) && !tests[n[1]] || !isTestName.MatchString(n[1]) && !oracles[n[1]] {
				t.Errorf("%s names %s, which is nowhere", m[1], n[1])
			}
		}
	}
	if next != properties+1 {
		t.Errorf("the last row is I%d", next-1)
	}
}

// declared returns the functions and methods of packages, those of tests too.
func declared(t *testing.T, dirs ...string) map[string]bool {
	t.Helper()
	found := make(map[string]bool)
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range anyFunc.FindAllSubmatch(b, -1) {
				found[string(m[1])] = true
			}
		}
	}
	return found
}
