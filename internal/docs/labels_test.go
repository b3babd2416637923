package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestLabelsWritten: every label of a hash, signature or derivation stands in
// docs/spec/wire.md, or another implementation could not be written from it.
func TestLabelsWritten(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs/spec/wire.md"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "internal/wire/label.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(file, func(node ast.Node) bool {
		literal, ok := node.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		label, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		n++
		if !inTable(string(page), label) {
			t.Errorf("docs/spec/wire.md has no row for the label %q", label)
		}
		return true
	})
	if n < 20 {
		t.Errorf("found %d labels", n)
	}
}

// inTable reports whether the first cell of a row names the label, alone or in
// a list. The prefix of all labels stands in the text.
func inTable(page, label string) bool {
	if label == "Kith 1 " {
		return strings.Contains(page, label)
	}
	for row := range strings.Lines(page) {
		cells := strings.Split(row, "|")
		if len(cells) < 3 {
			continue
		}
		for name := range strings.SplitSeq(cells[1], ",") {
			if strings.TrimSpace(name) == label {
				return true
			}
		}
	}
	return false
}
