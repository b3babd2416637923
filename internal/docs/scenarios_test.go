package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const scenarios = 40

var (
	testFunc     = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
	testName     = regexp.MustCompile("(?:\\b(\\w+) )?`(Test\\w+)`")
	scenarioName = regexp.MustCompile(`^TestScenario(\d\d)`)
)

// TestScenarios: every test that docs/assurance.md names exists in the package it
// names, each of the forty scenarios has one with its number, and each test with a
// number stands in the row of that number.
func TestScenarios(t *testing.T) {
	tests := testsByPackage(t)
	page, err := os.ReadFile(filepath.Join(root, "docs/assurance.md"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	_, text, ok := strings.Cut(string(page), "\n## The forty scenarios\n")
	if !ok {
		t.Fatal("no section of scenarios")
	}
	next := 1
	for line := range strings.SplitSeq(text, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		row, _ := strconv.Atoi(strings.TrimSpace(cells[1]))
		if row > 0 {
			if row != next {
				t.Errorf("row %d stands where %d should", row, next)
			}
			next = row + 1
		}
		own := false
		for _, name := range named(t, tests, line) {
			m := scenarioName.FindStringSubmatch(name)
			own = own || m != nil && m[1] == fmt.Sprintf("%02d", row)
			if own {
				listed[name] = true
			}
		}
		if row > 0 && !own {
			t.Errorf("scenario %d has no test with its number", row)
		}
	}
	if next != scenarios+1 {
		t.Errorf("the last row is %d", next-1)
	}
	for pkg, names := range tests {
		for _, name := range names {
			if scenarioName.MatchString(name) && !listed[name] {
				t.Errorf("%s in %s stands in no row of its number", name, pkg)
			}
		}
	}
}

// named returns the tests that a line names, after looking that each exists in the
// package whose name was written last before it.
func named(t *testing.T, tests map[string][]string, line string) (names []string) {
	pkg := ""
	for _, m := range testName.FindAllStringSubmatch(line, -1) {
		if m[1] != "" {
			pkg = m[1]
		}
		if !slices.Contains(tests[pkg], m[2]) {
			t.Errorf("no test %s in package %q", m[2], pkg)
		}
		names = append(names, m[2])
	}
	return names
}

// testsByPackage returns the names of all tests, by folder name.
func testsByPackage(t *testing.T) map[string][]string {
	tests := map[string][]string{}
	for _, folder := range []string{"internal", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			pkg := filepath.Base(filepath.Dir(path))
			for _, m := range testFunc.FindAllSubmatch(text, -1) {
				tests[pkg] = append(tests[pkg], string(m[1]))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return tests
}
