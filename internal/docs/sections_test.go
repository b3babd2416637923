package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// rfc9420 is how many sections there are, in all and below each that has any.
var rfc9420 = []struct {
	section string
	below   int
}{
	{"", 17},
	{"2", 1},
	{"2.1", 2},
	{"3", 4},
	{"4", 2},
	{"4.1", 2},
	{"5", 3},
	{"5.1", 3},
	{"5.3", 3},
	{"6", 3},
	{"6.3", 2},
	{"7", 9},
	{"7.9", 2},
	{"8", 7},
	{"9", 2},
	{"10", 1},
	{"11", 3},
	{"12", 4},
	{"12.1", 8},
	{"12.1.8", 1},
	{"12.4", 3},
	{"12.4.3", 3},
	{"13", 5},
	{"15", 3},
	{"16", 12},
	{"16.4", 3},
	{"17", 10},
}

var (
	sectionRange = regexp.MustCompile(`(\d+(?:\.\d+)*)(?: to (\d+(?:\.\d+)*))?`)
	inBrackets   = regexp.MustCompile(`\([^)]*\)`)
	sourceFile   = regexp.MustCompile(`[a-z0-9/]+\.go`)
)

// TestSections: docs/spec/mls.md says of every section of RFC 9420 where it is,
// names files that exist, and leaves none of internal/mls out.
func TestSections(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/spec/mls.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, below, _ := strings.Cut(string(text), "## Where each section is\n")
	chapter, _, _ := strings.Cut(below, "\n## ")
	mapped, named := make(map[string]bool), make(map[string]bool)
	for line := range strings.Lines(chapter) {
		for _, name := range sourceFile.FindAllString(line, -1) {
			file := name
			if !strings.Contains(name, "/") {
				file = "internal/mls/" + name
			}
			named[file] = true
			if _, err := os.Stat(filepath.Join(root, file)); err != nil {
				t.Errorf("mls.md names %s, which does not exist", file)
			}
		}
		if cells := strings.Split(line, "|"); len(cells) > 2 && !strings.HasPrefix(cells[1], " draft") {
			note(t, mapped, inBrackets.ReplaceAllString(cells[1], ""))
		}
	}
	for _, part := range rfc9420 {
		for i := range part.below {
			s := strings.TrimPrefix(fmt.Sprintf("%s.%d", part.section, i+1), ".")
			if !covered(mapped, s) {
				t.Errorf("mls.md does not say where section %s is", s)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(root, "internal/mls/*.go"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		if name := filepath.Base(f); !strings.HasSuffix(name, "_test.go") && !named["internal/mls/"+name] {
			t.Errorf("mls.md does not say what %s is for", name)
		}
	}
}

// note takes sections like "6.3, 12.1.1 to 12.1.7".
func note(t *testing.T, mapped map[string]bool, cell string) {
	t.Helper()
	for _, m := range sectionRange.FindAllStringSubmatch(cell, -1) {
		mapped[m[1]] = true
		if m[2] == "" {
			continue
		}
		at := strings.LastIndex(m[2], ".") + 1
		last, err := strconv.Atoi(m[2][at:])
		first := 1 // "2.1 to 2.1.2" is 2.1 and what is below it
		if strings.Count(m[1], ".") == strings.Count(m[2], ".") {
			first, _ = strconv.Atoi(m[1][at:])
		}
		if err != nil || first > last {
			t.Errorf("mls.md: %q is no range of sections", m[0])
		}
		for i := first; i <= last; i++ {
			mapped[m[2][:at]+strconv.Itoa(i)] = true
		}
	}
}

// covered reports whether a section stands in the table, or one that it is part of
// and whose parts do not stand there by themselves.
func covered(mapped map[string]bool, s string) bool {
	if mapped[s] {
		return true
	}
	at := strings.LastIndex(s, ".")
	if at < 0 {
		return false
	}
	above := s[:at]
	for other := range mapped {
		if strings.HasPrefix(other, above+".") {
			return false
		}
	}
	return covered(mapped, above)
}
