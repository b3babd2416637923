package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var reference = regexp.MustCompile(`docs/[a-zA-Z0-9_/-]+\.(md|json)`)

// TestReferences: a page that the code sends its reader to is there.
func TestReferences(t *testing.T) {
	sources := []string{".go", ".ts", ".svelte", ".mjs", ".proto", ".sh", ".yaml"}
	seen := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "dist" || path != root && strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case d.IsDir() || !slices.Contains(sources, filepath.Ext(path)):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, name := range reference.FindAllString(string(text), -1) {
			seen++
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Errorf("%s names %s, which does not exist", path, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 10 {
		t.Errorf("found %d references; the test looks in the wrong place", seen)
	}
}
