package group_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestHoldingsAreWritten: the table of docs/spec/group.md has a line for each thing
// that is counted, in the same order.
func TestHoldingsAreWritten(t *testing.T) {
	page, err := os.ReadFile("../../docs/spec/group.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(page), "\n## Limits\n")
	if !ok {
		t.Fatal("no section on limits")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var written []string
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]+) \|`).FindAllStringSubmatch(section, -1)[1:] {
		written = append(written, row[1])
	}
	w, g := story(t)
	var counted []string
	for _, h := range w.Node("Ben").Groups[g].Machine.Holdings() {
		counted = append(counted, h.Name)
	}
	if !slices.Equal(written, counted) {
		t.Errorf("written are\n%q\ncounted\n%q", written, counted)
	}
}
