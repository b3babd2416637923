package docs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// messageSections are the parts of docs/assurance.md that list tests of messages by
// name, each with the file of internal/sim all of whose tests stand in it.
var messageSections = map[string]string{
	"Attacks on messages": "attack_test.go",
	"Stories of messages": "stories_test.go",
}

// TestMessageSections: each row of these parts names tests that exist, and each test of
// their file stands in a row.
func TestMessageSections(t *testing.T) {
	tests := testsByPackage(t)
	page, err := os.ReadFile(filepath.Join(root, "docs/assurance.md"))
	if err != nil {
		t.Fatal(err)
	}
	for section, file := range messageSections {
		_, text, ok := strings.Cut(string(page), "\n## "+section+"\n")
		if !ok {
			t.Fatalf("no section %q", section)
		}
		text, _, _ = strings.Cut(text, "\n## ")
		var listed []string
		rows := 0
		for line := range strings.SplitSeq(text, "\n") {
			if !strings.HasPrefix(line, "| ") || strings.HasSuffix(line, "| tests |") {
				continue
			}
			rows++
			names := named(t, tests, line)
			if len(names) == 0 {
				t.Errorf("%s: no test in %q", section, line)
			}
			listed = append(listed, names...)
		}
		if rows < 8 {
			t.Errorf("%s has %d rows", section, rows)
		}
		source, err := os.ReadFile(filepath.Join(root, "internal/sim", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testFunc.FindAllStringSubmatch(string(source), -1) {
			if !slices.Contains(listed, m[1]) {
				t.Errorf("%s of %s does not stand in %q", m[1], file, section)
			}
		}
	}
}
