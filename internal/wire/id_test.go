package wire_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"testing"

	"kith/internal/wire"
)

func TestIDText(t *testing.T) {
	var id wire.EntryHash
	for i := range id {
		id[i] = byte(i)
	}
	if want := "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"; id.String() != want {
		t.Errorf("%s, want %s", id, want)
	}
	if short := id.Short(); !bytes.Equal(short[:], id[:16]) {
		t.Errorf("Short %x", short)
	}
}

func TestRandom(t *testing.T) {
	a, b := wire.Random(32), wire.Random(32)
	if len(a) != 32 || bytes.Equal(a, b) || bytes.Equal(a, make([]byte, 32)) {
		t.Errorf("%x, %x", a, b)
	}
	if len(wire.Random(0)) != 0 {
		t.Error("Random(0) is not empty")
	}
}

// TestLabelsAreDistinct reads label.go: a label that two hashes or two
// signatures share would let one pass for the other.
func TestLabelsAreDistinct(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "label.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		value, ok := spec.Values[0].(*ast.BasicLit)
		if !ok || value.Kind != token.STRING {
			return true
		}
		name := spec.Names[0].Name
		kind := name[:4] // Hash, Sign, Info: separate uses of one text are apart by how they are used
		if other, taken := seen[kind+value.Value]; taken {
			t.Errorf("%s and %s are both %s", other, name, value.Value)
		}
		seen[kind+value.Value] = name
		return true
	})
	if len(seen) < 20 {
		t.Errorf("found %d labels", len(seen))
	}
}
